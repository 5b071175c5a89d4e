#!/usr/bin/env bash
# .ci/ollama.sh DIR: the real Ollama server that the tests marked `ollama` want, CPU only, as DIR/ollama (57 MB).
# Takes some 11 minutes of CPU (16 on the clock beside other work), and nothing where it is there already. Needs Go, gcc and g++; root for apt-get.
set -euo pipefail
version=v0.24.0  # from v0.30 on it needs cmake and a checkout of llama.cpp
mkdir -p "${1:?usage: .ci/ollama.sh DIR}"
bin=$(cd "$1" && pwd)
if [[ -x $bin/ollama ]] && [[ $(go version -m "$bin/ollama") == *ollama*"$version"* ]]; then exit; fi

# Go's archive of the module lacks three vendored headers: Debian has two, include/ stands in for the third.
if ! dpkg -s nlohmann-json3-dev libstb-dev &>/dev/null; then
    apt-get update -qq
    apt-get install -y -qq nlohmann-json3-dev libstb-dev
fi
flags=-O3  # it sets none itself: without SIMD it is many times slower
if [[ $(uname -m) == x86_64 ]]; then flags+=" -march=x86-64-v3"; fi
export CGO_CPPFLAGS="-I$(cd "$(dirname "$0")/include" && pwd)" CGO_CFLAGS=$flags CGO_CXXFLAGS=$flags
GOBIN=$bin go install "github.com/ollama/ollama@$version"
