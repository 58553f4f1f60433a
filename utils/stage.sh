# shellcheck shell=bash disable=SC2154  # the options are the recipe's
# Stages of a recipe: sourced by path.sh, before the options are parsed. Gives `log`, `only_stage`,
# `configure`, `stage`, `run` and `finish`; and, when a stage fails, one block that says which, why,
# and how to go on. Reads the recipe's options stage, stop_stage, conf, tuning, args, force, status
# and dry_run.

SECONDS=0
_words=("$@") # the command line, for the rerun command
_stage='' _title='' _command='' _folders=() _config=() _only=()

log() { # message
    printf '%s (%s) %s\n' "$(date +%Y-%m-%dT%H:%M:%S)" "${0##*/}" "$*" >&2
}

quoted() { # words: as one line for a shell
    local line
    printf -v line ' %q' "$@"
    printf '%s\n' "${line# }"
}

# only_stage NUMBER OPTION...: refuse options of this stage that are given without it
only_stage() {
    local word option
    for option in "${@:2}"; do _only+=("$1 $option"); done
    if [[ $stage -le $1 && $1 -le $stop_stage ]]; then return; fi
    for word in ${_words[@]+"${_words[@]}"}; do
        for option in "${@:2}"; do
            [[ $(_name "$word") == "$option" ]] || continue
            printf '%s: --%s does nothing without stage %s, and stages %s to %s are asked for\n' \
                "$0" "$option" "$1" "$stage" "$stop_stage"
            printf '  mend: leave it out, or let stage %s run, too\n' "$1"
            exit 2
        done
    done >&2
}

_name() { # word of the command line: the name of the option that it is, if it is one
    local pattern='^--([A-Za-z][A-Za-z0-9_-]*)(=|$)'
    if [[ $1 =~ $pattern ]]; then echo "${BASH_REMATCH[1]//-/_}"; fi
}

# configure FILE: check the configuration before anything is done; where tuning or --args (split at
# spaces) change conf, write the result to FILE, which is the conf from then on
configure() {
    local words=()
    IFS=$' \t\n' read -r -d '' -a words <<<"$args" || true
    if [[ -n $tuning ]]; then words=(--config "$tuning" ${words[@]+"${words[@]}"}); fi
    _config=(--config "$conf" ${words[@]+"${words[@]}"})
    if [[ $status == true ]]; then return; fi
    if [[ ${#words[@]} -eq 0 ]]; then
        if [[ $dry_run == false ]]; then _checked "${_config[@]}" >/dev/null; fi
        return
    fi
    if [[ $dry_run == true ]]; then
        words=(diffaudio config "${_config[@]}" --print_config)
        printf '%s >%s\n' "$(quoted "${words[@]}")" "$(quoted "$1")"
    else
        mkdir -p -- "$(dirname -- "$1")"
        printf '# What %s was asked last; config.yaml beside it is what was trained.\n' \
            "${0##*/}" >"$1.tmp"
        _checked "${_config[@]}" --print_config >>"$1.tmp"
        mv -- "$1.tmp" "$1"
    fi
    conf=$1
}

_checked() { # arguments of diffaudio config: run it; a refusal has said what is wrong
    diffaudio config "$@" || {
        local code=$?
        [[ $code -eq 1 ]] || log "diffaudio config: exit code $code, $(_cause "$code")"
        exit "$code"
    }
}

# stage NUMBER TITLE [FOLDER...]: whether this stage is to run; it writes the folders
stage() {
    [[ $1 -ge $stage && $1 -le $stop_stage ]] || return 1
    _stage=$1 _title=$2 _command=''
    local folder
    for folder in "${@:3}"; do _folders+=("$1=$folder"); done
    if [[ $status == true ]]; then return 1; fi
    log "Stage $1: $2"
}

# run COMMAND...: execute it, or print it with --dry_run true; diffaudio is told --force true
run() {
    local words=("$@")
    if [[ $1 == diffaudio && $force == true ]]; then words+=(--force); fi
    _command=$(quoted "${words[@]}")
    if [[ $dry_run == true ]]; then printf '%s\n' "$_command"; else "${words[@]}"; fi
}

# finish: the last line of a recipe
finish() {
    if [[ -z $_stage ]]; then
        log "no stage between --stage $stage and --stop_stage $stop_stage"
        exit 2
    fi
    _stage=''
    if [[ $status == true ]]; then
        diffaudio status ${_folders[@]+"${_folders[@]}"} ${_config[@]+"${_config[@]}"}
    elif [[ $dry_run == true ]]; then
        log "Dry run: nothing was done; these are commands for the folder $PWD"
    else
        log "Successfully finished. [elapsed=${SECONDS}s]"
    fi
}

_cause() { # exit code: what it means
    case $1 in
        73) echo "in use by another run" ;;
        75) echo "stopped after saving; the same command goes on from there" ;;
        126) echo "not executable" ;;
        127) echo "not found; tools/check_install.py says what is missing" ;;
        130) echo "interrupted" ;;
        137) echo "killed, most likely out of memory; try a smaller --nj" ;;
        139) echo "crashed: segmentation fault" ;;
        143) echo "terminated from outside: a time limit or kill" ;;
        *) if [[ $1 -gt 128 ]]; then echo "signal $(($1 - 128))"; else echo "see above"; fi ;;
    esac
}

_rerun() { # the command line, from the stage that failed, keeping what is finished (no --force)
    local word skip=false words=() without=' stage force ' only
    for only in ${_only[@]+"${_only[@]}"}; do
        if [[ ${only%% *} -lt $_stage ]]; then without+="${only#* } "; fi
    done
    for word in ${_words[@]+"${_words[@]}"}; do
        if $skip; then skip=false && continue; fi
        case $without in
            *" $(_name "$word") "*) if [[ $word != *=* ]]; then skip=true; fi ;;
            *) words+=("$word") ;;
        esac
    done
    case $0 in */*) ;; *) printf 'bash ' ;; esac
    quoted "$0" ${words[@]+"${words[@]}"} --stage "$_stage"
}

_report() {
    local code=$?
    if [[ $code -eq 0 || -z $_stage ]]; then return; fi
    printf '\nERROR in stage %s (%s): exit code %s, %s\n' \
        "$_stage" "$_title" "$code" "$(_cause "$code")"
    printf '  command:  %s\n  go on by: %s\n' "${_command:-(none)}" "$(_rerun)"
} >&2
trap _report EXIT
