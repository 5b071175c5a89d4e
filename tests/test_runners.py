"""The runners: which stages they call with which flags (in a copy of the repository whose stages only say so)."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
RUNNERS = {
    "runAll.sh": "--config --model --with-training --with-evals --with-alignment --fresh",
    "runDatasetGeneration.sh": "--config --model --fresh",
    "runTraining.sh": "--config --fresh",
    "runEvals.sh": "--adapter --teacher-model --config --fresh",
    "runAlignment.sh": "--config --adapter --teacher-model --fresh",
    "runTests.sh": "",
}

# Stands for .venv/bin/python: says what it is asked to run, and answers as preflight does.
PYTHON = """#!/usr/bin/env bash
line=$*
case $line in
    *"--setting alignment.control") echo true ;;
    *--setting*) echo "${line##*--setting }" ;;
    *astudent.preflight*)
        echo "preflight ${line#-m astudent.preflight}" >>calls
        [[ $line == *--unload* ]] || printf 'astudent: chosen\\nconfig/chosen.json\\n' ;;
    scripts/*)
        line=${line#scripts/}
        echo "${line:0:2} ${line#*.py }" >>calls
        [[ ${line:0:2} != "$FAIL" ]] ;;
    *) echo "$line" >>calls ;;
esac
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for runner in RUNNERS:
        shutil.copy(REPOSITORY / runner, tmp_path)
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    (tmp_path / "scripts/bootstrap.sh").write_text("#!/bin/sh\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def run(house: Path, command: str, fail: str = "") -> tuple[int, list[str], str]:
    """Exit code, the calls with the configuration taken out, and what was said."""
    result = subprocess.run(
        ["bash", *command.split()],
        cwd=house.parent,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "FAIL": fail},
    )
    calls = (house / "calls").read_text().splitlines() if (house / "calls").exists() else []
    calls = [" ".join(call.replace("--config config/chosen.json", "").split()) for call in calls]
    return result.returncode, calls, result.stdout + result.stderr


@pytest.mark.parametrize("runner", RUNNERS)
def test_help_names_the_flags_and_starts_nothing(house: Path, runner: str) -> None:
    code, calls, said = run(house, f"{house}/{runner} --help")
    assert code == 0 and calls == [] and said.startswith(f"./{runner}: ")
    assert [flag for flag in RUNNERS[runner].split() if flag not in said.split()] == []


@pytest.mark.parametrize("runner", ["runAll.sh", "runDatasetGeneration.sh", "runAlignment.sh"])
@pytest.mark.parametrize("flags", ["--confg x", "stray", "--with-trainin", "-x"])
def test_an_unknown_flag_is_a_usage_error(house: Path, runner: str, flags: str) -> None:
    code, calls, said = run(house, f"{house}/{runner} {flags}")
    assert code == 2 and calls == [] and said.startswith(f"error: unknown flag {flags.split()[0]}.")


def test_a_flag_without_its_value_is_a_usage_error(house: Path) -> None:
    assert run(house, f"{house}/runAll.sh --config")[0] == 2
    assert run(house, f"{house}/runEvals.sh --adapter=")[0] == 2


def test_data_alone(house: Path) -> None:
    code, calls, said = run(house, f"{house}/runAll.sh --model qwen3:4b")
    assert code == 0 and said == "astudent: chosen\n"
    assert calls == [
        "preflight --model qwen3:4b --need data",
        *["01 --model qwen3:4b", "02", "03 --model qwen3:4b", "04 --model qwen3:4b", "05"],
        "preflight --model qwen3:4b --unload",
    ]


def test_the_whole_way(house: Path) -> None:
    code, calls, _ = run(
        house, f"{house}/runAll.sh --with-training --with-evals --with-alignment --fresh --config=c.json"
    )
    evals = [
        "07 --fresh --adapter none --out-dir evaluation.base_out_dir",
        "07 --fresh",
        "08 --fresh",
    ]
    alignment = [
        "07 --fresh --split align --max-schemas none --max-samples alignment.max_requests --out-dir evaluation.align_out_dir",
        "09 --fresh --eval-results evaluation.align_out_dir/evaluation_results.jsonl",
        "10 --fresh",
        "07 --fresh --adapter alignment.output_dir/checkpoint-final --out-dir evaluation.dpo_out_dir",
        "07 --fresh --adapter alignment.control_output_dir/checkpoint-final --out-dir evaluation.control_out_dir",
        "08 --fresh",
    ]
    assert code == 0
    assert calls[0] == "preflight --config c.json --need data --need training --need evals --need alignment"
    assert calls[1:6] == [f"0{n} --fresh" for n in range(1, 6)]
    assert calls[6:] == ["preflight --unload", "06 --fresh", *evals, *alignment]


def test_a_stage_that_fails_ends_the_run(house: Path) -> None:
    code, calls, _ = run(house, f"{house}/runAll.sh --with-training", fail="03")
    assert code == 1 and calls[-1].startswith("03")


def test_what_training_does_not_know_goes_to_the_stage(house: Path) -> None:
    assert run(house, f"{house}/runTraining.sh --max-steps 5 --config c.json --no-bf16")[1] == [
        "preflight --config c.json",
        "06 --max-steps 5 --no-bf16",
    ]


def test_evaluation_hands_on_its_flags(house: Path) -> None:
    calls = run(house, f"{house}/runEvals.sh --adapter my/adapter --teacher-model j --max-samples 3 --teacher ollama")[
        1
    ]
    judge = "--teacher ollama --teacher-model j"
    assert calls == [
        "preflight --teacher-model j --teacher ollama --need evals",
        f"07 --max-samples 3 {judge} --adapter none --out-dir evaluation.base_out_dir",
        f"07 --max-samples 3 {judge} --adapter my/adapter",
        "08",
    ]


def test_alignment_starts_from_the_adapter_that_it_is_given(house: Path) -> None:
    calls = run(house, f"{house}/runAlignment.sh --adapter my/adapter")[1]
    assert calls[0] == "preflight --need alignment"
    assert (
        calls[1]
        == "07 --split align --max-schemas none --max-samples alignment.max_requests --adapter my/adapter --out-dir evaluation.align_out_dir"
    )
    assert "10 --adapter my/adapter" in calls and calls[-1] == "08"


def test_tests_are_handed_to_pytest(house: Path) -> None:
    assert run(house, f"{house}/runTests.sh -k roles")[1] == [
        "-m pytest -m not slow and not ollama and not gpu -k roles"
    ]
    (house / "calls").unlink()
    assert run(house, f"{house}/runTests.sh -m slow")[1] == ["-m pytest -m slow"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_runners_can_be_started(runner: str) -> None:
    assert (REPOSITORY / runner).stat().st_mode & stat.S_IXUSR
