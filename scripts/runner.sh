# What the runners at the repository's root share; each of them sources this file first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export HF_HUB_DISABLE_TELEMETRY=1 PYTHONUNBUFFERED=1 TOKENIZERS_PARALLELISM=false

config="" model="" teacher_model="" adapter="" teacher="" fresh=() rest=()

usage_error() { echo "error: $1. See $0 --help." >&2; exit 2; }

# parse_flags FLAG... -- "$@": sets the variable of each flag that the runner knows. Where it knows `...`, what is left
# goes on to the stage; else it is a usage error. --help prints the runner's opening comment.
parse_flags() {
    local known=" --help --fresh "
    while [[ $1 != -- ]]; do known+="$1 "; shift; done
    shift
    while (($#)); do
        local flag=${1%%=*}
        if [[ $known != *" $flag "* ]]; then
            [[ $known == *" ... "* ]] || usage_error "unknown flag $1"
            rest+=("$1"); shift; continue
        fi
        case $flag in
            --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
            --fresh) fresh=(--fresh); shift ;;
            --with-*) printf -v "${flag//-/_}" 1; shift ;;
            *)
                if [[ $1 == *=* ]]; then set -- "$flag" "${1#*=}" "${@:2}"; fi
                (($# > 1)) && [[ -n $2 ]] || usage_error "$flag needs a value"
                local variable=${flag#--}
                printf -v "${variable//-/_}" %s "$2"; shift 2 ;;
        esac
    done
}

# prepare NEED...: the environment, then the configuration; what the stages need is checked before the first of them.
prepare() {
    local need answer flags=()
    scripts/bootstrap.sh
    for need in "$@"; do flags+=(--need "$need"); done
    answer=$(preflight ${flags[@]+"${flags[@]}"})
    config=${answer##*$'\n'}
    echo "${answer%$'\n'*}"
}

preflight() {
    .venv/bin/python -m astudent.preflight ${config:+--config "$config"} ${model:+--model "$model"} \
        ${teacher_model:+--teacher-model "$teacher_model"} ${teacher:+--teacher "$teacher"} "$@"
}

setting() { preflight --setting "$1"; }

# stage NN [FLAG...]: one script of scripts/ under the run's configuration.
stage() {
    local script=(scripts/"$1"_*.py)
    shift
    .venv/bin/python "${script[0]}" --config "$config" ${fresh[@]+"${fresh[@]}"} "$@"
}

generate_data() {
    stage 01 ${model:+--model "$model"}
    stage 02
    stage 03 ${model:+--model "$model"}
    stage 04 ${model:+--model "$model"}
    stage 05
    preflight --unload # the student needs the GPU next
}

train() { stage 06 "$@"; }

# answers ADAPTER OUT_DIR [FLAG...]: evaluates one student; no OUT_DIR leaves the configuration's.
answers() {
    local student=$1 out_dir=$2
    shift 2
    stage 07 "$@" ${teacher:+--teacher "$teacher"} ${teacher_model:+--teacher-model "$teacher_model"} \
        ${student:+--adapter "$student"} ${out_dir:+--out-dir "$out_dir"} # the last of two equal flags holds
}

# The base model stands beside the tuned one, or no figure says what training did.
evaluate() {
    answers none "$(setting evaluation.base_out_dir)" "$@"
    answers "$adapter" "" "$@"
    stage 08
}

# Pairs come from the align split, never from a test split; the aligned adapter and its control face the tests again.
align() {
    local judged requests
    judged=$(setting evaluation.align_out_dir)
    requests=$(setting alignment.max_requests)
    answers "$adapter" "$judged" --split align --max-schemas none --max-samples "${requests/null/none}"
    stage 09 --eval-results "$judged/evaluation_results.jsonl"
    stage 10 ${adapter:+--adapter "$adapter"}
    answers "$(setting alignment.output_dir)/checkpoint-final" "$(setting evaluation.dpo_out_dir)"
    if [[ $(setting alignment.control) == true ]]; then
        answers "$(setting alignment.control_output_dir)/checkpoint-final" "$(setting evaluation.control_out_dir)"
    fi
    stage 08
}
