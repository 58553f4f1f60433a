# shellcheck shell=bash source-path=../../utils  # a recipe outside the repository: DIFFAUDIO_ROOT
. "${DIFFAUDIO_ROOT:-../..}/utils/activate.sh"
. stage.sh
