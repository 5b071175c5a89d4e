"""Which unseen schemas have names that a student can never have met: no row it was trained on and no other text says them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from astudent.language.vocabulary import read_vocabulary
from astudent.records import DatasetRow

WORD = re.compile(r"[^\W_]+")
Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """Unseen schemas by id: `unmet` have no name that is met anywhere, `met` says which names of the others are, and where."""

    unmet: frozenset[str]
    met: dict[str, dict[str, str]]


def names_met(rows: Iterable[DatasetRow], elsewhere: Iterable[str]) -> Verdict:
    """Looks for the field and value names of the test_unseen schemas graded `new`, word by word and whatever the case.

    In the schemas and the requests of all rows of other splits, and in the texts `elsewhere`.
    """
    unseen: dict[str, Any] = {}
    others: dict[str, Any] = {}
    requests: list[str] = []
    for row in rows:
        if row.split != "test_unseen":
            others[row.schema_id] = row.schema_json
            requests.append(row.query)
        elif row.names == "new":
            unseen[row.schema_id] = row.schema_json
    names = {schema_id: read_vocabulary(schema).names for schema_id, schema in unseen.items()}
    wanted = {words(name) for of_schema in names.values() for name in of_schema}
    places = {
        "a schema": found_in((text for schema in others.values() for text in texts_of(schema)), wanted),
        "a request": found_in(requests, wanted),
        "pre-training": found_in(elsewhere, wanted),
    }
    met: dict[str, dict[str, str]] = defaultdict(dict)
    for schema_id, of_schema in names.items():
        for name in sorted(of_schema):
            where = [place for place, phrases in places.items() if words(name) in phrases]
            if where:
                met[schema_id][name] = " and ".join(where)
    return Verdict(frozenset(names) - frozenset(met), dict(met))


def texts_of(schema: Any) -> Iterator[str]:
    """Names, and what people call them."""
    vocabulary = read_vocabulary(schema)
    yield from (vocabulary.title, *vocabulary.labels.values(), *vocabulary.names)
    for field in vocabulary.fields.values():
        yield from field.labels.values()
        yield from (label for _, labels in field.values for label in labels.values())


def words(text: str) -> Phrase:
    return tuple(WORD.findall(text.casefold()))


def found_in(texts: Iterable[str], wanted: set[Phrase]) -> set[Phrase]:
    """Those of the wanted phrases that some text has as whole words."""
    lengths = {len(phrase) for phrase in wanted}
    found: set[Phrase] = set()
    for text in texts:
        said = words(text)
        for length in lengths:
            found.update({said[at : at + length] for at in range(len(said) - length + 1)} & wanted)
    return found
