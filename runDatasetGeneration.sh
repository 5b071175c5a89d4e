#!/usr/bin/env bash
# ./runDatasetGeneration.sh: domains, schemas, requests, ASTs and the training corpus, with prettified copies.
#
#   --config FILE  configuration (none: as ./runAll.sh picks it)
#   --model NAME   teacher
#   --fresh        make everything again; the old output is kept in outputs/.previous/
source "$(dirname "$0")/scripts/runner.sh"
parse_flags --config --model -- "$@"

prepare data
generate_data
