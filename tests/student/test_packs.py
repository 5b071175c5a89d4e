"""Packs against plain transformers, row by row: in float64 the same loss within 1e-12 of its size, and each LoRA matrix's gradient within 1e-12 of its norm."""

from itertools import chain
from typing import Any

import pytest
import torch
from against_rows import assert_same, in_batches, row_by_row
from rows_of import make_rows
from tiny_models import FAMILIES, add_lora, make_model, make_tokenizer

from astudent.student.batching import Batcher, SchemaSampler, TokenBatch, pack, shared_prefix
from astudent.student.lean import make_lean
from astudent.student.load import assemble
from astudent.student.selfcheck import check


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("window", [8, 100])
@pytest.mark.usefixtures("in_double")
def test_packs_equal_row_by_row(family: str, window: int) -> None:
    """Windows that cut the prefix and a suffix (8, in blocks) and that reach into both (100); two schemas in a batch."""
    model = add_lora(make_model(family, window=window, dtype=torch.float64))
    assemble(model, make_tokenizer(), trainable=True)
    rows = make_rows()
    wanted = row_by_row(model, rows)
    units = [(row,) for row in rows]
    for batcher in (Batcher(True, 0, 10**6), Batcher(True, 0, 300), Batcher(False, 0, 300, plain_rows=4)):
        assert_same(in_batches(model, batcher.micro_batches(units)[0]), wanted)
    make_lean(model)
    assert_same(in_batches(model, Batcher(True, 0, 10**6).micro_batches(units)[0]), wanted)


@pytest.mark.parametrize("window", [8, 64, 70])
@pytest.mark.parametrize("family", ["gemma3", "mistral"])
@pytest.mark.usefixtures("in_double")
def test_suffixes_longer_than_the_window(family: str, window: int) -> None:
    """Three schemas, and in each an answer whose window no longer reaches its request's begin, let alone the prefix; in blocks (to 64) and without."""
    model = add_lora(make_model(family, window=window, dtype=torch.float64))
    assemble(model, make_tokenizer(), trainable=True)
    rows = make_rows(schemas=3)
    [batch] = Batcher(True, 0, 10**6).micro_batches([(row,) for row in rows])[0]
    assert batch.layout is not None and batch.position_ids is not None
    groups = batch.layout.groups
    assert len(groups) == 3
    for group in groups:
        own_position = batch.position_ids[0, batch.predict_at] - group.prefix
        is_in_group = (batch.predict_at >= group.start) & (batch.predict_at < group.end)
        assert group.longest > window
        assert own_position[is_in_group].max() >= window, "a supervised token's window begins inside its own suffix"
    assert max(group.prefix for group in groups) > window
    assert_same(in_batches(model, [batch]), row_by_row(model, rows))


@pytest.mark.usefixtures("in_double")
def test_packs_with_gradient_checkpointing() -> None:
    model = add_lora(make_model("gemma3", dtype=torch.float64))
    assemble(model, make_tokenizer(), trainable=True)
    rows = make_rows()
    wanted = row_by_row(model, rows)
    model.train()
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    assert_same(in_batches(model, [pack([rows[:4], rows[4:]])]), wanted)


def test_self_check_accepts_packs() -> None:
    student = assemble(add_lora(make_model("gemma3")), make_tokenizer(), trainable=True)
    batcher, result = check(student, [(row,) for row in make_rows()], 10**6)
    assert batcher.packed and result.mode == "packs"


@pytest.mark.parametrize("wrong", ["ahead", "no window"])
def test_self_check_catches_a_wrong_mask(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that see the one after them, or beyond their window: the run falls back to plain batches and says so."""
    from astudent.student import blocks

    right = blocks._sees  # pyright: ignore[reportPrivateUsage]
    broken = {
        "ahead": lambda queries, keys, window: right(queries + 1, keys, window),
        "no window": lambda queries, keys, window: right(queries, keys, None),
    }
    monkeypatch.setattr(blocks, "_sees", broken[wrong])
    student = assemble(add_lora(make_model("gemma3")), make_tokenizer(), trainable=True)
    batcher, result = check(student, [(row,) for row in make_rows()], 10**6)
    assert not batcher.packed and result.mode == "plain" and "packs differ" in result.reason


def test_a_failure_half_way_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs that fail in their second batch, when the first has left gradients: plain batches are measured from nothing."""
    from astudent.student import selfcheck

    right, calls = selfcheck.token_losses, []

    def fails_second(model: Any, batch: TokenBatch) -> torch.Tensor:
        calls.append(batch)
        if len(calls) == 2:
            raise RuntimeError("no layout here\nsecond line")
        return right(model, batch)

    monkeypatch.setattr(selfcheck, "token_losses", fails_second)
    student = assemble(add_lora(make_model("gemma3")), make_tokenizer(), trainable=True)
    student.model.train()
    batcher, result = check(student, [(row,) for row in make_rows()], 100)
    assert not batcher.packed and result.mode == "plain"
    assert result.reason == "packs fail here: RuntimeError: no layout here"
    assert student.model.training and all(p.grad is None for p in student.model.parameters())


def test_self_check_catches_a_backend_without_layouts(monkeypatch: pytest.MonkeyPatch) -> None:
    from astudent.student.attention import PackLayout

    def refuse(*_: Any, **__: Any) -> None:
        raise TypeError("unexpected keyword argument 'layout'")

    monkeypatch.setattr(PackLayout, "attend", refuse)
    student = assemble(add_lora(make_model("gemma3")), make_tokenizer(), trainable=True)
    batcher, result = check(student, [(row,) for row in make_rows()], 10**6)
    assert not batcher.packed and result.mode == "plain" and "packs fail here: TypeError" in result.reason


def test_rows_by_themselves_when_asked() -> None:
    student = assemble(add_lora(make_model("gemma3")), make_tokenizer(), trainable=True)
    batcher, result = check(student, [(row,) for row in make_rows()], 10**6, shared=False)
    assert not batcher.packed and result.mode == "plain" and "as the configuration asks" in result.reason


def test_unknown_architecture_takes_full_logits() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = make_tokenizer()
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=1024)
    student = assemble(GPT2LMHeadModel(config), tokenizer, trainable=True)
    rows = make_rows()
    batcher, result = check(student, [(row,) for row in rows], 10**6)
    assert result.mode == "full" and "GPT2LMHeadModel" in result.reason
    found, _ = in_batches(student.model, batcher.micro_batches([(row,) for row in rows])[0])
    student.model.eval()
    assert found == pytest.approx(row_by_row(student.model, rows)[0], rel=1e-2)  # dropout is on in the first


def test_prefix_leaves_each_row_an_unsupervised_token() -> None:
    rows = make_rows(schemas=1)
    prefix = shared_prefix(rows)
    assert 0 < prefix < min(row.prompt_length for row in rows)
    assert all((row.input_ids[:prefix] == rows[0].input_ids[:prefix]).all() for row in rows)
    assert shared_prefix(rows[:1]) == rows[0].prompt_length - 1


@pytest.mark.parametrize(("per_step", "share", "world"), [(4, 2, 1), (5, 3, 1), (4, 2, 2), (50, 8, 1)])
def test_every_step_holds_exactly_its_rows(per_step: int, share: int, world: int) -> None:
    schemas = [str(i % 3) for i in range(13)]
    ranks = [SchemaSampler(schemas, per_step, share, 7, rank, world) for rank in range(world)]
    steps = [list(chain(*parts)) for parts in zip(*ranks, strict=True)]
    assert [len(step) for step in steps] == [per_step] * len(ranks[0])
    assert set(chain(*steps)) == set(range(13))
    ranks[0].set_epoch(1)
    assert list(ranks[0]) != list(SchemaSampler(schemas, per_step, share, 7, 0, world))


def test_padded_batches_keep_to_the_budget() -> None:
    units = [(row,) for row in make_rows(schemas=3)]
    longest = max(len(row) for (row,) in units)
    batches, order = Batcher(False, 0, 2 * longest, plain_rows=5).micro_batches(units)
    assert sorted(order) == list(range(len(units)))
    assert max(batch.row_count for batch in batches) > 2
    assert all(batch.input_ids.numel() <= 2 * longest and batch.row_count <= 5 for batch in batches)
    assert len(Batcher(False, 0, 1).micro_batches(units)[0]) == len(units)  # a row is never cut
