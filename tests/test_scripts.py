"""The ten stages' command lines: names, flags, and a help that costs nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SCRIPTS = sorted((REPOSITORY / "scripts").glob("[0-9][0-9]_*.py"))

PROMISED = {
    "01_generate_domain_specs": "--model --prompts --examples-per-schema --offline-fallback",
    "02_build_schemas": "--domain-specs --operator-catalog --min-operators --max-operators",
    "03_generate_example_queries": "--schemas --per-schema --model --offline-fallback",
    "04_generate_dataset": "--positives-per-schema --negative-ratio --seed --model --offline-fallback",
    "05_build_training_corpus": "--include-invalid --no-include-invalid --max-samples",
    "06_train_student_unsloth": (
        "--training-corpus --output-dir --base-model --val-split --eval-max-samples --max-seq-length --max-steps "
        "--num-epochs --logging-steps --eval-steps --save-steps --save-total-limit --early-stop-min-delta "
        "--early-stop-patience --learning-rate --weight-decay --warmup-steps --batch-size --grad-accum "
        "--max-grad-norm --load-in-4bit --bf16 --use-gradient-checkpointing --eval-accumulation-steps --lora-r "
        "--lora-alpha --lora-dropout --seed --max-samples --use-selective-loss --no-selective-loss "
        "--selective-loss --semantic-patterns --role-weights --keep-rate --preview-masks"
    ),
    "07_evaluate_student": (
        "--adapter --dataset --teacher-model --teacher --out-dir --split --constrained --max-new-tokens "
        "--temperature --top-p --max-samples --include-invalid"
    ),
    "08_report_training": "--training-metrics --eval-summary --eval-results --out-dir",
    "09_build_alignment_pairs": "--only-rejected --all --max-pairs",
    "10_train_alignment_dpo": (
        "--pairs --adapter --output-dir --max-steps --batch-size --grad-accum --learning-rate --warmup-steps "
        "--logging-steps --beta --load-in-4bit --bf16 --max-seq-length"
    ),
}


def test_the_ten_stages_are_there() -> None:
    assert [script.stem for script in SCRIPTS] == sorted(PROMISED)


WATCH = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_help_has_the_promised_flags_and_imports_neither_torch_nor_pydantic(script: Path) -> None:
    """pydantic costs as much as all the rest of a help; torch costs twenty times that."""
    run = f"{WATCH}; import runpy; sys.argv = ['x', '--help']; runpy.run_path({str(script)!r}, run_name='__main__')"
    told = subprocess.run([sys.executable, "-c", run], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    words = told.stdout.replace(",", " ").split()
    lacking = [flag for flag in f"{PROMISED[script.stem]} --config --fresh".split() if flag not in words]
    assert lacking == []
    modules = set(told.stderr.split())
    assert "typer" in modules
    assert modules.isdisjoint({"torch", "transformers", "trl", "peft", "datasets", "pydantic.main", "rich.console"})


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_stage_is_short_and_says_what_it_makes_of_what(script: Path) -> None:
    text = script.read_text()
    assert len(text.splitlines()) < 40 and " -> " in text.split('"""')[1]


@pytest.mark.parametrize(
    ("flag", "says"), [("--dataset", "no such file"), ("--tokenizer", "no SentencePiece model can be read")]
)
def test_the_check_of_unseen_names_says_which_file_it_cannot_read(tmp_path: Path, flag: str, says: str) -> None:
    (tmp_path / "rows.jsonl").write_text("")
    asked = {"--dataset": str(tmp_path / "rows.jsonl")} | {flag: "/nowhere"}
    command = [sys.executable, "scripts/check_unseen_names.py", *(part for pair in asked.items() for part in pair)]
    told = subprocess.run(command, check=False, cwd=REPOSITORY, capture_output=True, text=True)
    assert told.returncode in (1, 2) and told.stderr.startswith("error: /nowhere") and says in told.stderr


def test_pruning_a_cache_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    own = {
        "extends": str(REPOSITORY / "config/defaults.json"),
        "teacher": {"cache_path": str(tmp_path / "none.sqlite")},
    }
    config.write_text(json.dumps(own))
    command = [sys.executable, "scripts/prune_teacher_cache.py", "--config", str(config)]
    told = subprocess.run(command, check=False, cwd=REPOSITORY, capture_output=True, text=True)
    assert told.returncode == 2 and told.stderr.startswith(f"error: {tmp_path}/none.sqlite: no such cache")
