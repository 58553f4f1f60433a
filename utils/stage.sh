# shellcheck shell=bash disable=SC2154  # the options are the recipe's
# Stages of a recipe: sourced by path.sh, before the options are parsed. Gives `log`, `only_stage`,
# `try_few`, `configure`, `stage`, `run` and `finish`; and, when a stage fails, one block that says
# which, why, and how to go on. Reads the recipe's options stage, stop_stage, conf, tuning, args,
# check, force, status and dry_run.

SECONDS=0
_words=("$@") # the command line, for the rerun command
_stage='' _title='' _command='' _folders=() _config=() _beside=() _only=()

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

# try_few OPTION...: with --check true, let all stages run on few items and steps, in folders of
# their own; the options are those whose values are given to trainings
# shellcheck disable=SC2034  # the recipe reads limit and exp
try_few() {
    [[ $check == true ]] || return 0
    local option
    limit=12 force=true tag=${tag:+${tag}_}check exp=''
    for option in "$@"; do
        printf -v "$option" '%s --train.steps 4 --train.valid_every 2 --train.valid_items 2' \
            "${!option}"
    done
}

# configure FILE [NAME ARGS]: check the configuration before anything is done; where tuning or
# --args (split at spaces) change conf, write the result to FILE, which is the conf from then on.
# A digest of what was asked stands before its .yaml: another run does not change it.
# With NAME it is that of a second model, in the folder of FILE: option NAME holds its conf, ARGS
# are its changes, and there is no tuning.
configure() {
    local name=${2:-conf} words=() config file
    IFS=$' \t\n' read -r -d '' -a words <<<"${3-$args}" || true
    if [[ $name == conf && -n $tuning ]]; then
        words=(--config "$tuning" ${words[@]+"${words[@]}"})
    fi
    config=(--config "${!name}" ${words[@]+"${words[@]}"})
    if [[ $name == conf ]]; then
        _config=("${config[@]}")
    else
        _beside=("$(dirname -- "$1")" "${config[@]}")
    fi
    if [[ $status == true ]]; then return; fi
    if [[ ${#words[@]} -eq 0 ]]; then
        if [[ $dry_run == false ]]; then _checked "${config[@]}" >/dev/null; fi
        return
    fi
    file=$(cksum <<<"${config[*]}")
    file=${1%.yaml}.${file%% *}.yaml
    if [[ $dry_run == true ]]; then
        printf 'mkdir -p %s && ' "$(quoted "$(dirname -- "$file")")"
        words=(diffaudio config "${config[@]}" --print_config)
        printf '%s >%s\n' "$(quoted "${words[@]}")" "$(quoted "$file")"
    else
        mkdir -p -- "$(dirname -- "$file")"
        printf '# What %s was asked; config.yaml beside it is what was trained.\n' \
            "${0##*/}" >"$file.$$"
        _checked "${config[@]}" --print_config >>"$file.$$"
        mv -- "$file.$$" "$file"
    fi
    printf -v "$name" %s "$file"
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
        if [[ ${#_beside[@]} -gt 0 ]]; then diffaudio status "4=${_beside[0]}" "${_beside[@]:1}"; fi
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
