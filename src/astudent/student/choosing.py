"""How answers are chosen, token by token: the likeliest next one, a drawn one, or the likeliest whole answer of a beam."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from astudent.generation import Generation
from astudent.student.constrain import Constraint
from astudent.student.requests import Request

DROP_SHARE = 0.25
"""Rows that ended leave the batch, and others come in, when there is room for at least this share of it."""


@dataclass
class Asked:
    """A request that is being answered; `place` is its place in the order that was asked."""

    place: int
    request: Request
    seconds: float


@dataclass
class Row:
    """A beginning of an answer. `score` is the log-probability of its tokens, which a beam search keeps; `ended` says of a row that
    stays in the batch that it is complete, which only rows that are one by one do."""

    asked: Asked
    tokens: list[int]
    score: float = 0.0
    ended: bool = False


@dataclass(frozen=True)
class Move:
    """One step of a batch: which rows go on (`parents`; None: all as they stand), each with which token; answers that are
    complete."""

    parents: list[int] | None
    tokens: list[int]
    answers: list[Row]


class OneByOne:
    """Each row is an answer of its own: its next token is the likeliest, or drawn from a generator of its own."""

    def __init__(self, how: Generation, stops: set[int]) -> None:
        self.how, self.stops = how, stops
        self.rows: list[Row] = []
        self.constraint: Constraint | None = None
        self._draws: list[random.Random] = []

    @property
    def size(self) -> int:
        """Requests under way, those that ended and have not left yet included."""
        return len(self.rows)

    def add(self, new: Sequence[Asked]) -> None:
        """Requests after the others; all of a run have a grammar, or none."""
        self.rows += [Row(asked, []) for asked in new]
        self._draws += [random.Random(f"{self.how.seed}\n{asked.request.text}") for asked in new]
        self.constraint = constraint_with(self.constraint, new)

    def advance(self, logits: Tensor) -> Move:
        """The step after logits (B, V)."""
        chosen = self.choose(logits)
        answers: list[Row] = []
        for row, token in zip(self.rows, chosen, strict=True):
            if not row.ended:
                row.tokens.append(token)
                row.ended = token in self.stops or len(row.tokens) == self.how.max_new_tokens
                answers += [row] * row.ended
        running = [i for i, row in enumerate(self.rows) if not row.ended]
        if running and len(self.rows) - len(running) < DROP_SHARE * len(self.rows):
            return Move(None, chosen, answers)
        self.rows = [self.rows[i] for i in running]
        self._draws = [self._draws[i] for i in running]
        if self.constraint is not None:
            self.constraint.keep(running)
        return Move(running, [chosen[i] for i in running], answers)

    def choose(self, logits: Tensor) -> list[int]:
        """Each row's next token from logits (B, V)."""
        if self.constraint is not None:
            logits = self.constraint.mask(logits)
        tokens = logits.argmax(-1).tolist() if self.how.temperature == 0 else self._sample(logits)
        if self.constraint is not None:
            self.constraint.advance(tokens)
        return tokens

    def _sample(self, logits: Tensor) -> list[int]:
        """The smallest set of tokens that holds `top_p` of the mass, and one of it by a uniform draw."""
        shares, order = torch.softmax(logits / self.how.temperature, -1).double().sort(-1, descending=True)
        mass = shares.cumsum(-1)
        inside = (mass - shares) < self.how.top_p
        mass = torch.where(inside, shares, 0.0).cumsum(-1)
        draws = torch.tensor([draw.random() for draw in self._draws], dtype=torch.float64, device=logits.device)
        at = torch.searchsorted(mass, draws[:, None] * mass[:, -1:], right=True)
        at = at.clamp(max=inside.sum(-1, keepdim=True) - 1)
        return order.gather(1, at)[:, 0].tolist()


class BeamSearch:
    """Of each request the `beams` likeliest beginnings; the answer is the likeliest that ended when no beginning is likelier.

    A beginning's score is the sum of its tokens' log-probabilities, not divided by its length. A grammar takes choices away and makes
    none of the others likelier: a beginning that can only go on by words that the model finds absurd falls behind, and a
    wrong field is found out by its value. (Greedy under a grammar cannot turn back.) The score is what transformers' beam
    search has at `length_penalty` 0.
    """

    def __init__(self, how: Generation, stops: set[int]) -> None:
        self.how, self.stops = how, stops
        self.rows: list[Row] = []
        self.constraint: Constraint | None = None
        self._ended: dict[int, Row] = {}  # by place: the likeliest answer so far

    @property
    def size(self) -> int:
        """Requests under way."""
        return len({row.asked.place for row in self.rows})

    def add(self, new: Sequence[Asked]) -> None:
        """Requests after the others; all of a run have a grammar, or none."""
        self.rows += [Row(asked, []) for asked in new]
        self.constraint = constraint_with(self.constraint, new)

    def advance(self, logits: Tensor) -> Move:
        """The step after logits (B, V)."""
        scores = torch.log_softmax(logits, -1)
        if self.constraint is not None:
            scores = self.constraint.mask(scores)
        # so many suffice: all that end, and all that may go on
        most = min(scores.shape[1], self.how.beams + len(self.stops))
        best, tokens = scores.topk(most)
        offered = [list(zip(*pair, strict=True)) for pair in zip(best.tolist(), tokens.tolist(), strict=True)]
        parents: list[int] = []
        rows: list[Row] = []
        answers: list[Row] = []
        for _, beam in groupby(range(len(self.rows)), key=lambda i: self.rows[i].asked.place):
            going_on, answer = self._extend([(i, self.rows[i], offered[i]) for i in beam])
            parents += [parent for parent, _ in going_on]
            rows += [row for _, row in going_on]
            answers += [answer] if answer is not None else []
        stays = parents == list(range(len(self.rows)))
        self.rows = rows
        last = [row.tokens[-1] for row in rows]
        if self.constraint is not None:
            if not stays:
                self.constraint.keep(parents)
            self.constraint.advance(last)
        return Move(None if stays else parents, last, answers)

    def _extend(
        self, beam: Sequence[tuple[int, Row, list[tuple[float, int]]]]
    ) -> tuple[list[tuple[int, Row]], Row | None]:
        """A request's beginnings, each with where it stands and the (log-probability, token) offered -> those that go on, by
        parent, or its answer."""
        asked = beam[0][1].asked
        choices = [
            (row.score + gain, parent, token, row)
            for parent, row, offered in beam
            for gain, token in offered
            if gain > float("-inf")
        ]
        going_on: list[tuple[int, Row]] = []
        for score, parent, token, row in sorted(choices, key=lambda choice: (-choice[0], choice[1:3])):
            ended = self._ended.get(asked.place)
            if len(going_on) == self.how.beams or (ended is not None and ended.score >= score):
                break  # the rest is no likelier, and what goes on only becomes less likely
            longer = Row(asked, [*row.tokens, token], score)
            if token in self.stops:
                self._ended[asked.place] = longer
            else:
                going_on.append((parent, longer))
        if going_on and len(going_on[0][1].tokens) < self.how.max_new_tokens:
            return going_on, None
        cut = going_on[0][1] if going_on else beam[0][1]
        ended = self._ended.pop(asked.place, None)
        return [], cut if ended is None or (going_on and cut.score > ended.score) else ended


def constraint_with(constraint: Constraint | None, new: Sequence[Asked]) -> Constraint | None:
    """The constraint, made at need, with the grammars of new requests taken in."""
    grammars = [asked.request.grammar for asked in new if asked.request.grammar is not None]
    if not grammars:
        return constraint
    constraint = constraint or Constraint()
    constraint.add(grammars)
    return constraint
