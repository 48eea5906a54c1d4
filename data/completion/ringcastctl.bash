# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of ringcastctl for bash. Commands and options come from its own help texts,
# groups and interfaces from the daemon, so that nothing here grows old.

# the command line's own choice of a socket, for questions to the same daemon
_ringcastctl_ask()
{
	ringcastctl "${sock[@]}" "$@" 2>/dev/null
}

# commands, one a line, without the names of their arguments
_ringcastctl_commands()
{
	{ _ringcastctl_ask --help && _ringcastctl_ask show --help; } |
		sed -n '/^commands:/,/^$/{/^  [a-z]/{s/^  //;s/  .*//;s/ [^a-z].*//;p}}'
}

_ringcastctl_options()
{
	_ringcastctl_ask "$@" --help | grep -oE -- '(^|[ ,[|])--?[A-Za-z][a-z-]*' | tr -d ' ,[|'
}

# values of a field in the reply of a command: _ringcastctl_values FIELD COMMAND...
_ringcastctl_values()
{
	local field=$1
	shift
	_ringcastctl_ask --json "$@" | grep -oE "\"$field\": ?\"[^\"]*\"" |
		sed 's/.*: *"//;s/"$//' | sort -u
}

_ringcastctl_arguments()
{
	case $1 in
	log) echo "error warning notice info debug" ;;
	explain) _ringcastctl_values group show groups ;;
	"show interfaces") _ringcastctl_values name show interfaces ;;
	monitor | quality | "show zaps" | "show groups" | "show groups detail" | "show mfc" | "show upstream")
		_ringcastctl_values group show groups
		_ringcastctl_values name show interfaces
		;;
	esac
}

_ringcastctl()
{
	local cur prev words cword command='' found='' line i sock=() commands

	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur prev words cword
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
		cur=${words[cword]} prev=${words[cword - 1]}
	fi
	mapfile -t commands < <(_ringcastctl_commands)
	# the longest command that the words so far are; what follows it are arguments
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-s | --socket) sock=(-s "${words[++i]}") ;;
		-*) ;;
		help) ;; # what follows is completed as without it
		*)
			for line in "${commands[@]}"; do
				[[ "$line " == "${command:+$command }${words[i]} "* ]] || continue
				command+="${command:+ }${words[i]}"
				break
			done
			;;
		esac
	done
	for line in "${commands[@]}"; do
		[ "$line" != "$command" ] || found=$line
	done

	COMPREPLY=()
	case "$found:$prev" in
	*:-s | *:--socket | capture:-w | *:--write | convert:-o | *:--output)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	convert:--from | convert:-f) found=dialects ;;
	watch:--sort) found=orders ;;
	monitor:--only | monitor:-o) found=kinds ;;
	*:--from | *:--on | explain:-o | *:-i | *:--interface) found=interfaces ;;
	esac
	# shellcheck disable=SC2086 # lists of words
	case $found:$cur in
	dialects:*) mapfile -t COMPREPLY < <(compgen -W "improxy vyos openwrt mcproxy" -- "$cur") ;;
	orders:*) mapfile -t COMPREPLY < <(compgen -W "rate packets members wrong group" -- "$cur") ;;
	kinds:*)
		mapfile -t COMPREPLY < <(compgen -W \
			"group host stream link querier forwarder refused reload" -- "$cur")
		;;
	interfaces:*)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_ringcastctl_values name show interfaces)" -- "$cur")
		;;
	:-*) mapfile -t COMPREPLY < <(compgen -W "$(_ringcastctl_options)" -- "$cur") ;;
	*:-*)
		mapfile -t COMPREPLY < <(compgen -W "$(_ringcastctl_options $found)" -- "$cur")
		;;
	convert:*)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*)
		# the next word of every command that begins like this
		mapfile -t COMPREPLY < <(compgen -W "$(printf '%s\n' "${commands[@]}" |
			sed -n "s/^${command}${command:+ }\([a-z-]*\).*/\1/p" | sort -u)
			$(_ringcastctl_arguments "$found")" -- "$cur")
		;;
	esac
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _ringcastctl ringcastctl
