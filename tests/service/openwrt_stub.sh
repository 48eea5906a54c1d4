#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The functions of OpenWrt that an init script may call, working on a copy of /etc/config made by
# test_initscripts.py: UCI, networks, procd. Prints what procd would be told.
# usage: openwrt_stub.sh SCRIPT FUNCTION
# UCI_CONFIG_DIR and NETWORKS="lan=br-lan ..." must be set. If USERS is not empty, the user
# ringcast exists.
set -eu

# ---- UCI: sections of a package as variables; blanks in values are kept

config_load() {
	local line kind rest name value
	sections=0
	while read -r kind rest; do
		line=${rest%%#*}
		eval "set -- $line"
		case $kind in
		config)
			sections=$((sections + 1))
			eval "type_$sections=\$1 lists_$sections=''"
			;;
		option) eval "value_${sections}_$1=\$2" ;;
		list)
			name=$1 value=$2
			eval "n=\${n_${sections}_$name:-0}; n=\$((n + 1))"
			eval "n_${sections}_$name=\$n item_${sections}_${name}_$n=\$value"
			;;
		esac
	done <"$UCI_CONFIG_DIR/$1"
}

config_foreach() {
	local function=$1 type=$2 i=1
	shift 2
	while [ $i -le "$sections" ]; do
		eval "[ \"\$type_$i\" != \"$type\" ]" || "$function" "$i" "$@"
		i=$((i + 1))
	done
}

# config_get VARIABLE SECTION OPTION [DEFAULT] : a list becomes its items, separated by blanks
config_get() {
	local all='' i=1 n
	eval "n=\${n_$2_$3:-0}"
	while [ $i -le "$n" ]; do
		eval "all=\"\$all\${all:+ }\$item_$2_$3_$i\""
		i=$((i + 1))
	done
	[ -n "$all" ] || eval "all=\${value_$2_$3:-\${4:-}}"
	eval "$1=\$all"
}

config_get_bool() {
	local flag
	config_get flag "$2" "$3" "${4:-}"
	case $flag in
	1 | on | true | yes | enabled) eval "$1=1" ;;
	*) eval "$1=0" ;;
	esac
}

config_list_foreach() {
	local section=$1 option=$2 function=$3 i=1 n item
	shift 3
	eval "n=\${n_${section}_$option:-0}"
	while [ $i -le "$n" ]; do
		eval "item=\$item_${section}_${option}_$i"
		"$function" "$item" "$@"
		i=$((i + 1))
	done
}

# ---- networks

network_flush_cache() { :; }

network_get_device() {
	local pair
	for pair in ${NETWORKS:-}; do
		if [ "${pair%%=*}" = "$2" ]; then
			eval "$1=${pair#*=}"
			return 0
		fi
	done
	return 1
}

# ---- users

user_exists() { [ -n "${USERS:-}" ]; }
group_add_next() { echo 32768; }
user_add() { echo "user $*"; }

# ---- procd and the log

procd_open_instance() { echo "open $*"; }
procd_set_param() { echo "set $*"; }
procd_append_param() { echo "append $*"; }
procd_close_instance() { echo "close"; }
procd_add_reload_trigger() { echo "reload-trigger $*"; }
procd_add_interface_trigger() { echo "interface-trigger $*"; }
logger() { echo "log $*"; }

# shellcheck disable=SC1090 # given by the caller
. "$1"
"$2"
