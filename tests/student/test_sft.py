"""Supervised training: exact sums, resumption, stopping, what stands in its folder."""

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rows_of import make_rows
from tiny_models import make_model, make_tokenizer

from astudent.config import load_config
from astudent.errors import RunError
from astudent.settings import Training
from astudent.student import checkpoint
from astudent.student.best import Best
from astudent.student.checkpoint import check_adapter
from astudent.student.load import Student, assemble
from astudent.student.metrics_log import FILE_NAME
from astudent.student.sft import add_lora, fit, save_final

SETTINGS = load_config("config/embedded.json").training
SHORT: dict[str, Any] = {
    "max_steps": 4,
    "batch_size": 2,
    "grad_accum": 2,
    "rows_per_schema": 2,
    "lora_r": 4,
    "lora_dropout": 0.1,
    "learning_rate": 0.01,
    "warmup_steps": 0,
    "logging_steps": 1,
    "eval_steps": 2,
    "save_steps": 2,
    "early_stop_patience": None,
}
TIMES = {"eval_runtime", "eval_samples_per_second", "eval_steps_per_second"}


def settings(**changes: Any) -> Training:
    return SETTINGS.model_copy(update=SHORT | changes)


def new_student(chosen: Training, seed: int = 0) -> Student:
    student = assemble(make_model("gemma3", seed=seed), make_tokenizer(), trainable=True)
    torch.manual_seed(chosen.seed)
    student.model = add_lora(student, chosen)
    return student


def train(out: Path, **changes: Any) -> Student:
    """Trains on two schemas; four rows, one of them a repair row, are held out."""
    chosen = settings(**changes)
    student = new_student(chosen)
    rows = make_rows(schemas=3, each=5, repairs=True)
    out.mkdir(parents=True, exist_ok=True)
    result, check_result = fit(student, rows[:11], rows[11:], chosen, out)
    save_final(student, out, result, check_result)
    return student


def lines(out: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (out / FILE_NAME).read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in found]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Student]:
    out = tmp_path_factory.mktemp("whole") / "run"
    return out, train(out)


def test_eval_loss_is_the_token_mean(whole_run: tuple[Path, Student]) -> None:
    """Against a few lines of plain PyTorch, over the plain rows; and the repair rows apart."""
    out, student = whole_run
    student.model.eval()
    sums = {False: [0.0, 0], True: [0.0, 0]}
    for row in make_rows(schemas=3, each=5, repairs=True)[11:]:
        ids = torch.from_numpy(row.input_ids.astype("int64"))
        with torch.no_grad():
            shares = student.model(input_ids=ids[None]).logits[0].double().log_softmax(-1)
        for at in range(row.prompt_length, len(ids)):
            sums[row.is_repair][0] -= shares[at - 1, ids[at]].item()
            sums[row.is_repair][1] += 1
    last = [line for line in lines(out) if "eval_loss" in line][-1]
    assert last["eval_loss"] == pytest.approx(sums[False][0] / sums[False][1], abs=1e-5)
    assert last["eval_repair_loss"] == pytest.approx(sums[True][0] / sums[True][1], abs=1e-5)
    assert sum(last["tokens_by_role"].values()) == sums[False][1] and last["eval_repair_tokens"] == sums[True][1]


def test_role_losses_add_up(whole_run: tuple[Path, Student]) -> None:
    for line in lines(whole_run[0]):
        total = sum(loss * line["tokens_by_role"][role] for role, loss in line["loss_by_role"].items())
        tokens = sum(line["tokens_by_role"].values())
        assert total / tokens == pytest.approx(line.get("loss", line.get("eval_loss")), abs=1e-6)
        assert line["tokens_by_role"]["END"] > 0


def test_what_a_run_leaves(whole_run: tuple[Path, Student]) -> None:
    out, _ = whole_run
    training = [line for line in lines(out) if "loss" in line]
    assert [line["step"] for line in training] == [1, 2, 3, 4]
    assert list(training[0])[:5] == ["step", "epoch", "loss", "grad_norm", "learning_rate"]
    final = out / checkpoint.FINAL
    check_adapter(final)
    assert (final / "tokenizer.json").is_file() and (final / "tokenizer_config.json").is_file()
    about = json.loads((final / "astudent.json").read_text())
    assert about["batches"]["mode"] == "packs" and len(about["base_sha256"]) == 64
    targets = json.loads((final / "adapter_config.json").read_text())["target_modules"]
    assert len(targets) == 7 and targets == sorted(targets)
    from safetensors.torch import load_file

    names = load_file(final / "adapter_model.safetensors")
    assert names and not any("embed" in name or "lm_head" in name for name in names)


def test_resume_gives_the_same_weights_and_lines(whole_run: tuple[Path, Student], tmp_path: Path) -> None:
    """As after a kill between steps 2 and 4: half a checkpoint and later lines are there."""
    out, _ = whole_run
    resumed = tmp_path / "run"
    shutil.copytree(out, resumed)
    shutil.rmtree(resumed / "checkpoint-4")
    shutil.rmtree(resumed / checkpoint.FINAL)
    (resumed / ".unfinished-checkpoint-4").mkdir()
    train(resumed)
    for name in ("checkpoint-4", checkpoint.FINAL):
        one, other = (folder / name / "adapter_model.safetensors" for folder in (out, resumed))
        assert one.read_bytes() == other.read_bytes()
    assert lines(resumed) == lines(out)
    assert not (resumed / ".unfinished-checkpoint-4").exists()


def test_a_run_that_was_killed_before_its_first_checkpoint_measures_the_base_once(tmp_path: Path) -> None:
    asked = {"max_steps": 1, "eval_steps": 1, "save_steps": 1}
    train(tmp_path / "whole", **asked)
    (tmp_path / "killed").mkdir()
    first = (tmp_path / "whole" / FILE_NAME).read_text().splitlines(keepends=True)[0]
    assert json.loads(first)["step"] == 0
    (tmp_path / "killed" / FILE_NAME).write_text(first)
    train(tmp_path / "killed", **asked)
    assert lines(tmp_path / "killed") == lines(tmp_path / "whole")


def test_an_optimizer_step_does_not_depend_on_its_packs(tmp_path: Path) -> None:
    """The same step computed in packs of any size, and by weights that leave roles out, is normalised over the step."""
    norms = []
    for share in (1, 4):
        out = tmp_path / str(share)
        train(out, max_steps=1, rows_per_schema=share, lora_dropout=0.0, batch_size=11, grad_accum=1, eval_steps=50)
        norms.append(next(line for line in lines(out) if "loss" in line))
    assert norms[0]["loss"] == pytest.approx(norms[1]["loss"], rel=1e-5)
    assert norms[0]["grad_norm"] == pytest.approx(norms[1]["grad_norm"], rel=1e-4)


def test_weights_change_the_objective_and_keep_rate_lets_tokens_in(tmp_path: Path) -> None:
    out = tmp_path / "run"
    chosen = settings(max_steps=1, role_weights={"KEY": 0.0, "STRUCTURAL": 0.0}, keep_rate=0.5, lora_dropout=0.0)
    student = new_student(chosen)
    rows = make_rows(schemas=2)
    zero = [0.0, 1.0]
    weighted = [replace(row, weights=row.weights * (row.roles % 2 == 0)) for row in rows]
    out.mkdir()
    fit(student, weighted, [], chosen, out)
    line = lines(out)[0]
    assert "token_loss" in line and line["loss"] != line["token_loss"] and zero


def test_nan_stops_the_run_and_saves_the_batch(tmp_path: Path) -> None:
    chosen = settings()
    student = new_student(chosen)
    rows = make_rows(schemas=2)
    broken = [replace(row, weights=row.weights * float("nan")) for row in rows]
    with pytest.raises(RunError, match=r"nan at step 1"):
        fit(student, broken, [], chosen, tmp_path)
    saved = json.loads((tmp_path / "nan_batch.json").read_text())
    assert len(saved["rows"]) == 4 and saved["rows"][0]["row_id"]


def test_early_stopping_compares_with_the_reference_value() -> None:
    """A creep below min_delta does not keep a run alive; the best is kept all the same."""
    best = Best("eval_loss", False, min_delta=0.002, patience=2)
    seen = [best.see({"eval_loss": 1 - 0.0015 * i}) for i in range(3)]
    assert seen == [True, True, True] and not best.should_stop  # the third is 0.003 below the reference
    assert not best.see({"eval_loss": 1.0}) and not best.should_stop
    assert not best.see({"eval_loss": 1.0}) and best.should_stop
    again = Best("eval_loss", False, 0.002, 2)
    again.restore(json.loads(json.dumps(best.state())))
    assert again == best


def test_more_right_answers_are_better_and_ties_take_the_lower_loss() -> None:
    best = Best("eval_semantic_pass_rate", True, min_delta=0.0, patience=None)
    assert not best.see({"eval_loss": 1.0})
    assert best.see({"eval_loss": 1.0, "eval_semantic_pass_rate": 0.5})
    assert best.see({"eval_loss": 0.9, "eval_semantic_pass_rate": 0.5})
    assert not best.see({"eval_loss": 0.1, "eval_semantic_pass_rate": 0.4})


def test_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    asked = {"metric_for_best": "eval_loss", "early_stop_patience": 2, "eval_steps": 1}
    train(tmp_path, max_steps=40, learning_rate=1e-9, save_steps=50, **asked)
    steps = [line["step"] for line in lines(tmp_path) if "eval_loss" in line]
    assert steps == [0, 1, 2, 3]  # before the first step: the base model
    assert (tmp_path / checkpoint.FINAL / "adapter_model.safetensors").is_file()


def test_a_full_disk_ends_the_run_and_leaves_no_half_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_run: tuple[Path, Student]
) -> None:
    """The second checkpoint does not fit; with room again the run goes on from the first and ends the same."""
    from astudent.student import trainer

    save, folders = trainer.save_adapter, []

    def full(model: Any, folder: Path, weights: Any) -> None:
        folders.append(folder)
        if len(folders) > 1:
            raise OSError(errno.ENOSPC, "No space left on device", str(folder))
        save(model, folder, weights)

    monkeypatch.setattr(trainer, "save_adapter", full)
    with pytest.raises(OSError, match="No space left"):
        train(tmp_path)
    assert [folder.name for folder in checkpoint.numbered(tmp_path)] == ["checkpoint-2"]
    assert not list(tmp_path.glob(".unfinished*"))
    monkeypatch.undo()
    train(tmp_path)
    assert lines(tmp_path) == lines(whole_run[0])
