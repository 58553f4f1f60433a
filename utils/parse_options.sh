# shellcheck shell=bash
# Options for a script, as Kaldi users know them. An option is a line of the calling script, above
# the line that sources this file, with a comment that becomes its help:
#
#     stage=0      # first stage to run
#     force=false  # do again what is up to date
#     . parse_options.sh
#
# Then `--stage 3` and `--stage=3` set the variable; `-` in a name means `_`. Where the default is
# an integer only plain integers are taken (08 is none), where it is true or false only these two;
# only where the default is empty may a value be empty or blank. The environment declares no
# options, values are never evaluated, and arguments that are left over are refused.

_po_integer='^(0|-?[1-9][0-9]{0,17})$' _po_option='^--[A-Za-z][A-Za-z0-9_-]*(=.*)?$'

_po_fail() { # message [exit code]
    printf '%s: %s\n  all options: %s --help\n' "$0" "$1" "$0" >&2
    exit "${2:-1}"
}

_po_read() { # script, last line: fill _po_about, _po_names, _po_helps and _po_kinds
    local _po_line _po_number=0 _po_name
    local _po_pattern='^([A-Za-z][A-Za-z0-9_]*)=(.*[[:space:]])?#[[:space:]]*(.*)$'
    _po_about='' _po_names=() _po_helps=() _po_kinds=()
    while IFS= read -r _po_line && [[ $((_po_number += 1)) -le $2 ]]; do
        if [[ $_po_line == '# '* && ${#_po_names[@]} -eq 0 ]]; then
            _po_about+="${_po_line#??}"$'\n'
        elif [[ $_po_line =~ $_po_pattern ]]; then
            _po_name=${BASH_REMATCH[1]}
            _po_names+=("$_po_name")
            _po_helps+=("${BASH_REMATCH[3]}")
            _po_kinds+=("$(_po_kind "${!_po_name}")")
        fi
    done <"$1"
}

_po_kind() { # default: what the option accepts
    case $1 in
        '') echo "anything" ;;
        true | false) echo "true or false" ;;
        *) if [[ $1 =~ $_po_integer ]]; then echo "an integer"; else echo "a value"; fi ;;
    esac
}

_po_help() {
    local _po_name _po_value _po_i=0 _po_plain='^[A-Za-z0-9_./:,=+@%-]+$'
    printf '%s\n%s [--option value ...]; the options and their defaults:\n\n' "$_po_about" "$0"
    for _po_name in "${_po_names[@]}"; do
        _po_value=${!_po_name}
        [[ $_po_value =~ $_po_plain ]] || printf -v _po_value %q "$_po_value"
        printf '  --%-28s %s\n' "$_po_name $_po_value" "${_po_helps[_po_i]}"
        _po_i=$((_po_i + 1))
    done
}

_po_edits() { # two words: how many letters to insert, delete or replace
    local i j cost left row=()
    for ((j = 0; j <= ${#2}; j++)); do row[j]=$j; done
    for ((i = 0; i < ${#1}; i++)); do
        cost=$i row[0]=$((i + 1))
        for ((j = 0; j < ${#2}; j++)); do
            [[ ${1:i:1} == "${2:j:1}" ]] || cost=$((cost + 1))
            left=$((row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1))
            left=$((left < cost ? left : cost)) cost=${row[j + 1]} row[j + 1]=$left
        done
    done
    echo "${row[${#2}]}"
}

_po_unknown() { # name: refuse it, with the option that was probably meant
    local other edits best=3 hint=''
    for other in "${_po_names[@]}" help; do
        edits=$(_po_edits "${1:0:40}" "$other")
        [[ -z $1 || $other != "$1"* ]] || edits=0
        if [[ $edits -lt $best ]]; then best=$edits hint="; did you mean --$other?"; fi
    done
    if [[ $1 == *.* ]]; then hint="; keys of the configuration go into --args \"--$1 VALUE\""; fi
    _po_fail "unknown option --$1$hint"
}

_po_find() { # name: set _po_wanted
    local name i=0
    for name in "${_po_names[@]}"; do
        if [[ $name == "$1" ]]; then _po_wanted=${_po_kinds[i]} && return; fi
        i=$((i + 1))
    done
    _po_unknown "$1"
}

_po_zeros() { # value: a word on numbers like 08
    local zeros='^-?0[0-9]+$'
    if [[ $1 =~ $zeros ]]; then printf ' (leave out leading zeros)'; fi
}

_po_set() { # name, value
    case $_po_wanted in
        anything) true ;;
        "a value") [[ $2 == *[![:space:]]* ]] ;;
        "an integer") [[ $2 =~ $_po_integer ]] ;;
        "true or false") [[ $2 == true || $2 == false ]] ;;
    esac || _po_fail "--$1: expected $_po_wanted, got $(printf %q "$2")$(_po_zeros "$2")"
    printf -v "$1" %s "$2"
}

_po_script=${BASH_SOURCE[1]}
[[ -r $_po_script ]] || _po_script=$OLDPWD/$_po_script # the script has gone to another folder
_po_read "$_po_script" "${BASH_LINENO[0]}"
_po_count=$#
while [[ $# -gt 0 ]]; do
    _po_name=${1%%=*} _po_name=${_po_name#--} _po_name=${_po_name//-/_}
    case $1 in
        -h | --help) _po_help && exit 0 ;;
        --*=*)
            _po_find "$_po_name"
            _po_set "$_po_name" "${1#*=}"
            shift
            ;;
        --?*)
            _po_find "$_po_name"
            [[ $# -gt 1 ]] || _po_fail "--$_po_name: its value is missing"
            [[ ! $2 =~ $_po_option && $2 != -h ]] ||
                _po_fail "--$_po_name: its value is missing, $2 follows (if meant: --$_po_name=$2)"
            _po_set "$_po_name" "$2"
            shift 2
            ;;
        '') _po_fail "argument $((_po_count - $# + 1)) is empty" 2 ;;
        *) _po_fail "unexpected argument $(printf %q "$1"); options are --name value" 2 ;;
    esac
done
