#!/usr/bin/env bash
# ./runAlignment.sh: the teacher judges answers on the align split, pairs, DPO, and the evaluation of what came out.
#
#   --config FILE         configuration (none: as ./runAll.sh picks it)
#   --adapter FOLDER      SFT adapter to start from
#   --teacher-model NAME  judge of the answers
#   --fresh               align again; the old run is kept in outputs/.previous/
source "$(dirname "$0")/scripts/runner.sh"
parse_flags --config --adapter --teacher-model -- "$@"

prepare alignment
align
