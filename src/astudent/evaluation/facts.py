"""An AST as a bag of small facts, so that an answer with one wrong operator scores between nothing and all.

A comparison states three facts: where its field stands, the operator on that field, the value under that operator. An
order that carries meaning (sort keys, the two ends of a range) is part of the fact; the order of arguments of `and`
and `or` is not.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from astudent.language.canonical import canonical

Ast = dict[str, Any]
Fact = tuple[str, ...]


@dataclass(frozen=True)
class FieldScore:
    """Counts, from which precision, recall and F1 follow; counts of several samples add up to a micro average."""

    shared: int
    answered: int
    known: int

    @property
    def precision(self) -> float:
        """Share of the answer's facts that are right; 1 when both sides state nothing."""
        return self.shared / self.answered if self.answered else float(not self.known)

    @property
    def recall(self) -> float:
        """Share of the known facts that the answer states; 1 when both sides state nothing."""
        return self.shared / self.known if self.known else float(not self.answered)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two, 0 when both are 0."""
        total = self.answered + self.known
        return 2 * self.shared / total if total else 1.0


def field_score(answer: Ast | None, known: Ast) -> FieldScore:
    """Compares the canonical forms of two ASTs fact by fact; an answer that did not parse (None) states nothing."""
    given = Counter(facts(canonical(answer))) if answer is not None else Counter[Fact]()
    wanted = Counter(facts(canonical(known)))
    return FieldScore((given & wanted).total(), given.total(), wanted.total())


def facts(ast: Ast) -> Iterator[Fact]:
    """All facts of an AST, with repetitions. Keys that the language does not know count as plain paths."""
    for key, value in ast.items():
        if key == "where":
            yield from _condition_facts(value, ())
        elif key == "sort" and isinstance(value, list):
            yield from (("sort", str(rank), _text(item)) for rank, item in enumerate(value))
        elif key == "aggregate" and isinstance(value, dict):
            yield from (("aggregate", part, _text(inner)) for part, inner in value.items())
        elif key == "group_by" and isinstance(value, list):
            yield from (("group_by", _text(field)) for field in value)
        else:
            yield (key, _text(value))


def _condition_facts(node: Any, scope: Fact) -> Iterator[Fact]:
    """Facts of a condition; `scope` names the connectives above it, outermost first."""
    connective = _connective(node)
    if not connective:
        yield from _comparison_facts(node, scope)
        return
    arguments = node[connective] if isinstance(node[connective], list) else [node[connective]]
    for argument in arguments:
        yield from _condition_facts(argument, (*scope, connective))


def _connective(node: Any) -> str | None:
    if not isinstance(node, dict):
        return None
    return next((key for key in ("and", "or", "not") if key in node), None)


def _comparison_facts(node: Any, scope: Fact) -> Iterator[Fact]:
    if not isinstance(node, dict):
        yield ("where", *scope, _text(node))
        return
    field, operator = _text(node.get("field")), _text(node.get("operator"))
    yield ("field", *scope, field)
    yield ("operator", field, operator)
    yield from (("value", field, operator, value) for value in _values(node))


def _values(node: Ast) -> Iterator[str]:
    value = node.get("value")
    if not isinstance(value, list):
        yield _text(value)
    elif node.get("operator") == "between":
        yield from (f"{end}:{_text(item)}" for end, item in enumerate(value))
    else:
        yield from map(_text, value)


def _text(value: Any) -> str:
    """One form for a value: 5 and 5.0 are one number, keys are sorted."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
