"""The ways in which an exported student may answer, each held against the adapter on its base, which nobody merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from astudent.export.gguf_file import Read
from astudent.export.gguf_vocabulary import GgufTokenizer
from astudent.export.held_out import Prompt
from astudent.export.modelfile import Turn
from astudent.export.proof import Outcome, Way
from astudent.export.served import Reply, Server
from astudent.generation import Generation
from astudent.progress import followed
from astudent.student.generate import Answer, generate
from astudent.student.gguf_model import model_of
from astudent.student.load import Student, assemble, load_base, load_tokenizer
from astudent.student.prompt import chat_format, encode_prompt, render
from astudent.student.token_scores import TokenScores, score

BATCH = 16
"""Answers that the adapter decodes at once."""
IN_FLIGHT = 4
"""Requests that a server is asked at once."""


@dataclass(frozen=True)
class Known:
    """A prompt with the adapter's greedy answer. `content` is what a user sends, `ids` the rendered prompt's tokens, `pieces` the
    texts of the answer's tokens; scores are those of one plain pass."""

    prompt: Prompt
    content: str
    ids: list[int]
    answer: list[int]
    text: str
    pieces: list[str]
    scores: TokenScores
    is_right: bool | None

    @property
    def kind(self) -> str:
        return self.prompt.kind


Ask = Callable[[Known, int], Reply]
"""Asks a server for an answer of at most so many tokens."""


def ask_adapter(student: Student, prompts: Sequence[Prompt], most: int) -> list[Known]:
    """The adapter's greedy answers of at most so many tokens, those to prompts of one schema side by side."""
    groups: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in prompts:
        groups[prompt.content.rpartition("\n")[0]].append(prompt)
    texts = {head: [render(student.tokenizer, p.content) for p in group] for head, group in groups.items()}
    with _multiplied_in(student):
        found = generate(student, texts, Generation(most), batch_size=BATCH)
        answers = list(_followed("answers of the adapter", found, len(prompts)))
    asked = [(p, text) for head, group in groups.items() for p, text in zip(group, texts[head], strict=True)]
    pairs = _followed("the adapter", zip(asked, answers, strict=True), len(prompts))
    return [_known(student, p, text, answer) for (p, text), answer in pairs]


def _followed[T](what: str, items: Iterable[T], total: int) -> Iterator[T]:
    return followed(f"verify: {what}", items, total)


@contextmanager
def _multiplied_in(student: Student) -> Iterator[None]:
    """The adapter inside its base's weights for a while, which makes decoding several times faster. That the answers are also
    the greedy ones of the adapter beside its base, `adapter_way` tells."""
    student.model.merge_adapter()
    try:
        yield
    finally:
        student.model.unmerge_adapter()


def _known(student: Student, prompt: Prompt, rendered: str, given: Answer) -> Known:
    form, tokenizer = chat_format(student.tokenizer), student.tokenizer
    content = rendered.removeprefix(form.before).removesuffix(form.after)
    ids, answer = encode_prompt(tokenizer, rendered), list(given.ids)
    words = answer[:-1] if answer and answer[-1] in form.stop_ids else answer
    pieces = [str(tokenizer.decode([number], clean_up_tokenization_spaces=False)) for number in words]
    scores = score(student.model, ids, answer)
    return Known(prompt, content, ids, answer, given.text, pieces, scores, prompt.judge(given.text))


def adapter_way(known: Sequence[Known]) -> Way:
    """Whether the greedy answers, which are decoded against shared prefixes, are those of a plain pass."""
    return Way("adapter (reference)", [_own(k) for k in known])


def _own(known: Known) -> Outcome:
    right = known.is_right
    return Outcome(True, all(known.scores.is_greedy), [], is_right=right, adapter_is_right=right)


def merged_way(folder: Path, known: Sequence[Known]) -> Way:
    """The merged model with its own tokenizer and chat template, as transformers loads them."""
    tokenizer = load_tokenizer(str(folder))
    model = load_base(str(folder), dtype=torch.float32, kind=AutoModelForCausalLM).eval()
    name = "merged fp32"
    pairs = ((k, encode_prompt(tokenizer, render(tokenizer, k.content))) for k in _followed(name, known, len(known)))
    return Way(name, [_scored(model, k, ids) for k, ids in pairs])


def gguf_way(
    name: str, file: Read, path: Path, turn: Turn, known: Sequence[Known], is_precise: bool, student: Student, most: int
) -> Way:
    """The GGUF read back: its weights, its keys, its vocabulary. The `student`'s tokenizer spells answers of at most `most`
    tokens where they are judged by being right."""
    tokenizer, model = GgufTokenizer(file.keys), model_of(file, path)
    outcomes = [_scored(model, k, tokenizer.encode(turn.prompt(k.content))) for k in _followed(name, known, len(known))]
    return Way(name, outcomes if is_precise else _judged(model, student, known, outcomes, most), is_precise)


def _judged(
    model: Any, student: Student, known: Sequence[Known], outcomes: Sequence[Outcome], most: int
) -> list[Outcome]:
    """Whether the file's own greedy answers are right; where they are the adapter's, its verdict is theirs."""
    own, right = assemble(model, student.tokenizer), [k.is_right for k in known]
    parted = [place for place, o in enumerate(outcomes) if right[place] is not None and not o.same_answer]
    texts = {str(place): [render(student.tokenizer, known[place].content)] for place in parted}
    answers = generate(own, texts, Generation(most), batch_size=BATCH) if texts else ()
    for place, answer in zip(parted, answers, strict=True):
        right[place] = known[place].prompt.judge(answer.text)
    pairs = zip(outcomes, known, right, strict=True)
    return [replace(o, is_right=verdict, adapter_is_right=k.is_right) for o, k, verdict in pairs]


def _scored(model: torch.nn.Module, known: Known, ids: list[int]) -> Outcome:
    rows = model.get_input_embeddings().weight.shape[0]  # pyright: ignore
    if max([*ids, *known.answer]) >= rows:
        return Outcome(False, False, [])
    found = score(model, ids, known.answer)
    parted = found.is_greedy.index(False) if False in found.is_greedy else len(known.answer)
    pairs = zip(found.log_probabilities[: parted + 1], known.scores.log_probabilities, strict=False)
    differences = [abs(theirs - ours) for theirs, ours in pairs]
    return Outcome(ids == known.ids, all(found.is_greedy), differences, is_comparable=bool(known.answer))


def raw_way(server: Server, turn: Turn, known: Sequence[Known], most: int, is_precise: bool) -> Way:
    """The served model on prompts rendered here."""
    return _served_way("Ollama raw", lambda k, most: server.raw(turn.prompt(k.content), most), known, most, is_precise)


def chat_way(server: Server, known: Sequence[Known], most: int, is_precise: bool) -> Way:
    """The served model through its own template."""
    return _served_way("Ollama chat", lambda k, most: server.chat(k.content, most), known, most, is_precise)


def _served_way(name: str, ask: Ask, known: Sequence[Known], most: int, is_precise: bool) -> Way:
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        replies = pool.map(lambda k: _compared(ask, k, most, is_precise), known)
        return Way(name, list(_followed(name, replies, len(known))), is_precise)


def _compared(ask: Ask, known: Known, most: int, is_precise: bool) -> Outcome:
    """A reply that the server broke off is equal as far as it goes, unless it says nothing; its prompt's tokens are counted by
    asking once more."""
    reply = ask(known, most)
    count = ask(known, 1).prompt_tokens if reply.broken_off else reply.prompt_tokens
    theirs, ours = _whole(reply.text), _whole(known.text)
    is_same = bool(reply.text) and ours.startswith(theirs) if reply.broken_off else ours == theirs
    return Outcome(
        count == len(known.ids),
        is_same,
        _differences(reply, known),
        reply.broken_off,
        is_comparable=any(_whole(piece) for piece in known.pieces),
        is_right=None if is_precise else known.prompt.judge(reply.text),
        adapter_is_right=known.is_right,
    )


def _differences(reply: Reply, known: Known) -> list[float]:
    ours = list(zip(known.pieces, known.scores.log_probabilities, strict=False))
    found = []
    for (theirs, their_value), (piece, value) in zip(_spelled(reply.tokens), _spelled(ours), strict=False):
        if theirs.strip() != piece.strip():
            break
        found.append(abs(their_value - value))
    return found


def _spelled(tokens: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The tokens that are characters by themselves: a server tells no bytes of which no character comes."""
    return [(text, value) for text, value in tokens if _whole(text)]


def _whole(text: str) -> str:
    return text.replace("\ufffd", "")
