"""Selective loss in training: the objective is a plain weighted mean, and the collator masks what supervision masks."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_of import make_rows, make_sources
from test_sft import lines, new_student
from test_sft import settings as training_settings
from tiny_models import SCHEMA, completion, make_tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from astudent.errors import RunError
from astudent.roles.selective import EVEN, TokenWeights
from astudent.student.selective_collator import IGNORED, SelectiveLossCollator, schema_of_row
from astudent.student.sft import fit
from astudent.student.supervision import Encoded, encode_row, encode_rows
from astudent.student.token_text import text_and_offsets

WEIGHTS = TokenWeights("moderate", (r'"operator":"(\w+)"',), {"NUMBER": 2.5, "END": 0.5})


def plain_loss(model: Any, rows: Sequence[Encoded]) -> tuple[float, float]:
    """The weighted mean over all tokens, and the norm of its gradient, by transformers' forward and torch's cross entropy."""
    model.zero_grad()
    total, weight = torch.zeros(()), 0.0
    for row in rows:
        ids = torch.from_numpy(row.input_ids.astype("int64"))[None]
        logits = model(input_ids=ids).logits[0, row.prompt_length - 1 : -1]
        losses = torch.nn.functional.cross_entropy(logits, ids[0, row.prompt_length :], reduction="none")
        total = total + (losses * torch.from_numpy(row.weights)).sum()
        weight += float(row.weights.sum())
    (total / weight).backward()
    squares = sum(p.grad.square().sum().item() for p in model.parameters() if p.grad is not None)
    return (total / weight).item(), math.sqrt(squares)


def first_line(out: Path, rows: Sequence[Encoded], **changes: Any) -> dict[str, Any]:
    """The first line of a run over `rows`, all in one optimizer step."""
    chosen = training_settings(max_steps=1, lora_dropout=0.0, eval_steps=50, **changes)
    out.mkdir(parents=True)
    fit(new_student(chosen), rows, [], chosen, out)
    return next(line for line in lines(out) if "loss" in line)


@pytest.mark.parametrize("grad_accum", [1, 2, 4])
def test_the_objective_is_the_plain_weighted_mean_whatever_the_accumulation(tmp_path: Path, grad_accum: int) -> None:
    rows = encode_rows(make_tokenizer(), make_sources(schemas=2, each=4), WEIGHTS, None)
    assert {0.0, 0.5, 1.0, 2.5} <= {float(weight) for row in rows for weight in row.weights}
    asked = {"batch_size": 8 // grad_accum, "grad_accum": grad_accum}
    line = first_line(tmp_path / "run", rows, **asked)
    model = new_student(training_settings(lora_dropout=0.0)).model.eval()
    loss, norm = plain_loss(model, rows)
    assert line["loss"] == pytest.approx(loss, rel=1e-6)
    assert line["grad_norm"] == pytest.approx(norm, rel=1e-5)


def test_with_all_weights_1_it_is_the_unweighted_trainer_to_the_last_bit(tmp_path: Path) -> None:
    sources = make_sources(schemas=2, each=4)
    even = encode_rows(make_tokenizer(), sources, EVEN, None)
    ones = encode_rows(make_tokenizer(), sources, TokenWeights("none", (), dict.fromkeys(["KEY", "NUMBER"], 1.0)), None)
    one, other = (first_line(tmp_path / name, rows, batch_size=8) for name, rows in (("a", even), ("b", ones)))
    assert one == other
    saved = [tmp_path / name / "checkpoint-1" / "adapter_model.safetensors" for name in ("a", "b")]
    assert saved[0].read_bytes() == saved[1].read_bytes()


def test_a_strategy_of_the_configuration_reaches_the_rows() -> None:
    tokenizer = make_tokenizer()
    chosen = training_settings(use_selective_loss=True, selective_loss="aggressive")
    assert TokenWeights.of(chosen) == TokenWeights("aggressive")
    assert TokenWeights.of(replace(chosen, use_selective_loss=False)) == EVEN
    row = encode_row(tokenizer, "<bos>x", completion("city", 7), SCHEMA, TokenWeights.of(chosen))
    kept = [t for t, weight in zip(row.input_ids[row.prompt_length :], row.weights, strict=True) if weight]
    assert tokenizer.decode(kept) == '"city""eq"7<end_of_turn>'


# -- a collator around another one ------------------------------------------------------------------------------------


def byte_level() -> PreTrainedTokenizerFast:
    """Byte-level BPE, as GPT-2's and Qwen's, with pieces that hold quotes, letters and punctuation."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=["<|im_end|>", "<|pad|>"])
    inner.train_from_iterator([json.dumps({"field": "price", "operator": "eq", "value": 1})] * 20, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|pad|>")


TOKENIZERS = {"byte fallback": make_tokenizer(), "byte level": byte_level()}
TEXTS = st.text(alphabet=st.sampled_from('abé à"\\{}[]:,\n\u0301👩‍👧漢字\u200d🏳️‍🌈 0'), max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(TOKENIZERS)), TEXTS, TEXTS, st.booleans())
def test_ids_spell_a_text_and_offsets_cover_it(name: str, key: str, value: str, cut: bool) -> None:
    """However the ids came about: the characters that a token covers are those that its decoding has."""
    tokenizer = TOKENIZERS[name]
    text = json.dumps({key: value}, ensure_ascii=False)
    ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])  # pyright: ignore[reportArgumentType]
    if cut:  # ids that tokenising their text does not give: two letters that are one piece elsewhere
        ids = [i for letter in text for i in tokenizer(letter, add_special_tokens=False)["input_ids"]]  # pyright: ignore
    spelled, offsets = text_and_offsets(tokenizer, ids)
    assert spelled == text
    assert offsets[-1][1] == len(text)
    for (start, end), (following, _) in zip(offsets, [*offsets[1:], (len(text), 0)], strict=True):
        assert start <= end and following in range(start, end + 1)
    for token, (start, end) in zip(ids, offsets, strict=True):
        word = str(tokenizer.decode([token]))
        assert "\ufffd" in word or word.strip() == text[start:end].strip()


def padded(rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """What any collator does: ids and labels, padded on the right."""
    longest = max(len(row["input_ids"]) for row in rows)
    ids = torch.tensor([[*row["input_ids"], *[0] * (longest - len(row["input_ids"]))] for row in rows])
    labels = torch.tensor([[*row["labels"], *[IGNORED] * (longest - len(row["labels"]))] for row in rows])
    return {"input_ids": ids, "labels": labels}


@pytest.mark.parametrize("strategy", ["none", "conservative", "moderate", "aggressive"])
def test_the_collator_masks_what_supervision_masks(strategy: Any) -> None:
    tokenizer, weights = make_tokenizer(), TokenWeights(strategy)
    sources = make_sources(schemas=2, each=4)
    wanted = encode_rows(tokenizer, sources, weights, None)
    features = [
        {"input_ids": row.input_ids.tolist(), "labels": row.labels.tolist(), "schema_json": source.schema_json}
        for row, source in zip(wanted, sources, strict=True)
    ]
    batch = SelectiveLossCollator(padded, tokenizer, weights, schema_of_row)(features)
    for row, labels in zip(wanted, batch["labels"], strict=True):
        supervised = labels[row.prompt_length : len(row)]
        assert ((supervised != IGNORED).numpy() == (row.weights > 0)).all()
        assert (labels[: row.prompt_length] == IGNORED).all() and (labels[len(row) :] == IGNORED).all()
    assert "loss_weights" not in batch


def test_the_collator_gives_weights_that_are_neither_0_nor_1() -> None:
    tokenizer = make_tokenizer()
    (row,) = encode_rows(tokenizer, make_sources(1, 1), WEIGHTS, None)
    features = [{"input_ids": row.input_ids.tolist(), "labels": row.labels.tolist()}]
    batch = SelectiveLossCollator(padded, tokenizer, WEIGHTS, SCHEMA)(features)
    assert batch["loss_weights"][0, row.prompt_length :].tolist() == row.weights.tolist()


def test_an_answer_in_a_template_is_read_and_what_stands_around_it_counts() -> None:
    tokenizer = make_tokenizer()
    answer = 'Here: {"field":"city"}<end_of_turn>\n'
    ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
    collator = SelectiveLossCollator(padded, tokenizer, TokenWeights("aggressive"), SCHEMA)
    batch = collator([{"input_ids": ids, "labels": ids}])
    kept = [i for i, label in zip(ids, batch["labels"][0].tolist(), strict=True) if label != IGNORED]  # pyright: ignore
    assert tokenizer.decode(kept) == 'Here:"city"<end_of_turn>'


def test_the_keep_rate_lets_some_of_what_is_left_out_count() -> None:
    tokenizer = make_tokenizer()
    features = [{"input_ids": row.input_ids.tolist(), "labels": row.labels.tolist()} for row in make_rows(each=8)]
    counts = {}
    for rate in (0.0, 0.5, 1.0):
        collator = SelectiveLossCollator(padded, tokenizer, TokenWeights("aggressive"), SCHEMA, keep_rate=rate, seed=1)
        counts[rate] = int((collator(features)["labels"] != IGNORED).sum())
    assert (
        counts[0.0] < counts[0.5] < counts[1.0] == sum(label != IGNORED for row in features for label in row["labels"])
    )


def test_a_batch_without_labels_or_with_nothing_to_learn_is_refused() -> None:
    tokenizer = make_tokenizer()
    with pytest.raises(RunError, match="gives no labels"):
        SelectiveLossCollator(lambda rows: {"input_ids": torch.zeros(1, 1)}, tokenizer, EVEN)([{}])
    ids = tokenizer("{}", add_special_tokens=False)["input_ids"]
    with pytest.raises(RunError, match="no token of the batch counts"):
        SelectiveLossCollator(padded, tokenizer, TokenWeights("aggressive"))([{"input_ids": ids, "labels": ids}])
