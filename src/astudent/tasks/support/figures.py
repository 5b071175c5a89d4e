"""How good the answers to support messages are: valid JSON, schema compliance, intents, fields; by trap."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from astudent.language.serialise import dumps
from astudent.language.validation import validator_for

ALL, PLAIN = "all", "plain"
Json = Any


class Sample(NamedTuple):
    """One message: its known answer, the student's (None where it did not parse), the schema and the row's trap."""

    known: dict[str, Json]
    answer: dict[str, Json] | None
    schema: dict[str, Json]
    trap: str | None = None


@dataclass
class Figures:
    """Counts over samples; an answer that did not parse is wrong in everything.

    `fields` counts the known answers' keys, `fields_right` those of which the answer has the same value. `intent`,
    `other_intents` (same members, same order) and `exact` count samples.
    """

    samples: int = 0
    valid_json: int = 0
    schema_compliant: int = 0
    intent: int = 0
    other_intents: int = 0
    exact: int = 0
    fields: int = 0
    fields_right: int = 0

    def rates(self) -> dict[str, float | None]:
        """Each count as a share (0 to 1); None where nothing was counted."""
        names = ("valid_json", "schema_compliant", "intent", "other_intents", "exact")
        shares = {f"{name}_rate": _share(getattr(self, name), self.samples) for name in names}
        return shares | {"field_accuracy": _share(self.fields_right, self.fields)}

    def count(self, sample: Sample) -> None:
        """Takes one sample in."""
        answer = sample.answer
        right = {
            key for key in sample.known if answer is not None and key in answer and _same(key, sample.known, answer)
        }
        self.samples += 1
        self.valid_json += answer is not None
        self.schema_compliant += answer is not None and validator_for(sample.schema).is_valid(answer)
        self.intent += "intent" in right
        self.other_intents += "other_intents" in right
        self.exact += answer is not None and right == answer.keys() == sample.known.keys()
        self.fields += len(sample.known)
        self.fields_right += len(right)


def figures(samples: Iterable[Sample]) -> Figures:
    """The figures of all samples together."""
    found = Figures()
    for sample in samples:
        found.count(sample)
    return found


def by_trap(samples: Iterable[Sample]) -> dict[str, Figures]:
    """The figures of all samples, of the plain ones, and of each trap by name."""
    found: dict[str, Figures] = {ALL: Figures(), PLAIN: Figures()}
    for sample in samples:
        for name in (ALL, sample.trap or PLAIN):
            found.setdefault(name, Figures()).count(sample)
    return {name: found[name] for name in [ALL, PLAIN, *sorted(found.keys() - {ALL, PLAIN})]}


def _same(key: str, known: dict[str, Json], answer: dict[str, Json]) -> bool:
    """Equal values, as JSON has them (true is not 1). `missing` is a set, so its order says nothing."""
    one, other = dumps(known[key]), dumps(answer[key])
    if key == "missing" and isinstance(answer[key], list):
        return sorted(map(dumps, known[key])) == sorted(map(dumps, answer[key]))
    return one == other


def _share(count: int, total: int) -> float | None:
    return count / total if total else None
