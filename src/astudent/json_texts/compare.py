"""Two sets of JSON texts, aligned -> what changed between them: by path, by role, and in the values' distributions.

Values are compared at the same place of the two texts; in the tables the items of an array share one path (`items[].price`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from astudent.errors import RunError
from astudent.json_texts.leaves import Leaf, Place, leaves
from astudent.json_texts.source import Text
from astudent.json_texts.verdict import LIMITS, judge
from astudent.language.validation import Validator, validator_for
from astudent.roles import GrammarRole, JsonSyntaxError, LimitError, RoleAssigner
from astudent.roles.value import Identity

MAX_SHOWN = 120
"""Characters of a value in an example."""


@dataclass(slots=True)
class SetCounts:
    """Of one set: its texts, those that are JSON, and those that are valid under the schema (None: there is none)."""

    texts: int = 0
    parsed: int = 0
    valid: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One change, with the places of both texts (`FILE:LINE`), at most MAX_SHOWN characters of each value."""

    at: str
    a_where: str
    b_where: str
    a: str
    b: str


@dataclass(slots=True)
class Tally:
    """How many values of one path or role are the same in both sets, changed, or in one of them only."""

    equal: int = 0
    changed: int = 0
    missing_in_a: int = 0
    missing_in_b: int = 0

    @property
    def values(self) -> int:
        """All places with a value in either set."""
        return self.equal + self.changed + self.missing_in_a + self.missing_in_b

    @property
    def share(self) -> float:
        """The share of the values that are not the same in both sets, from 0 to 1."""
        return 1 - self.equal / self.values if self.values else 0.0


@dataclass(slots=True)
class PathTally(Tally):
    """The same of one path and role, with examples and both distributions of its values."""

    examples: list[Example] = field(default_factory=list)
    a_values: Counter[Identity] = field(default_factory=Counter)
    b_values: Counter[Identity] = field(default_factory=Counter)

    @property
    def shift(self) -> float | None:
        """Total variation distance between the distributions, from 0 to 1; None where one set has no value."""
        a_total, b_total = self.a_values.total(), self.b_values.total()
        if not a_total or not b_total:
            return None
        seen = self.a_values.keys() | self.b_values.keys()
        return sum(abs(self.a_values[each] / a_total - self.b_values[each] / b_total) for each in seen) / 2


@dataclass(slots=True)
class Difference:
    """What `diff` found. Of KEY, `missing_in_a` are names that B added, `missing_in_b` those that it lacks."""

    a: SetCounts
    b: SetCounts
    aligned_by: str
    aligned: int
    only_in_a: int
    only_in_b: int
    roles: dict[GrammarRole, Tally] = field(default_factory=dict)
    paths: dict[tuple[str, GrammarRole], PathTally] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether both sets say the same everywhere."""
        return not (self.only_in_a or self.only_in_b or any(tally.share for tally in self.roles.values()))

    def above(self, share: float) -> list[GrammarRole]:
        """The roles whose share of differing values is larger than that."""
        return [role for role, tally in self.roles.items() if tally.share > share]


def diff(
    a: Sequence[Text], b: Sequence[Text], schema: dict[str, Any] | None = None, max_examples: int = 3
) -> Difference:
    """Compares two sets of texts, aligned by their `id` where all have one of their own, else by their order.

    A text that is no JSON has no values: where only one of a pair is, all of the other's values are missing in it.
    RunError for a schema that cannot be used.
    """
    by_id = all(_has_ids(texts) for texts in (a, b))
    pairs = _pairs_by_id(a, b) if by_id else list(zip(a, b, strict=False))
    validator = None if schema is None else validator_for(schema)
    found = Difference(
        _counted(a, validator), _counted(b, validator), "id" if by_id else "order",
        len(pairs), len(a) - len(pairs), len(b) - len(pairs),
    )  # fmt: skip
    assigner = RoleAssigner(True if schema is None else schema, LIMITS)
    for one, other in pairs:
        _compare(found, assigner, one, other, max_examples)
    found.roles = {role: found.roles[role] for role in GrammarRole if role in found.roles}
    return found


def _has_ids(texts: Sequence[Text]) -> bool:
    ids = {text.id for text in texts}
    return bool(texts) and None not in ids and len(ids) == len(texts)


def _pairs_by_id(a: Sequence[Text], b: Sequence[Text]) -> list[tuple[Text, Text]]:
    others = {text.id: text for text in b}
    return [(text, others[text.id]) for text in a if text.id in others]


def _counted(texts: Sequence[Text], validator: Validator | None) -> SetCounts:
    verdicts = [judge(text.text, validator) for text in texts]
    parsed = sum(not any(problem.kind == "syntax" for problem in verdict.problems) for verdict in verdicts)
    valid = None if validator is None else sum(verdict.is_valid for verdict in verdicts)
    return SetCounts(len(texts), parsed, valid)


def _compare(found: Difference, assigner: RoleAssigner, a: Text, b: Text, max_examples: int) -> None:
    a_leaves, b_leaves = _leaves(assigner, a), _leaves(assigner, b)
    for place in dict.fromkeys([*a_leaves, *b_leaves]):
        one, other = a_leaves.get(place), b_leaves.get(place)
        leaf = one or other
        assert leaf is not None
        tally = found.paths.setdefault((leaf.folded, leaf.role), PathTally())
        _tell(tally, one, other)
        _tell(found.roles.setdefault(leaf.role, Tally()), one, other)
        if one != other and len(tally.examples) < max_examples:
            tally.examples.append(Example(place[0], a.where, b.where, _shown(one), _shown(other)))
        if leaf.role is not GrammarRole.KEY:
            tally.a_values.update([one.identity] if one else [])
            tally.b_values.update([other.identity] if other else [])


def _tell(tally: Tally, one: Leaf | None, other: Leaf | None) -> None:
    if one is None:
        tally.missing_in_a += 1
    elif other is None:
        tally.missing_in_b += 1
    elif one == other:
        tally.equal += 1
    else:
        tally.changed += 1


def _shown(leaf: Leaf | None) -> str:
    if leaf is None:
        return ""
    return leaf.text if len(leaf.text) <= MAX_SHOWN else leaf.text[: MAX_SHOWN - 1] + "…"


def _leaves(assigner: RoleAssigner, text: Text) -> dict[Place, Leaf]:
    """The text's leaves; none for a text that is no JSON."""
    try:
        return leaves(assigner, text.text)
    except JsonSyntaxError:
        return {}
    except LimitError as error:
        raise RunError(f"{text.where}: {error.message}", error.hint) from error
