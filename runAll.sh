#!/usr/bin/env bash
# ./runAll.sh: makes the data set, then what is asked for. Run again, it goes on where it stopped.
#
#   --config FILE        configuration (none: the real run where GPU, Ollama and teacher are there, else the embedded)
#   --model NAME         teacher of the data stages
#   --teacher-model NAME judge of the answers
#   --with-training      then train the student
#   --with-evals         then evaluate base and student, and write the report
#   --with-alignment     then align the student by preferences, and evaluate it again
#   --fresh              make everything again; the old output is kept in outputs/.previous/
source "$(dirname "$0")/scripts/runner.sh"
__with_training="" __with_evals="" __with_alignment=""
parse_flags --config --model --teacher-model --with-training --with-evals --with-alignment -- "$@"

prepare data ${__with_training:+training} ${__with_evals:+evals} ${__with_alignment:+alignment}
generate_data
if [[ $__with_training ]]; then train; fi
if [[ $__with_evals ]]; then evaluate; fi
if [[ $__with_alignment ]]; then align; fi
