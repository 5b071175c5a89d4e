#!/usr/bin/env bash
# Makes .venv ready: uv, a Python >= 3.12 and the locked packages. Does nothing when nothing has changed.
# Everything is said on stderr, so that a runner's own first line stays the first on stdout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "error: $1" >&2; exit 1; }

find_uv() { # a uv that runs (a pyenv shim may exist and not run), else one of our own
    local candidate
    for candidate in "$(command -v uv || true)" "$HOME/.local/bin/uv" .bootstrap/bin/uv; do
        if [[ -n $candidate ]] && "$candidate" --version >/dev/null 2>&1; then echo "$candidate"; return; fi
    done
    install_uv >&2
    echo .bootstrap/bin/uv
}

install_uv() { # into a private environment: a system Python may refuse pip
    local python
    for python in python3 python "$HOME"/.pyenv/versions/*/bin/python; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 || continue
        "$python" -m venv .bootstrap && .bootstrap/bin/python -m pip install --quiet uv && return
        # Debian without python3-venv has no ensurepip; its pip can still serve a bare environment.
        "$python" -m venv --clear --without-pip .bootstrap &&
            "$python" -m pip --python .bootstrap/bin/python install --quiet uv && return
    done
    fail "no uv, and no Python whose venv and pip can install it. Install uv (https://docs.astral.sh/uv/), then run again."
}

find_python() { # a Python >= 3.12 on PATH or under pyenv; nothing found: uv brings one
    local python
    for python in python3.12 python3.13 python3 python3.14 python "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python; do
        "$python" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1 || continue
        "$python" -c 'import sys; print(sys.executable)'
        return
    done
    echo 3.12
}

has_gpu() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q '^GPU'; }

extras=()
has_gpu && extras=(--extra gpu)
state="$PWD ${extras[*]-} $(cat pyproject.toml uv.lock | cksum)"
if [[ -x .venv/bin/python && $(cat .venv/.astudent-state 2>/dev/null) == "$state" ]]; then exit 0; fi

uv=$(find_uv)
python=()
.venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 || python=(--python "$(find_python)")
echo "astudent: making .venv ready (the first time several GB of packages)" >&2
"$uv" sync --frozen --quiet ${extras[@]+"${extras[@]}"} ${python[@]+"${python[@]}"} >&2 ||
    fail "the packages could not be installed. See uv's message above; run the same command again to go on."
echo "$state" >.venv/.astudent-state
