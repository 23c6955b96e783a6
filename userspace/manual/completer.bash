# SPDX-License-Identifier: GPL-2.0-or-later

# What may stand where one of KINDS is wanted; they are as in the help, such as "NAME|DIR".
_shale_candidates() {
    local kinds=$1 current=$2 words=''
    [[ $kinds == *IMAGE* ]] && words+=$(shale image ls 2>/dev/null | awk 'NR > 1 { print $1 }')
    [[ $kinds == *LAYER* ]] && words+=$(shale snapshot ls 2>/dev/null | awk 'NR > 1 { print $1 }')
    [[ $kinds == *NAME* ]] && words+=$(shale mounts 2>/dev/null | awk 'NR > 1 { print $3 }')
    [[ $kinds == *KIND* ]] && words+=$(_shale_event_kinds)
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$current")
    if [[ $kinds == *DIR* || $kinds == *PATH* ]]; then
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$([[ $kinds == *PATH* ]] && echo -f || echo -d)" -- "$current")
    fi
}

_shale() {
    local current=$2 previous=$3 command='' word kinds
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ " $(_shale_commands "$command") " == *" $word "* ]] && command+=${command:+ }$word
    done
    kinds=$(_shale_value "$command" "$previous")
    if [[ -n $kinds ]]; then
        _shale_candidates "$kinds" "$current"
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_shale_options "$command") --help" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(_shale_commands "$command")" -- "$current")
        _shale_candidates "$(_shale_argument "$command")" "$current"
    fi
}

complete -F _shale shale
