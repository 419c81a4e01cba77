# bash completion for sorreld, sorrelctl, sorrel-checkzone and sorrel-spread. Options and words are taken from
# --help, so that this never disagrees with the programs.

_sorrel_options()
{
    "$1" --help 2>/dev/null | sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p; s/^ *\(-[a-zA-Z]\), .*/\1/p'
}

# The words of sorrelctl: those that stand first in an indented line of its --help.
_sorrel_words()
{
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\).*/\1/p'
}


_sorrel()
{
    local program=$1 word=$2 before=$3

    COMPREPLY=()
    case $before in
    -s | --steering | steering)
        COMPREPLY=($(compgen -W 'hash query cpu random shared' -- "$word"))
        return
        ;;
    -c | --config | --control | --state | --dnstap | --cookie-secret-file | -o | --output | --plot | --sorreld)
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    -u | --user)
        COMPREPLY=($(compgen -u -- "$word"))
        return
        ;;
    esac
    case $word in
    -*) COMPREPLY=($(compgen -W "$(_sorrel_options "$program")" -- "$word")) ;;
    *)
        case ${program##*/} in
        sorrelctl) COMPREPLY=($(compgen -W "$(_sorrel_words "$program")" -- "$word")) ;;
        *) COMPREPLY=($(compgen -f -- "$word")) ;;
        esac
        ;;
    esac
}

complete -o filenames -F _sorrel sorreld sorrelctl sorrel-checkzone sorrel-spread
