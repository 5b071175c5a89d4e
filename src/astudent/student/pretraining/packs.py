"""Pre-training batches: packs of at most a set length, each one schema with several requests that share it.

The batch of a step is a function of (seed, step) alone, so that a run that is stopped and resumed sees the same data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import torch
from sentencepiece import SentencePieceProcessor
from torch import Tensor

from astudent.language.notation import render_compact
from astudent.student.attention import Group, PackLayout
from astudent.student.pretraining.marks import FORM, REST, SPELLED, TOLD, Example
from astudent.student.pretraining.queries import TASKS
from astudent.student.pretraining.tasks import Task
from astudent.student.pretraining.words import WordMaker

NOTHING = -100
BOS, START, END = 2, 5, 6  # <bos>, <start_of_turn>, <end_of_turn>


@dataclass(frozen=True)
class Pack:
    """The N tokens of one step: schemas, each followed by the requests that share it. `supervised` marks the tokens whose prediction counts: answers and
    their ends of turn."""

    ids: Tensor  # (N,)
    rows: Tensor  # (N,): the request that a token belongs to, counted over the step from 1; 0 in a schema
    positions: Tensor  # (N,), in the row's own order: every request continues its schema
    supervised: Tensor  # (N,), bool
    told: Tensor  # (N, len(TOLD)): where a request has told something, the first token of the schema's word for it (the second for REST); NOTHING elsewhere
    sources: (
        Tensor  # (M, 2), ascending: token before which an answer repeats something, token of the request that says it
    )
    layout: PackLayout


@dataclass(frozen=True)
class Request:
    """One request with its answer, the last `answer` tokens; places count from its own first token."""

    ids: list[int]
    answer: int
    told: list[list[int]]
    sources: list[tuple[int, int]]


@dataclass
class Columns:
    """What a `Pack` is made of, while it grows."""

    ids: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    supervised: list[bool] = field(default_factory=list)
    told: list[list[int]] = field(default_factory=list)
    sources: list[tuple[int, int]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def add(self, ids: list[int], row: int, first: int, told: Sequence[list[int]] = (), supervised: int = 0) -> None:
        """Tokens of one schema or request, from position `first` on; the last `supervised` of them count."""
        silence = [[NOTHING] * len(TOLD)] * (len(ids) - len(told))
        self.ids += ids
        self.rows += [row] * len(ids)
        self.positions += range(first, first + len(ids))
        self.supervised += [False] * (len(ids) - supervised) + [True] * supervised
        self.told += [*told, *silence]

    def pack(self) -> Pack:
        return Pack(
            ids=torch.tensor(self.ids),
            rows=torch.tensor(self.rows),
            positions=torch.tensor(self.positions),
            supervised=torch.tensor(self.supervised),
            told=torch.tensor(self.told),
            sources=torch.tensor(self.sources),
            layout=PackLayout(self.groups),
        )


class PackMaker:
    """Draws dialects and packs them. `shares` weighs the tasks by name."""

    def __init__(
        self,
        tokenizer: SentencePieceProcessor,
        words: WordMaker,
        instruction: str,
        length: int,
        shares: dict[str, float],
        french: float = 0.5,
    ) -> None:
        self.tokenizer, self.words, self.length, self.shares, self.french = tokenizer, words, length, shares, french
        self.opening = [BOS, START, *tokenizer.encode(f"user\n{instruction}\n")]
        self.closing = [END, *tokenizer.encode("\n"), START, *tokenizer.encode("model\n")]

    def batch(self, rng: Random, size: int, task: str | None = None, language: str | None = None) -> Pack:
        """`size` schemas, each with as many requests as `length` tokens hold."""
        columns = Columns()
        for _ in range(size):
            self._add_schema(rng, columns, task, language)
        return columns.pack()

    def _add_schema(self, rng: Random, columns: Columns, name: str | None, language: str | None) -> None:
        requests: list[Request] = []
        while not requests:
            task = TASKS[name or rng.choices(list(self.shares), list(self.shares.values()))[0]](rng, self.words)
            prefix = [*self.opening, *self.tokenizer.encode(render_compact(task.schema) + "\n")]
            requests = self._requests(rng, task, self.length - len(prefix), language)
        start, last = len(columns.ids), max(columns.rows, default=0)
        columns.add(prefix, 0, 0)
        for row, request in enumerate(requests, last + 1):
            first = len(columns.ids)
            columns.sources += [(first + before, first + source) for before, source in request.sources]
            columns.add(request.ids, row, len(prefix), request.told, request.answer)
        columns.groups.append(Group.build(start, len(prefix), [len(request.ids) for request in requests]))

    def _requests(self, rng: Random, task: Task, room: int, language: str | None) -> list[Request]:
        """As many as `room` tokens hold; none in less than three tenths of a pack, where long ones would never come."""
        found: list[Request] = []
        while room > 0.3 * self.length or found:
            request = self._request(task.example(language or ("fr" if rng.random() < self.french else "en")))
            room -= len(request.ids)
            if room < 0:
                break
            found.append(request)
        return found

    def _request(self, example: Example) -> Request:
        said, repeated = self._pieces(example.query), self._pieces(example.answer)
        asked = [*(piece for piece, _, _ in said), *self.closing]
        answer = [*(piece for piece, _, _ in repeated), END]
        sources = [(len(asked) + at - 1, source) for at, source in self._sources(example, said, repeated)]
        told = [self._first_tokens(example.told.get(end, {})) for _, _, end in said]
        return Request(asked + answer, len(answer), told, sources)

    @staticmethod
    def _sources(example: Example, said: list["Piece"], repeated: list["Piece"]) -> Iterator[tuple[int, int]]:
        """Tokens of the answer and those of the request that they repeat; what is copied letter by letter token by token."""
        begins, ends = ({piece[edge]: place for place, piece in enumerate(said)} for edge in (1, 2))
        for place, (_, begin, _) in enumerate(repeated):
            source = example.sources.get(begin)
            if source and source.kind != SPELLED:
                yield place, ends[source.at]
                if source.kind == FORM:
                    yield place + 1, ends[source.at]
            elif source:
                there = begins[source.at]
                for step, (mine, theirs) in enumerate(zip(repeated[place:], said[there:], strict=False)):
                    if mine[0] != theirs[0]:
                        break
                    yield place + step, there + step

    def _pieces(self, text: str) -> list["Piece"]:
        """Each token with its begin and end in UTF-8 bytes."""
        pieces = self.tokenizer.encode(text, return_type="proto").pieces
        return [(piece.id, piece.begin, piece.end) for piece in pieces]

    def _first_tokens(self, told: dict[str, str]) -> list[int]:
        return [
            self.tokenizer.encode(f'{told[kind]}"')[int(kind == REST)] if kind in told else NOTHING for kind in TOLD
        ]


Piece = tuple[int, int, int]
