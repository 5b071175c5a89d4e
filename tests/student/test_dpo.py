"""Preference tuning: from the SFT adapter, which is the reference; resumption; the control."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from rows_of import make_sources
from test_sft import lines, new_student, settings
from tiny_models import completion, make_model, make_tokenizer

from astudent.config import load_config
from astudent.roles.selective import EVEN
from astudent.student.batching import Unit
from astudent.student.dpo import align, train_control
from astudent.student.held_out_pairs import split_pairs
from astudent.student.load import Student, assemble
from astudent.student.supervision import Encoded, Source, encode_rows
from astudent.student.trainer import save_adapter

ALIGNMENT = load_config("config/embedded.json").alignment.model_copy(
    update={
        "max_steps": 4,
        "save_steps": 2,
        "logging_steps": 1,
        "batch_size": 2,
        "grad_accum": 2,
        "rows_per_schema": 2,
        "learning_rate": 1e-3,
        "warmup_steps": 0,
        "sft_coef": 0.0,
    }
)


def make_pairs() -> list[Unit]:
    sources: list[Source] = []
    for source in make_sources(schemas=2, each=5):
        wrong = Source(source.row_id, source.schema_id, source.schema_json, completion("rating", 9), source.content)
        sources += [source, wrong]
    rows = encode_rows(make_tokenizer(), sources, EVEN, None)
    return list(zip(rows[::2], rows[1::2], strict=True))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SFT adapter whose effect is not zero."""
    folder = tmp_path_factory.mktemp("sft")
    student = new_student(settings())
    for name, parameter in student.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    save_adapter(student.model, folder)
    return folder


def from_adapter(adapter: Path) -> Student:
    return assemble(make_model("gemma3"), make_tokenizer(), adapter, trainable=True)


@pytest.fixture(scope="module")
def whole_run(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dpo")
    align(from_adapter(adapter), make_pairs(), [], ALIGNMENT, out)
    return out


def test_the_first_step_starts_at_the_reference(whole_run: Path) -> None:
    first = lines(whole_run)[0]
    assert first["loss"] == pytest.approx(0.693147, abs=1e-5)
    assert first["rewards/chosen"] == pytest.approx(0, abs=1e-5)
    assert first["rewards/rejected"] == pytest.approx(0, abs=1e-5)
    assert lines(whole_run)[-1]["rewards/margins"] > 0.1


def plain_log_probability(student: Student, row: Encoded) -> float:
    """Of the row's completion."""
    student.model.eval()
    ids = torch.from_numpy(row.input_ids.astype("int64"))
    with torch.no_grad():
        shares = student.model(input_ids=ids[None]).logits[0].log_softmax(-1)
    return sum(shares[at - 1, ids[at]].item() for at in range(row.prompt_length, len(ids)))


def test_first_logps_are_plain_torch_sums(whole_run: Path, adapter: Path) -> None:
    """The log-probabilities logged at step 1 are means over pairs that plain transformers gives too."""
    student = from_adapter(adapter)
    sums = [plain_log_probability(student, chosen) for chosen, _ in make_pairs()]
    assert min(sums) <= lines(whole_run)[0]["logps/chosen"] <= max(sums)


def test_resume_gives_the_same_weights(whole_run: Path, adapter: Path, tmp_path: Path) -> None:
    """Upstream reloads a `ref` folder instead of the policy; ours never writes one, and removes one that is there."""
    resumed = tmp_path / "run"
    shutil.copytree(whole_run, resumed)
    shutil.rmtree(resumed / "checkpoint-4")
    shutil.copytree(adapter, resumed / "checkpoint-2" / "ref")
    align(from_adapter(adapter), make_pairs(), [], ALIGNMENT, resumed)
    one, other = (folder / "checkpoint-4" / "adapter_model.safetensors" for folder in (whole_run, resumed))
    assert one.read_bytes() == other.read_bytes()
    assert lines(resumed) == lines(whole_run)


def test_control_learns_the_chosen_answers_in_the_same_steps(adapter: Path, tmp_path: Path, whole_run: Path) -> None:
    result, _ = train_control(from_adapter(adapter), make_pairs(), [], ALIGNMENT, tmp_path)
    tokens: list[Any] = [[line["tokens_by_role"] for line in lines(out)] for out in (tmp_path, whole_run)]
    assert result["steps"] == 4 and tokens[0] == tokens[1]
    assert lines(tmp_path)[0]["loss"] == pytest.approx(lines(whole_run)[0]["chosen_loss"], rel=1e-5)


def test_the_margin_of_held_out_pairs_is_a_difference_of_plain_sums(adapter: Path, tmp_path: Path) -> None:
    pairs, reference, student = make_pairs(), from_adapter(adapter), from_adapter(adapter)
    found = align(student, pairs[:7], pairs[7:], ALIGNMENT, tmp_path)[0]["held_out"]
    expected = [
        sum(sign * (plain_log_probability(student, row) - plain_log_probability(reference, row)) for sign, row in sides)
        for sides in (zip((1, -1), pair, strict=True) for pair in pairs[7:])
    ]
    assert found["pairs"] == 3 and found["margin"] == pytest.approx(sum(expected) / 3, rel=1e-3)
    assert found["preferred"] == sum(margin > 0 for margin in expected) / 3
    assert found["interval"][0] <= found["margin"] <= found["interval"][1]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_the_pairs_of_a_request_are_held_out_together(share: float) -> None:
    pairs = make_pairs()
    trained, held_out = split_pairs([*pairs, *pairs], share, seed=0)
    ids = [{unit[0].row_id for unit in units} for units in (trained, held_out)]
    assert len(trained) + len(held_out) == 20 and ids[0].isdisjoint(ids[1]) and trained
    assert bool(held_out) == (0 < share < 0.999)


def test_one_request_is_trained_on() -> None:
    assert split_pairs(make_pairs()[:1], 0.5, seed=0)[1] == []
