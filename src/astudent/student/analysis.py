"""Examples -> the loss of each scored token, under a base model and under a checkpoint of it.

Examples of one schema share the computation of what their prompts begin with, where the self-check finds that exact for
the model; the others are padded. The base is loaded once: an adapter is put on it when it has been measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from astudent.errors import RunError, UsageError, first_line
from astudent.progress import Bar
from astudent.role_losses.examples import Example
from astudent.role_losses.measured import Setup, WorstToken
from astudent.role_losses.token_losses import Floats, TokenLosses
from astudent.student.batching import Batcher
from astudent.student.checkpoint import ADAPTER_FILES, check_adapter
from astudent.student.lean import make_plain
from astudent.student.load import Student, assemble, load_base, load_tokenizer
from astudent.student.loss import token_losses
from astudent.student.prompt import PLAIN_TEMPLATE
from astudent.student.scored_rows import encode_examples, refuse_unfit
from astudent.student.selfcheck import CheckResult, check
from astudent.student.supervision import Encoded

TOKENS_ON_CPU, TOKENS_ELSEWHERE = 4096, 16_384
"""Tokens computed at once."""
MOST_LOGITS = 2**28
"""Logits that exist at once where a model's own head gives those of all positions: 1 GiB in float32."""
WINDOW = 1024
"""Rows that are cut into batches at once."""
MOST_ROWS = 256
CONTEXT = 24
"""Characters of a target that are shown on either side of a token."""


@dataclass(frozen=True)
class Request:
    """What is measured: see `astudent.roles.analyze`."""

    model: str
    checkpoint: Path | None = None
    device: str | None = None
    batch_tokens: int | None = None
    quiet: bool = True


@dataclass(frozen=True)
class Measured:
    """The losses, and what it takes to show one of them. `ways` has the base's self-check, then the checkpoint's."""

    losses: TokenLosses
    request: Request
    examples: Sequence[Example]
    rows: Sequence[Encoded]
    tokenizer: PreTrainedTokenizerBase
    ways: Sequence[CheckResult]
    device: str
    dtype: str

    def shown(self, index: int) -> WorstToken:
        """The token at an index of `losses`, where it stands in its target."""
        row, place = int(self.losses.examples[index]), int(self.losses.places[index])
        target = self.examples[row].target
        spans: Any = self.tokenizer(target, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        start, end = spans[place] if place < len(spans) else (len(target), len(target))
        ids = self.rows[row].input_ids[self.rows[row].prompt_length :]
        token = target[start:end] or str(self.tokenizer.convert_ids_to_tokens(int(ids[place])))
        after = self.losses.finetuned
        return WorstToken(
            self.examples[row].where,
            target[max(0, start - CONTEXT) : start],
            token,
            target[end : end + CONTEXT],
            float(self.losses.baseline[index]),
            None if after is None else float(after[index]),
        )

    def setup(self, data: str) -> Setup:
        """What a report says of the measurement."""
        by = [f"{way.mode}: {way.reason}" for way in self.ways]
        return Setup(
            model=self.request.model,
            checkpoint=None if self.request.checkpoint is None else str(self.request.checkpoint),
            data=data,
            examples=len(self.examples),
            device=self.device,
            dtype=self.dtype,
            texts=self._texts(),
            baseline_by=by[0],
            finetuned_by=by[1] if len(by) > 1 else None,
        )

    def _texts(self) -> str:
        in_chat = sum(example.is_chat for example in self.examples)
        plain = ", a plain one, since the model brings none" if self.tokenizer.chat_template == PLAIN_TEMPLATE else ""
        chat = f"{in_chat} prompts in the chat template{plain}, END scored"
        raw = f"{len(self.examples) - in_chat} prompts as raw text, END not scored"
        return "; ".join([chat] * (in_chat > 0) + [raw] * (in_chat < len(self.examples)))


def measure(examples: Sequence[Example], request: Request) -> Measured:
    """Every example under the base, and under the checkpoint where one is named. Errors as in `analyze`."""
    try:
        with torch.no_grad():
            return _measure(examples, request)
    except torch.OutOfMemoryError as error:
        raise RunError("the device has too little memory", "Lower batch_tokens, or take the CPU.") from error


def _measure(examples: Sequence[Example], request: Request) -> Measured:
    device = _device(request.device)
    adapter = request.checkpoint if request.checkpoint is not None and _holds_adapter(request.checkpoint) else None
    tokenizer = load_tokenizer(request.model)
    if not any(example.is_chat for example in examples):
        tokenizer.chat_template = PLAIN_TEMPLATE  # one that nobody asked for must not be what fails
    rows = encode_examples(tokenizer, examples)
    student = _student(request.model, device, tokenizer)
    dtype = str(next(student.model.parameters()).dtype).removeprefix("torch.")
    passes = [_losses(student, rows, request, "baseline")]
    if request.checkpoint is not None:
        if adapter is not None:
            make_plain(student.model)
            student = assemble(student.model, tokenizer, adapter)
        else:
            del student  # two models may not fit
            _refuse_other_tokens(request.checkpoint, tokenizer)
            student = _student(str(request.checkpoint), device, tokenizer)
        passes.append(_losses(student, rows, request, "fine-tuned"))
    losses = _table(rows, *(found for found, _ in passes))
    return Measured(losses, request, examples, rows, tokenizer, [way for _, way in passes], str(device), dtype)


def _device(name: str | None) -> torch.device:
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"device {name}: {first_line(error)}", "Name cpu, cuda or cuda:N.") from error
    return device


def _holds_adapter(folder: Path) -> bool:
    """Whether a checkpoint is an adapter; False for a whole model. UsageError when it is neither."""
    if (folder / ADAPTER_FILES[0]).is_file():
        check_adapter(folder)
        return True
    if not (folder / "config.json").is_file():
        hint = f"Name a folder with {ADAPTER_FILES[0]}, or with config.json and safetensors."
        raise UsageError(f"{folder}: neither an adapter nor a model there", hint)
    return False


def _student(name: str, device: torch.device, tokenizer: PreTrainedTokenizerBase) -> Student:
    """A frozen model: in float32 on a CPU, elsewhere in its own precision."""
    model = load_base(name, device=device, dtype=torch.float32 if device.type == "cpu" else "auto")
    return assemble(model, tokenizer, base_model=name)


def _refuse_other_tokens(checkpoint: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """UsageError where a whole model's tokenizer has other ids for the base's tokens."""
    if (checkpoint / "tokenizer.json").is_file():
        theirs = load_tokenizer(str(checkpoint)).get_vocab()
        differing = [token for token, at in tokenizer.get_vocab().items() if theirs.get(token) != at]
        if differing:
            what = f"{len(differing)} tokens of the base have another id there, such as {min(differing)!r}"
            raise UsageError(f"{checkpoint}: {what}", "Name the base that it was trained from.")


def _losses(
    student: Student, rows: Sequence[Encoded], request: Request, title: str
) -> tuple[list[Floats], CheckResult]:
    """The losses (C,) of each row's scored tokens, and how they were computed."""
    refuse_unfit(rows, student.model, title)
    budget = request.batch_tokens or (TOKENS_ON_CPU if student.device.type == "cpu" else TOKENS_ELSEWHERE)
    batcher, way = check(student, [(row,) for row in rows], budget)
    if way.mode == "full":
        budget = min(budget, MOST_LOGITS // student.model.get_input_embeddings().weight.shape[0])
    batcher = replace(batcher, token_budget=budget, plain_rows=MOST_ROWS)
    found: list[Floats] = [np.empty(0)] * len(rows)
    bar = None if request.quiet else Bar(title, len(rows))
    try:
        for done, (index, losses) in enumerate(_by_batches(student, batcher, rows), start=1):
            if not np.isfinite(losses).all():
                raise RunError(f"{rows[index].row_id}: the {title} loss of a token is no finite number", "")
            found[index] = losses
            if bar is not None:
                bar.show(done, f"{title}: {done}/{len(rows)} examples")
    finally:
        if bar is not None:
            bar.close()
    return found, way


def _by_batches(student: Student, batcher: Batcher, rows: Sequence[Encoded]) -> Iterator[tuple[int, Floats]]:
    """(index of a row, its losses), a batch at a time; those of one schema follow each other."""
    order = sorted(range(len(rows)), key=lambda index: rows[index].schema_id)
    for start in range(0, len(order), WINDOW):
        window = order[start : start + WINDOW]
        batches, places = batcher.micro_batches([(rows[index],) for index in window])
        indices = iter([window[place] for place in places])
        for batch in batches:
            losses = token_losses(student.model, batch.to(student.device)).double().cpu().numpy()
            for part in np.split(losses, np.flatnonzero(np.diff(batch.rows.numpy())) + 1):
                yield next(indices), part


def _table(rows: Sequence[Encoded], baseline: list[Floats], finetuned: list[Floats] | None = None) -> TokenLosses:
    counts = [len(row.roles) for row in rows]
    return TokenLosses(
        examples=np.repeat(np.arange(len(rows)), counts),
        places=np.concatenate([np.arange(count) for count in counts]),
        roles=np.concatenate([row.roles for row in rows]),
        baseline=np.concatenate(baseline),
        finetuned=None if finetuned is None else np.concatenate(finetuned),
    )
