"""What a student's answers to documents are worth: exact, field by field, under the schema, and in their arithmetic."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from astudent.evaluation.facts import FieldScore
from astudent.evaluation.statistics import Interval, wilson
from astudent.json_texts.leaves import Leaf, Place, leaves
from astudent.language.serialise import dumps
from astudent.language.validation import validator_for
from astudent.quality.invariants import Invariants, compile_invariants
from astudent.records import Grade
from astudent.roles import GrammarRole, RoleAssigner
from astudent.roles.value import identity_of

Json = Any


@dataclass(frozen=True)
class Answered:
    """A document's known JSON, and the student's (None where its text did not parse)."""

    known: dict[str, Json]
    answer: dict[str, Json] | None
    schema: dict[str, Json]
    grade: Grade


@dataclass
class Figures:
    """Counts over `samples` answers; an answer that did not parse is none of what is counted.

    `exact`: equal to the known JSON, whatever the order of keys and the form of numbers; the order of arrays counts.
    `compliant`: valid under its schema. `consistent`: compliant, and no declared invariant is broken. `fields`: values
    at the same path, an empty array or object being one value; names count only through the paths.
    """

    samples: int = 0
    exact: int = 0
    compliant: int = 0
    consistent: int = 0
    fields: FieldScore = field(default_factory=lambda: FieldScore(0, 0, 0))

    def rate(self, count: int) -> float | None:
        """A count as a share of the samples; None without any."""
        return count / self.samples if self.samples else None

    def interval(self, count: int) -> Interval:
        """Wilson's 95% interval of a count's share."""
        return wilson(count, self.samples)

    def as_json(self) -> dict[str, Any]:
        """The rates with their intervals, and the fields' precision, recall and F1 (micro averages)."""
        counts = {
            "json_exact": self.exact,
            "schema_compliance": self.compliant,
            "invariants_kept": self.consistent,
        }
        rates = {
            name: {"count": count, "rate": self.rate(count), "interval": [*vars(self.interval(count)).values()]}
            for name, count in counts.items()
        }
        averages = {"precision": self.fields.precision, "recall": self.fields.recall, "f1": self.fields.f1}
        return {"samples": self.samples, **rates, "fields": averages if self.samples else None}


def figures_by_grade(answered: Iterable[Answered]) -> dict[str, Figures]:
    """The figures of each grade that occurs, and of all answers under `all`."""
    found = {"all": Figures()}
    for one in answered:
        for name in ("all", one.grade):
            _count(found.setdefault(name, Figures()), one)
    return found


def field_score(known: Json, answer: Json, schema: dict[str, Json]) -> FieldScore:
    """The values of both, and those that stand at the same path in both; an answer of None states nothing."""
    assigner = RoleAssigner(schema)
    wanted = _values(assigner, known)
    given = {} if answer is None else _values(assigner, answer)
    shared = sum(wanted.get(place) == leaf for place, leaf in given.items())
    return FieldScore(shared, len(given), len(wanted))


def _values(assigner: RoleAssigner, value: Json) -> dict[Place, Leaf]:
    found = leaves(assigner, dumps(value))
    return {place: leaf for place, leaf in found.items() if leaf.role is not GrammarRole.KEY}


def _count(figures: Figures, one: Answered) -> None:
    figures.samples += 1
    score, total = field_score(one.known, one.answer, one.schema), figures.fields
    figures.fields = FieldScore(total.shared + score.shared, total.answered + score.answered, total.known + score.known)
    if one.answer is None:
        return
    figures.exact += identity_of(one.answer) == identity_of(one.known)
    if validator_for(one.schema).is_valid(one.answer):
        figures.compliant += 1
        figures.consistent += not _invariants(dumps(one.schema)).breaches(one.answer)


@lru_cache(maxsize=256)
def _invariants(schema_text: str) -> Invariants:
    return compile_invariants(json.loads(schema_text))
