# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Replaces jshn.sh of OpenWrt, as far as the plugin of rpcd uses it. An argument may hold any text;
# in its name, all characters except letters and digits become _.

_jshn_text='no object yet'

# prints what json_load evaluates; the result is kept, because the next call often has the same
# text
jshn() {
	if [ "$2" != "$_jshn_text" ]; then
		_jshn_made=$(_jshn_read "$2") || return 1
		_jshn_text=$2
	fi
	echo "$_jshn_made"
}

_jshn_read() {
	python3 -I -S -c '
import json, re, shlex, sys
try:
    given = json.loads(sys.argv[1])
except ValueError:
    sys.exit(1)
if not isinstance(given, dict):
    sys.exit(1)
names = {str: "string", type(None): "null", bool: "boolean", int: "int", float: "double",
         list: "array", dict: "object"}
for key, value in given.items():
    text = value if isinstance(value, str) else ""
    print("_json_take", re.sub("[^0-9A-Za-z]", "_", key), names[type(value)], shlex.quote(text))
' "$@"
}

_json_take() {
	_json_keys="$_json_keys $1"
	eval "_json_type_$1=\$2 _json_value_$1=\$3"
}

json_init() {
	_json_keys=''
}

json_load() {
	json_init
	jshn -r "$1" >/dev/null
	eval "$_jshn_made"
}

json_get_keys() {
	eval "$1=\$_json_keys"
}

json_get_type() {
	eval "$1=\${_json_type_$2-}"
}

json_get_var() {
	eval "$1=\${_json_value_$2-}"
}

json_add_string() {
	_json_name=$1 _json_text=$2
}

json_dump() {
	case $_json_text in
	*[!0-9A-Za-z\ .,:\;/_@%+\'-]*)
		python3 -I -S -c 'import json, sys; print(json.dumps({sys.argv[1]: sys.argv[2]}))' \
			"$_json_name" "$_json_text"
		;;
	*) printf '{"%s": "%s"}\n' "$_json_name" "$_json_text" ;;
	esac
}
