"""An answer against the known one, value by value: which are right, by role, and how far wrong strings are off."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import Levenshtein

from astudent.evaluation.facts import FieldScore
from astudent.json_texts.leaves import Leaf, Place, leaves
from astudent.language.serialise import dumps
from astudent.roles import GrammarRole, RoleAssigner

_NO_SCHEMA = RoleAssigner(True)


@dataclass
class RoleScore:
    """Over the values of one role in known answers: how many, and how many the answers have right at the same path."""

    values: int = 0
    right: int = 0


@dataclass(frozen=True)
class StringScore:
    """`errors` are the edits (characters) that turn the answer's strings into the known ones of `characters` characters;
    a string that is missing costs all of its characters, one that is too much nothing. Scores of samples add up."""

    errors: int = 0
    characters: int = 0

    def __add__(self, other: "StringScore") -> "StringScore":
        return StringScore(self.errors + other.errors, self.characters + other.characters)

    @property
    def rate(self) -> float | None:
        """The character error rate: edits for each character of the known strings; None without any."""
        return self.errors / self.characters if self.characters else None


@dataclass
class LeafScores:
    """Sums over samples."""

    roles: dict[GrammarRole, RoleScore]
    strings: StringScore = field(default_factory=StringScore)

    @property
    def character_error_rate(self) -> float | None:
        """Edits for each character of the known strings; None without any."""
        return self.strings.rate


def values_score(answer: Any, known: Any) -> FieldScore:
    """The values of both, and those that stand at the same path in both: scalars and empty containers; names count
    through the paths only. An answer that did not parse (None) states nothing."""
    wanted = _values(known)
    given = {} if answer is None else _values(answer)
    shared = sum(wanted.get(place) == leaf for place, leaf in given.items())
    return FieldScore(shared, len(given), len(wanted))


def string_score(answer: Any, known: Any) -> StringScore:
    """The strings among the values of `known`, against what stands at the same path of `answer` (None: it did not parse)."""
    given = {} if answer is None else _values(answer)
    wanted = {place: leaf.identity[1] for place, leaf in _values(known).items() if _is_string(leaf)}
    answered = {place: leaf.identity[1] for place, leaf in given.items() if _is_string(leaf)}
    errors = sum(Levenshtein.distance(text, answered.get(place, "")) for place, text in wanted.items())
    return StringScore(errors, sum(map(len, wanted.values())))


def _is_string(leaf: Leaf) -> bool:
    return leaf.identity[0] == "str"


def _values(value: Any) -> dict[Place, Leaf]:
    return {place: leaf for place, leaf in leaves(_NO_SCHEMA, dumps(value)).items() if leaf.role is not GrammarRole.KEY}


def leaf_scores(samples: Iterable[tuple[Any, Any, dict[str, Any]]]) -> LeafScores:
    """The scores of (known answer, the student's or None where it did not parse, schema). Paths are compared as written,
    so canonical forms should be given."""
    found = LeafScores(defaultdict(RoleScore))
    for known, answer, schema in samples:
        assigner = RoleAssigner(schema)
        given = {} if answer is None else leaves(assigner, dumps(answer))
        found.strings += string_score(answer, known)
        for place, leaf in leaves(assigner, dumps(known)).items():
            if leaf.role is not GrammarRole.KEY:
                score = found.roles[leaf.role]
                score.values += 1
                score.right += leaf == given.get(place)
    return found
