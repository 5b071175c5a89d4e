#!/usr/bin/env bash
# ./runEvals.sh: evaluates the base model and the student, then writes the report.
#
#   --config FILE         configuration (none: as ./runAll.sh picks it)
#   --adapter FOLDER      adapter to evaluate
#   --teacher-model NAME  judge of the answers
#   --teacher KIND        ollama, embedded or none
#   --fresh               answer again; the old results are kept in outputs/.previous/
#   ...                   any flag of scripts/07_evaluate_student.py
source "$(dirname "$0")/scripts/runner.sh"
parse_flags --config --adapter --teacher-model --teacher ... -- "$@"

prepare evals
evaluate ${rest[@]+"${rest[@]}"}
