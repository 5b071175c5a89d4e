"""A run is never lost: complete, resumed, extended, or set aside and made anew."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from astudent.config import load_config
from astudent.errors import RunError, UsageError
from astudent.jsonl import RowWriter
from astudent.stage import Input, StageRun, flat, record_path, settings_of

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text('{"n":1}\n')
    return tmp_path / "outputs"


def begin(root: Path, settings: dict[str, Any] | None = None, **changes: Any) -> StageRun:
    given: dict[str, Any] = {
        "outputs": [root / "d_04.jsonl"],
        "inputs": ["in.jsonl"],
        "growing": {"data.count"},
        **changes,
    }
    settings = {"data": {"seed": 1, "count": 5}} if settings is None else settings
    return StageRun.begin("04_generate_dataset", settings=settings, root=root, **given)


def finished(root: Path, settings: dict[str, Any] | None = None, **changes: Any) -> None:
    run = begin(root, settings, **changes)
    for output in run.outputs:
        target = output if output.suffix == ".jsonl" else output / "weights.bin"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("old\n")
    run.finish(rows=1)


def set_aside(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root / ".previous")).split("/", 1)[1] for p in root.glob(".previous/*/**/*.*"))


def test_nothing_there_is_new_and_leaves_a_record(root: Path) -> None:
    run = begin(root)
    assert (run.status, run.changed) == ("new", ())
    record = json.loads((root / "d_04.jsonl.run.json").read_text())
    assert record["finished"] is False and record["settings"] == {"data.seed": 1, "data.count": 5}
    assert list(record["inputs"]) == ["in.jsonl"] and len(record["inputs"]["in.jsonl"]) == 64


AT_WORK = """
import sys, time
from astudent.stage import StageRun
StageRun.begin("04_generate_dataset", [sys.argv[1]], {"data": {"seed": 1, "count": 5}}, ["in.jsonl"], root=sys.argv[2])
print("begun", flush=True)
time.sleep(60)
"""


def test_two_processes_never_write_one_output(root: Path) -> None:
    command = [sys.executable, "-c", AT_WORK, str(root / "d_04.jsonl"), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "begun\n"
        with pytest.raises(RunError, match=rf"another process \({other.pid}\) is at work"):
            begin(root)
        assert begin(root, outputs=[root / "d_05.jsonl"]).status == "new", "another output is free"
        other.kill()
    assert begin(root).status == "resume", "a killed process leaves no lock"


def test_the_same_again_is_complete(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finished(root)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert begin(root).status == "complete"
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert capsys.readouterr().out == "04: complete, nothing to do\n"
    assert json.loads(record_path(root / "d_04.jsonl").read_text())["facts"] == {"rows": 1}


def test_an_interrupted_run_resumes(root: Path) -> None:
    begin(root)
    (root / "d_04.jsonl").write_text("half\n")
    assert begin(root).status == "resume"
    assert (root / "d_04.jsonl").read_text() == "half\n"


def test_a_finished_run_without_its_output_is_not_complete(root: Path) -> None:
    finished(root)
    (root / "d_04.jsonl").unlink()
    assert begin(root).status == "resume"


@pytest.mark.parametrize("count", [6, None])
def test_a_larger_count_extends(root: Path, count: int | None) -> None:
    finished(root)
    run = begin(root, {"data": {"seed": 1, "count": count}})
    assert run.status == "extend" and (root / "d_04.jsonl").read_text() == "old\n"
    assert run.changed == (f"data.count 5 -> {json.dumps(count)}",)
    assert begin(root, {"data": {"seed": 1, "count": count}}).status == "resume"


@pytest.mark.parametrize("settings", [{"seed": 1, "count": 4}, {"seed": 2, "count": 6}])
def test_fewer_rows_or_another_seed_start_anew(root: Path, settings: dict[str, int]) -> None:
    finished(root)
    assert begin(root, {"data": settings}).status == "new"


def test_a_changed_setting_is_named_and_the_old_output_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finished(root, {"training": {"learning_rate": 5e-5, "role_weights": {}}, "task": "x"})
    capsys.readouterr()
    run = begin(root, {"training": {"learning_rate": 1e-4, "role_weights": {"KEY": 2}}, "bf16": True})
    said = capsys.readouterr().out.splitlines()
    assert run.status == "new" and not (root / "d_04.jsonl").exists()
    assert run.changed == (
        "bf16 (absent) -> true",
        'task "x" -> (absent)',
        "training.learning_rate 5e-05 -> 0.0001",
        'training.role_weights {} -> {"KEY": 2}',
    )
    assert said[0] == f"04: changed: {'; '.join(run.changed)}" and "/.previous/20" in said[1]
    assert set_aside(root) == ["d_04.jsonl", "d_04.jsonl.run.json"]
    assert begin(root, {"training": {"learning_rate": 1e-4, "role_weights": {"KEY": 2}}, "bf16": True}).status == (
        "resume"
    )


def test_a_changed_input_is_named(root: Path) -> None:
    finished(root)
    Path("in.jsonl").write_text('{"n":2}\n')
    run = begin(root)
    assert (run.status, run.changed) == ("new", ("input in.jsonl",))
    assert set_aside(root) == ["d_04.jsonl", "d_04.jsonl.run.json"]


def test_a_larger_count_with_another_input_is_no_extension(root: Path) -> None:
    finished(root)
    Path("in.jsonl").write_text('{"n":2}\n')
    assert begin(root, {"data": {"seed": 1, "count": 9}}).status == "new"


def test_fresh_keeps_the_old_output_too(root: Path) -> None:
    finished(root)
    assert begin(root, fresh=True).status == "new"
    assert set_aside(root) == ["d_04.jsonl", "d_04.jsonl.run.json"]
    finished(root)
    assert begin(root, fresh=True).status == "new"
    assert len(list(root.glob(".previous/*"))) == 2


def test_an_output_of_unknown_making_is_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root.mkdir()
    (root / "d_04.jsonl").write_text("by hand\n")
    assert begin(root).status == "new"
    assert set_aside(root) == ["d_04.jsonl"] and "no record of how it was made" in capsys.readouterr().out


def test_a_folder_moves_whole_with_its_record(root: Path) -> None:
    folder = root / "student_runs/qwen2.5-vl"
    finished(root, outputs=[folder])
    assert (folder / "run_config.json").exists()
    assert begin(root, outputs=[folder]).status == "complete"
    assert begin(root, {"data": {"seed": 2}}, outputs=[folder]).status == "new"
    assert set_aside(root) == [
        "student_runs/qwen2.5-vl",
        "student_runs/qwen2.5-vl/run_config.json",
        "student_runs/qwen2.5-vl/weights.bin",
    ]
    assert [path.name for path in folder.iterdir()] == ["run_config.json"]


def test_a_folder_of_another_kind_is_never_touched(root: Path) -> None:
    (root / "mine").mkdir(parents=True)
    (root / "mine/thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        begin(root, outputs=[root / "mine"])
    with pytest.raises(UsageError, match="holds the folder you are in"):
        begin(root, outputs=["."])
    assert (root / "mine/thesis.tex").exists()


def test_an_output_outside_the_root_is_kept_inside_it(root: Path, tmp_path: Path) -> None:
    finished(root, outputs=[tmp_path / "else/x.jsonl"])
    begin(root, fresh=True, outputs=[tmp_path / "else/x.jsonl"])
    assert set_aside(root) == ["else/x.jsonl", "else/x.jsonl.run.json"]


def test_a_missing_input_says_so_and_changes_nothing(root: Path) -> None:
    finished(root)
    Path("in.jsonl").unlink()
    with pytest.raises(RunError, match=r"in\.jsonl: no such file"):
        begin(root)
    assert (root / "d_04.jsonl").exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"settings": 1}'])
def test_a_broken_record_is_one_error(root: Path, text: str) -> None:
    finished(root)
    record_path(root / "d_04.jsonl").write_text(text)
    with pytest.raises(RunError, match="no record of a run"):
        begin(root)
    assert begin(root, fresh=True).status == "new"


def test_rows_that_a_stage_appends_to_its_input_do_not_count(root: Path) -> None:
    queries = root / "d_03.jsonl"
    source = Input(queries, without={"source": "topup"})
    with RowWriter(queries) as out:
        out.append({"query": "a", "source": "generated"})
    # Stage 03 does not look at its own output's contents, so an append by stage 04 leaves it complete.
    finished(root, outputs=[root / "d_04.jsonl"], inputs=[source])
    with RowWriter(queries) as out:
        out.append({"query": "b", "source": "topup"})
    assert begin(root, inputs=[source]).status == "complete"
    with queries.open("ab") as out:
        out.write(b'{"query": "c", "sour')  # a kill while appending
    assert begin(root, inputs=[source]).status == "complete"
    with RowWriter(queries) as out:
        out.append({"query": "d", "source": "generated"})
    assert begin(root, inputs=[source]).changed == (f"input {queries}",)


def test_settings_are_picked_by_section_or_key() -> None:
    config = load_config(REPOSITORY / "config/defaults.json")
    picked = settings_of(config, "prompt", "training.role_weights", "training.target_modules")
    assert picked["prompt.schema_rendering"] == "json" and picked["training.role_weights"] == {}
    assert isinstance(picked["training.target_modules"], list) and len(picked) == 4
    assert flat(picked) == picked  # what is flat already stays as it is


STAGE = """
import sys, time
from pathlib import Path
from astudent.jsonl import RowWriter, read_objects
from astudent.stage import StageRun
count, seed, slow = map(int, sys.argv[1:])
run = StageRun.begin("04", ["outputs/d.jsonl"], {"d": {"count": count, "seed": seed}}, ["in.jsonl"],
                     root="outputs", growing={"d.count"})
if run.status == "complete":
    sys.exit()
with RowWriter("outputs/d.jsonl") as out:
    done = sum(1 for _ in read_objects("outputs/d.jsonl"))
    for n in range(done, count):
        out.append({"n": n, "seed": seed})
        print(n, flush=True)
        time.sleep(slow / 1000)
run.finish()
"""


def run_stage(*arguments: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", STAGE, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})


def test_killed_then_run_again_gives_the_same_file(root: Path) -> None:
    for arguments in [(30, 1, 3), (30, 1, 3), (50, 1, 3), (50, 2, 3)]:
        killed = run_stage(*arguments)
        assert killed.stdout
        for _ in range(6):
            killed.stdout.readline()
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    last = run_stage(50, 2, 0)
    assert last.communicate() and last.returncode == 0
    rows = [json.loads(line) for line in (root / "d.jsonl").read_text().splitlines()]
    assert rows == [{"n": n, "seed": 2} for n in range(50)]
    assert set_aside(root) == ["d.jsonl", "d.jsonl.run.json"]  # the run of seed 1, as far as it came
