"""Pre-training batches: packs of fixed length, each one schema with several requests that share it.

Segment 0 is the shared prefix, segments 1..K are requests with their answers, PADDING fills up. A token sees the prefix and its own segment.
The batch of a step is a function of (seed, step) alone, so that a run that is stopped and resumed sees the same data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import torch
from sentencepiece import SentencePieceProcessor
from torch import Tensor

from astudent.language.notation import render_compact
from astudent.student.pretraining.marks import FORM, REST, SPELLED, TOLD, Example
from astudent.student.pretraining.requests import TASKS, Task
from astudent.student.pretraining.words import WordMaker

PADDING = 255
NOTHING = -100
BOS, START, END = 2, 5, 6  # <bos>, <start_of_turn>, <end_of_turn>


@dataclass(frozen=True)
class Pack:
    """B packs of T tokens. `supervised` marks the tokens whose prediction counts: answers and their ends of turn."""

    ids: Tensor  # (B, T)
    segments: Tensor  # (B, T)
    positions: Tensor  # (B, T), in the row's own order: every request continues the prefix
    supervised: Tensor  # (B, T), bool
    told: Tensor  # (B, T, len(TOLD)): where a request has told something, the first token of the schema's word for it (the second for REST); NOTHING elsewhere
    sources: Tensor  # (N, 3): pack, token before which an answer repeats something, token of the request that says it


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
        packs = [self._pack(rng, task, language) for _ in range(size)]
        *columns, sources = zip(*packs, strict=True)
        ids, segments, positions, supervised, told = (torch.tensor(column) for column in columns)
        places = [(pack, *place) for pack, found in enumerate(sources) for place in found]
        return Pack(ids, segments, positions, supervised.bool(), told, torch.tensor(places))

    def _pack(self, rng: Random, name: str | None, language: str | None) -> "Columns":
        while True:
            task = TASKS[name or rng.choices(list(self.shares), list(self.shares.values()))[0]](rng, self.words)
            prefix = [*self.opening, *self.tokenizer.encode(render_compact(task.schema) + "\n")]
            if len(prefix) < 0.7 * self.length:
                return self._fill(rng, task, prefix, language)

    def _fill(self, rng: Random, task: Task, prefix: list[int], language: str | None) -> "Columns":
        ids, segments = list(prefix), [0] * len(prefix)
        positions, supervised = list(range(len(prefix))), [False] * len(prefix)
        silence = [NOTHING] * len(TOLD)
        told = [silence] * len(prefix)
        sources: list[tuple[int, int]] = []
        for segment in range(1, PADDING):
            spoken = language or ("fr" if rng.random() < self.french else "en")
            example = task.example(spoken)
            said, repeated = self._pieces(example.query), self._pieces(example.answer)
            asked = [*(piece for piece, _, _ in said), *self.closing]
            answer = [*(piece for piece, _, _ in repeated), END]
            row = asked + answer
            if len(ids) + len(row) > self.length:
                break
            first = len(ids)
            sources += [
                (first + len(asked) + at - 1, first + source) for at, source in self._sources(example, said, repeated)
            ]
            ids += row
            segments += [segment] * len(row)
            positions += range(len(prefix), len(prefix) + len(row))
            supervised += [False] * len(asked) + [True] * len(answer)
            told += [self._first_tokens(example.told.get(end, {})) for _, _, end in said]
            told += [silence] * (len(row) - len(said))
        rest = self.length - len(ids)
        return (
            ids + [0] * rest,
            segments + [PADDING] * rest,
            positions + [0] * rest,
            supervised + [False] * rest,
            told + [silence] * rest,
            sources,
        )

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
Columns = tuple[list[int], list[int], list[int], list[bool], list[list[int]], list[tuple[int, int]]]
