"""An answer against the known one, value by value: which are right, by role, and how far wrong strings are off."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from astudent.evaluation.facts import FieldScore
from astudent.json_texts.leaves import Leaf, Place, leaves
from astudent.language.serialise import dumps
from astudent.roles import GrammarRole, RoleAssigner

STRINGS = (GrammarRole.ENUM_VALUE, GrammarRole.FREE_TEXT)
_NO_SCHEMA = RoleAssigner(True)


@dataclass
class RoleScore:
    """Over the values of one role in known answers: how many, and how many the answers have right at the same path."""

    values: int = 0
    right: int = 0


@dataclass
class LeafScores:
    """Sums over samples. `errors` are the edits (characters) that turn the answers' strings into the known ones of
    `characters` characters; a string that is missing costs all of its characters."""

    roles: dict[GrammarRole, RoleScore]
    errors: int = 0
    characters: int = 0

    @property
    def character_error_rate(self) -> float | None:
        """Edits for each character of the known strings; None without any."""
        return self.errors / self.characters if self.characters else None


def values_score(answer: Any, known: Any) -> FieldScore:
    """The values of both, and those that stand at the same path in both: scalars and empty containers; names count
    through the paths only. An answer that did not parse (None) states nothing."""
    wanted = _values(known)
    given = {} if answer is None else _values(answer)
    shared = sum(wanted.get(place) == leaf for place, leaf in given.items())
    return FieldScore(shared, len(given), len(wanted))


def _values(value: Any) -> dict[Place, Leaf]:
    return {place: leaf for place, leaf in leaves(_NO_SCHEMA, dumps(value)).items() if leaf.role is not GrammarRole.KEY}


def leaf_scores(samples: Iterable[tuple[Any, Any, dict[str, Any]]]) -> LeafScores:
    """The scores of (known answer, the student's or None where it did not parse, schema). Paths are compared as written,
    so canonical forms should be given."""
    found = LeafScores(defaultdict(RoleScore))
    for known, answer, schema in samples:
        assigner = RoleAssigner(schema)
        given = {} if answer is None else leaves(assigner, dumps(answer))
        for place, leaf in leaves(assigner, dumps(known)).items():
            if leaf.role is not GrammarRole.KEY:
                _count(found, leaf, given.get(place))
    return found


def _count(found: LeafScores, known: Leaf, given: Leaf | None) -> None:
    score = found.roles[known.role]
    score.values += 1
    score.right += known == given
    if known.role in STRINGS:
        found.characters += len(known.identity[1])
        answered = given.identity[1] if given is not None and given.identity[0] == "str" else ""
        found.errors += Levenshtein.distance(known.identity[1], answered)
