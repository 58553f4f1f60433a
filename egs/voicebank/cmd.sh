# shellcheck shell=bash source=/dev/null  # jobs run on: local, slurm, pbs, sge, tls://HOST:PORT
if [ -f cmd.local.sh ]; then . ./cmd.local.sh; fi # a site's own, untracked: DIFFAUDIO_CMD=slurm
export DIFFAUDIO_CMD="${DIFFAUDIO_CMD:-local}"
