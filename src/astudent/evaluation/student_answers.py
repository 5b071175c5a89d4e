"""The trained student behind the protocol of phase one: prompts rendered, answers generated, memory given back."""

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from astudent.asking.served import is_served
from astudent.evaluation.answers import Answer, Student
from astudent.evaluation.results import Decoding
from astudent.evaluation.samples import Sample, content_of
from astudent.evaluation.served_student import make_served
from astudent.evaluation.vision_student import load_answering
from astudent.generation import generation_of
from astudent.settings import Config

if TYPE_CHECKING:
    from astudent.student.load import Student as LoadedStudent

BASE = "none"  # the adapter's name that means the base model alone


@contextmanager
def make_student(config: Config, adapter: str, decoding: Decoding) -> Iterator[Student]:
    """The base model with `adapter` (or `none`) on top, or the model `ollama:NAME`; its memory is given back on leaving.

    UsageError or RunError when it cannot be loaded.
    """
    if is_served(adapter):
        with make_served(config, adapter, decoding) as served:
            yield served
        return
    named = None if adapter == BASE else adapter
    load = load_answering if config.training.modality == "vision" else _load_generating
    loaded, student = load(config, named, decoding)
    try:
        yield student
    finally:
        loaded.model = None
        _free()


def _load_generating(
    config: Config, adapter: str | None, decoding: Decoding
) -> tuple["LoadedStudent", "GeneratingStudent"]:
    from astudent.student.lean import make_lean
    from astudent.student.load import load_student

    loaded = load_student(config.training, adapter)
    make_lean(loaded.model)
    return loaded, GeneratingStudent(loaded, config, decoding)


class GeneratingStudent:
    """Answers free, or each under its schema's grammar."""

    def __init__(self, loaded: "LoadedStudent", config: Config, decoding: Decoding) -> None:
        self._loaded = loaded
        self._config = config
        self._decoding: Decoding = decoding
        self._mode: str | None = None

    def answer(self, samples: Sequence[Sample]) -> Iterator[Answer]:
        """One answer for each sample; RunError when a schema cannot be enforced by a grammar."""
        from astudent.student.generate import generate
        from astudent.student.prompt import render

        settings = self._config.evaluation
        texts = [render(self._loaded.tokenizer, content_of(sample, self._config.prompt)) for sample in samples]
        prompts: dict[str, list[str]] = defaultdict(list)
        for sample, text in zip(samples, texts, strict=True):
            prompts[sample.row.schema_id].append(text)
        self._check(prompts)
        schemas = {sample.row.schema_id: sample.row.schema_json for sample in samples}
        answers = generate(
            self._loaded,
            prompts,
            generation_of(settings),
            schemas=schemas if self._decoding == "constrained" else None,
            batch_size=settings.batch_size,
        )
        for text, a in zip(texts, answers, strict=True):
            yield Answer(text, a.text, a.prompt_tokens, a.tokens, "length" if a.truncated else "stop", a.seconds)

    def facts(self) -> dict[str, Any]:
        """`prefixes`: whether answers came from `shared` prefixes or by transformers' own generate (`plain`); None when nothing was asked."""
        return {"prefixes": self._mode}

    def _check(self, prompts: Mapping[str, Sequence[str]]) -> None:
        """The first requests asked tell whether their prefix may be shared."""
        from astudent.student.selfcheck import check_answers

        if self._mode is None and prompts:
            found = check_answers(self._loaded, prompts, shared=self._config.evaluation.shared_prefixes)
            self._mode = found.mode
            print(f"07: prefixes {found.mode}: {found.reason}", flush=True)


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
