# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of ringcastctl for fish. Commands and options come from its own help texts,
# groups and interfaces from the daemon, so that nothing here grows old.

# the words of the command so far, without options; the socket in $__ringcastctl_socket
function __ringcastctl_words
    set -g __ringcastctl_socket
    set -l words (commandline -opc)
    set -e words[1]
    while count $words >/dev/null
        switch $words[1]
            case -s --socket
                set -g __ringcastctl_socket -s $words[2]
                set -e words[1]
            case '-*' help # what follows help is completed as without it
            case '*'
                echo $words[1]
        end
        set -e words[1]
    end
end

# commands with what they do, a tab between the two
function __ringcastctl_commands
    begin; ringcastctl --help; ringcastctl show --help; end 2>/dev/null | sed -n '/^commands:/,/^$/{/^  [a-z]/{s/^  //;p}}' |
        sed 's/   */\t/' | sed 's/^\([a-z -]*[a-z]\)[^\t]*\t/\1\t/'
end

# the next word of every command that begins like the words so far
function __ringcastctl_next
    set -l typed (string join ' ' -- (__ringcastctl_words))
    for line in (__ringcastctl_commands)
        set -l parts (string split -m 1 \t -- $line)
        if test -z "$typed"
            set rest $parts[1]
        else if string match -q -- "$typed *" $parts[1]
            set rest (string sub -s (math (string length -- $typed) + 2) -- $parts[1])
        else
            continue
        end
        printf '%s\t%s\n' (string split ' ' -- $rest)[1] $parts[2]
    end
end

function __ringcastctl_values
    __ringcastctl_words >/dev/null
    ringcastctl $__ringcastctl_socket --json $argv[2..-1] 2>/dev/null |
        string match -ar '"'$argv[1]'": ?"[^"]*"' | string replace -r '.*: ?"(.*)"' '$1' |
        sort -u
end

function __ringcastctl_options
    ringcastctl (__ringcastctl_words) --help 2>/dev/null |
        string match -ar '(?:^|[ ,\[|])--?[A-Za-z][a-z-]*' | string trim -c ' ,[|'
end

function __ringcastctl_is
    set -l words (__ringcastctl_words)
    test (count $words) -ge 1; and contains -- $words[1] $argv
end

function __ringcastctl_after
    contains -- (commandline -opc)[-1] $argv
end

complete -c ringcastctl -f
complete -c ringcastctl -n 'not string match -q -- "-*" (commandline -ct)' \
    -a '(__ringcastctl_next)'
complete -c ringcastctl -n 'string match -q -- "-*" (commandline -ct)' \
    -a '(__ringcastctl_options)'
complete -c ringcastctl -n '__ringcastctl_is log' -a 'error warning notice info debug'
complete -c ringcastctl -n '__ringcastctl_is explain; and not __ringcastctl_after --from --on' \
    -a '(__ringcastctl_values group show groups)'
complete -c ringcastctl -n 'string match -qr -- "^(monitor|quality|show (groups|mfc|upstream|zaps))" (string join " " -- (__ringcastctl_words)); and not __ringcastctl_after --only -o' \
    -a '(__ringcastctl_values group show groups; __ringcastctl_values name show interfaces)'
complete -c ringcastctl -n 'string match -q -- "show interfaces*" (string join " " -- (__ringcastctl_words))' \
    -a '(__ringcastctl_values name show interfaces)'
complete -c ringcastctl -n '__ringcastctl_is monitor; and __ringcastctl_after --only -o' \
    -a 'group host stream link querier forwarder refused reload'
complete -c ringcastctl -n '__ringcastctl_is watch; and __ringcastctl_after --sort' \
    -a 'rate packets members wrong group'
complete -c ringcastctl -n '__ringcastctl_after --from --on -i --interface; and not __ringcastctl_is convert' \
    -a '(__ringcastctl_values name show interfaces)'
complete -c ringcastctl -n '__ringcastctl_is convert; and __ringcastctl_after -f --from' \
    -a 'improxy vyos openwrt mcproxy'
complete -c ringcastctl -F -n '__ringcastctl_is convert; and not __ringcastctl_after -f --from'
complete -c ringcastctl -F -n '__ringcastctl_after -s --socket --write --output'
complete -c ringcastctl -F -n '__ringcastctl_is capture; and __ringcastctl_after -w'
complete -c ringcastctl -F -n '__ringcastctl_is convert; and __ringcastctl_after -o'
