#!/usr/bin/env bash
# ./runTests.sh: the tests; without -m those that are neither slow nor need an Ollama server or a GPU.
#
#   ...  any flag of pytest
source "$(dirname "$0")/scripts/runner.sh"
if [[ ${1-} == --help ]]; then parse_flags -- --help; fi

scripts/bootstrap.sh
if [[ " $* " == *" -m "* ]]; then exec .venv/bin/python -m pytest "$@"; fi
exec .venv/bin/python -m pytest -m "not slow and not ollama and not gpu" "$@"
