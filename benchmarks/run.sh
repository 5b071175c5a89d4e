#!/usr/bin/env bash
# benchmarks/run.sh [FOLDER [flags]]: every benchmark, its figures as JSON in FOLDER (benchmarks/results), then one table.
# Flags go to those that take a model, such as --dtype bfloat16. Nothing else should run on the machine meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
folder="${1:-benchmarks/results}"
if [[ $folder == -* ]]; then
    echo "error: $folder stands where the folder stands. Call benchmarks/run.sh FOLDER $folder" >&2
    exit 2
fi
mkdir -p "$folder"
scripts/bootstrap.sh
for name in sft_step scoring generation dpo_step; do
    .venv/bin/python "benchmarks/$name.py" --json "$folder/$name.json" --case headline --case default --case tiny "${@:2}"
    .venv/bin/python "benchmarks/$name.py" --json "$folder/$name-growth.json" --case growth "${@:2}"
done
.venv/bin/python benchmarks/help_cost.py --json "$folder/help_cost.json"
.venv/bin/python benchmarks/teacher.py --json "$folder/teacher.json"
.venv/bin/python benchmarks/gate.py --json "$folder/gate.json"
"$(command -v uv || echo .bootstrap/bin/uv)" sync --frozen --inexact --quiet --group bench
.venv/bin/python benchmarks/roles.py --json "$folder/roles.json"
.venv/bin/python benchmarks/table.py "$folder"
