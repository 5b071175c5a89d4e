#!/usr/bin/env bash
# ./runTraining.sh: trains the student on the corpus that is there.
#
#   --config FILE  configuration (none: as ./runAll.sh picks it)
#   --fresh        train again; the old run is kept in outputs/.previous/
#   ...            any flag of scripts/06_train_student_unsloth.py
source "$(dirname "$0")/scripts/runner.sh"
parse_flags --config ... -- "$@"

prepare
train ${rest[@]+"${rest[@]}"}
