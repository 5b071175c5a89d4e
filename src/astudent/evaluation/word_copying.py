"""The baseline that copies the words which request and schema share."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from astudent.evaluation.words import words
from astudent.language.vocabulary import FieldInfo, Vocabulary

Ast = dict[str, Any]

QUOTES = "\"\u00ab\u00bb\u201c\u201d\u2018\u2019'"
QUOTED = re.compile(rf"(?<!\w)[{QUOTES}]\s*([^{QUOTES}]+?)\s*[{QUOTES}]")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
REACH = 6  # a literal belongs to a field that was named at most this many words before it


def copy_words(query: str, vocabulary: Vocabulary) -> Ast:
    """An AST of shared words: enum values that the request names, and fields that a literal follows.

    Nothing is understood: the operator is `eq` where the field allows it, else the field's first; several comparisons
    are joined by `and`; a request that names no condition becomes a count of all rows where the schema
    can count.
    """
    tokens = words(query)
    found = [hit for field in vocabulary.fields.values() for hit in _comparisons(field, query, tokens)]
    conditions = [node for _, node in sorted(found, key=lambda hit: hit[0])]
    if not conditions:
        return _nothing_named(vocabulary)
    return {"where": conditions[0] if len(conditions) == 1 else {"and": conditions}}


def _nothing_named(vocabulary: Vocabulary) -> Ast:
    if "count" in vocabulary.functions:
        return {"aggregate": {"function": "count"}}
    if vocabulary.sortable:
        return {"sort": [{"field": vocabulary.sortable[0], "order": "asc"}]}
    return {"limit": 1} if vocabulary.max_limit else {}


def _comparisons(field: FieldInfo, query: str, tokens: Sequence[str]) -> Iterator[tuple[int, Ast]]:
    """(place in the request, comparison) of the field, at most one."""
    if field.values:
        places = [(place, value) for value, labels in field.values if (place := _named(value, labels, tokens)) >= 0]
        literal = min(places, default=None, key=lambda hit: hit[0])
    else:
        place = _named(field.name, field.labels, tokens)
        literal = (place, _literal(field.type, query, tokens[place + 1 :])) if place >= 0 else None
    if literal and literal[1] is not None:
        yield literal[0], _comparison(field, literal[1])


def _comparison(field: FieldInfo, value: Any) -> Ast:
    operator = "eq" if "eq" in field.operators else field.operators[0]
    shaped = {"between": [value, value], "in": [value], "not_in": [value]}.get(operator, value)
    return {"field": field.name, "operator": operator, "value": shaped}


def _named(name: str, labels: Mapping[str, str], tokens: Sequence[str]) -> int:
    """Where the request first says the name or one of its labels; -1 when it does not."""
    places = [_position(words(text), tokens) for text in (name, *labels.values())]
    return min((place for place in places if place >= 0), default=-1)


def _position(phrase: Sequence[str], tokens: Sequence[str]) -> int:
    """Index of the last word of `phrase` in `tokens`; -1 when absent. A final plural s does not matter."""
    wanted = [word.rstrip("s") for word in phrase]
    starts = range(len(tokens) - len(phrase) + 1) if phrase else ()
    hits = (start for start in starts if [t.rstrip("s") for t in tokens[start : start + len(phrase)]] == wanted)
    return next((start + len(phrase) - 1 for start in hits), -1)


def _literal(kind: str, query: str, after: Sequence[str]) -> Any:
    """The first literal of the field's type in the words after its name; None when there is none."""
    near = after[:REACH]
    match kind:
        case "boolean":
            return True
        case "date":
            return next((word for word in near if DATE.fullmatch(word)), None)
        case "number" | "integer":
            return next((_number(word, kind) for word in near if NUMBER.fullmatch(word)), None)
        case _:
            quoted = QUOTED.search(query)
            return quoted.group(1) if quoted else None


def _number(word: str, kind: str) -> float | int:
    value = float(word.replace(",", "."))
    return int(value) if kind == "integer" or value.is_integer() else value
