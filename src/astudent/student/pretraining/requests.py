"""Requests and answers in a dialect: queries, and plain look-ups and copies, which are what a query is made of."""

import json
import re
from dataclasses import dataclass
from random import Random
from typing import Any

from astudent.student.pretraining.dialects import KINDS, LISTS, PAIRS, Dialect, Field, choice, closed
from astudent.student.pretraining.phrasings import MONTHS, NUMERALS, PHRASINGS
from astudent.student.pretraining.words import WordMaker

Json = Any


@dataclass(frozen=True)
class Example:
    """One request with its answer, serialised as completions are."""

    query: str
    answer: str


def compact_json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Task:
    """One dialect and what is asked in it. `schema` is shared by all its examples."""

    schema: Json

    def __init__(self, rng: Random, words: WordMaker) -> None:
        self.rng, self.words, self.dialect = rng, words, Dialect(rng, words)

    def example(self, language: str) -> Example:
        """One request in `language` (`en` or `fr`) with its answer."""
        raise TypeError(f"{type(self).__name__} makes no examples: take one of TASKS")

    def mentions(self, query: str, language: str) -> dict[int, str]:
        """Where each label of the dialect ends in the request, in UTF-8 bytes, and the name that it stands for."""
        named = [*self.dialect.fields, *(value for field in self.dialect.fields for value in field.values)]
        names = {named.label(language).casefold(): named.name for named in named}
        labels = "|".join(re.escape(label) for label in sorted(names, key=len, reverse=True))
        found = re.finditer(rf"(?<!\w)(?:{labels})(?!\w)", query, re.IGNORECASE)
        return {
            len(query[: match.end()].encode()): names[match[0].casefold()]
            for match in found
            if match[0].casefold() in names
        }

    def phrase(self, language: str, kind: str, **slots: str) -> str:
        return self.rng.choice(PHRASINGS[language][kind]).format(**slots)

    def joined(self, language: str, texts: list[str], last: str = "last") -> str:
        if len(texts) < 2:
            return texts[0]
        return ", ".join(texts[:-1]) + self.rng.choice(PHRASINGS[language][last]) + texts[-1]


class PickTask(Task):
    """Fields by what people call them."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        key = self.dialect.keys["pick"]
        names = choice([field.const() for field in self.dialect.fields])
        self.key, self.schema = (
            key,
            self.dialect.schema(closed({key: {"type": "array", "items": names, "minItems": 1}}), {}),
        )

    def example(self, language: str) -> Example:
        fields = self.rng.sample(self.dialect.fields, self.rng.randint(1, len(self.dialect.fields)))
        asked = self.joined(language, [field.label(language) for field in fields])
        return Example(
            self.phrase(language, "pick", l=asked), compact_json({self.key: [field.name for field in fields]})
        )


class ValuesTask(Task):
    """Values of one field by what people call them."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        keys, dialect = self.dialect.keys, self.dialect
        branches = [
            closed(
                {
                    keys["key"]: field.const(),
                    keys["operand"]: {"type": "array", "items": dialect.ref(field.name), "minItems": 1},
                }
            )
            for field in dialect.of_kind("enum")
        ]
        definitions = {name: node for name, node in dialect.field_definitions().items() if name not in KINDS}
        self.schema = dialect.schema(choice(branches, "anyOf"), definitions)

    def example(self, language: str) -> Example:
        field = self.rng.choice(self.dialect.of_kind("enum"))
        values = self.rng.sample(field.values, self.rng.randint(1, len(field.values)))
        asked = self.joined(language, [value.label(language) for value in values])
        answer = {self.dialect.keys["key"]: field.name, self.dialect.keys["operand"]: [value.name for value in values]}
        return Example(self.phrase(language, "values", f=field.label(language), l=asked), compact_json(answer))


class CopyTask(Task):
    """Texts and numbers, copied."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.key, self.other = self.dialect.keys["copy"], self.dialect.keys["operand"]
        texts, numbers = ({"type": "array", "items": {"type": kind}} for kind in ("string", "number"))
        self.schema = self.dialect.schema(closed({self.key: texts, self.other: numbers}), {})

    def example(self, language: str) -> Example:
        texts = [self.words.literal(self.rng) for _ in range(self.rng.randint(1, 3))]
        numbers = [draw_number(self.rng) for _ in range(self.rng.randint(0, 2))]
        asked = self.joined(language, [*texts, *map(compact_json, numbers)])
        return Example(self.phrase(language, "copy", l=asked), compact_json({self.key: texts, self.other: numbers}))


class QueryTask(Task):
    """Conditions, sort, limit, group and measure, as far as the dialect has them."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.schema = self.dialect.query_schema()

    def example(self, language: str) -> Example:
        dialect, rng = self.dialect, self.rng
        answer: dict[str, Json] = {}
        spoken = ""
        if rng.random() < 0.9:
            spoken, answer["filter"] = self.condition(language)
        tail = [
            part for part in rng.sample(("sort", "limit", "group"), 3) if getattr(dialect, part) and rng.random() < 0.33
        ]
        if not spoken and not tail:
            spoken, answer["filter"] = self.condition(language)
        for part in tail:
            text, encoded = getattr(self, part)(language)
            spoken += (", " if rng.random() < 0.7 else " ") * bool(spoken) + text
            answer |= encoded
        return Example(self.introduced(language, spoken, 0.5), compact_json(self.ordered(answer)))

    def introduced(self, language: str, spoken: str, disturbed: float) -> str:
        """The request with an introduction; `disturbed` is the share that begin with words that mean nothing."""
        intro = self.phrase(language, "intro", e=self.dialect.entity.label(language))
        if self.rng.random() < disturbed:
            noise = [self.words.word(self.rng) for _ in range(self.rng.randint(1, 5))]
            intro = " ".join(noise) + self.rng.choice((" ", ", ")) + intro
        query = (intro + spoken).strip()
        return query[0].upper() + query[1:] if self.rng.random() < 0.4 else query

    def ordered(self, answer: dict[str, Json]) -> Json:
        """The parts under their keys, in the schema's order."""
        return {self.dialect.keys[part]: answer[part] for part in [*self.dialect.parts, "measure"] if part in answer}

    # conditions --------------------------------------------------------------------------------------------------

    def condition(self, language: str) -> tuple[str, Json]:
        count = self.rng.choice((1, 1, 2, 2, 2, 3))
        if count == 3 and self.rng.random() < 0.5:
            return self.nested(language)
        return self.group_of(language, [self.term(language) for _ in range(count)], self.mode())

    def mode(self) -> str:
        return "every" if self.rng.random() < 0.6 else "some"

    def group_of(self, language: str, items: list[tuple[str, Json]], mode: str) -> tuple[str, Json]:
        if len(items) == 1:
            return items[0]
        spoken = self.rng.choice(PHRASINGS[language][mode]).join(text for text, _ in items)
        return spoken, self.dialect.encode_junction(mode, [code for _, code in items])

    def nested(self, language: str) -> tuple[str, Json]:
        mode = self.mode()
        spoken, code = self.group_of(
            language, [self.term(language) for _ in range(2)], "some" if mode == "every" else "every"
        )
        items = [self.term(language), (f"({spoken})", code)]
        return self.group_of(language, items[:: self.rng.choice((1, -1))], mode)

    def term(self, language: str) -> tuple[str, Json]:
        spoken, code = self.leaf(language)
        if self.dialect.negated and self.rng.random() < 0.15:
            return self.phrase(language, "not", c=spoken), self.dialect.encode_negation(code)
        return spoken, code

    def leaf(self, language: str) -> tuple[str, Json]:
        field = self.rng.choice([f for f in self.dialect.fields if set(KINDS[f.kind]) & self.dialect.known])
        relation = self.rng.choice([r for r in KINDS[field.kind] if r in self.dialect.known])
        label = field.label(language)
        if field.kind == "flag":
            wanted = self.rng.random() < 0.6
            return self.phrase(language, "true" if wanted else "false", f=label), self.dialect.encode_leaf(
                field.name, relation, wanted
            )
        if relation in PAIRS:
            (low, first), (high, second) = sorted(self.value(language, field) for _ in range(2))
            return self.phrase(language, relation, f=label, v=first, w=second), self.dialect.encode_leaf(
                field.name, relation, [low, high]
            )
        if relation in LISTS:
            values = self.rng.sample(field.values, self.rng.randint(1, min(3, len(field.values))))
            asked = self.joined(language, [value.label(language) for value in values], "either")
            return self.phrase(language, relation, f=label, v=asked), self.dialect.encode_leaf(
                field.name, relation, [v.name for v in values]
            )
        value, text = self.value(language, field)
        return self.phrase(language, relation, f=label, v=text), self.dialect.encode_leaf(field.name, relation, value)

    def value(self, language: str, field: Field) -> tuple[Json, str]:
        """A value of the field, and how it is said."""
        if field.kind == "number":
            number = draw_number(self.rng)
            return number, say_number(self.rng, language, number)
        if field.kind == "date":
            date = (self.rng.randint(1990, 2031), self.rng.randint(1, 12), self.rng.randint(1, 28))
            return "{:04d}-{:02d}-{:02d}".format(*date), say_date(self.rng, language, date)
        if field.kind == "text":
            text = self.words.literal(self.rng)
            return text, self.rng.choice(QUOTES).format(text)
        chosen = self.rng.choice(field.values)
        return chosen.name, chosen.label(language)

    # the rest ----------------------------------------------------------------------------------------------------

    def sort(self, language: str) -> tuple[str, Json]:
        field, way = self.rng.choice(self.dialect.of_kind("number")), self.rng.choice(("up", "down"))
        return self.phrase(language, way, f=field.label(language)), {"sort": self.dialect.encode_sort(field.name, way)}

    def limit(self, language: str) -> tuple[str, Json]:
        number = self.rng.choice((1, 3, 5, 10, 20, 50, self.rng.randint(2, 100)))
        return self.phrase(language, "limit", n=say_number(self.rng, language, number)), {
            "limit": self.dialect.encode_limit(number)
        }

    def group(self, language: str) -> tuple[str, Json]:
        field, fn = (
            self.rng.choice(self.dialect.of_kind("enum")),
            self.rng.choice(("count", "count", "sum", "avg", "min", "max")),
        )
        number = None if fn == "count" else self.rng.choice(self.dialect.of_kind("number"))
        measured = self.phrase(language, fn, f=number.label(language) if number else "")
        spoken = f"{measured} {self.phrase(language, 'group', f=field.label(language))}"
        measure = self.dialect.encode_measure(fn, number.name if number else None)
        return spoken, {"group": self.dialect.encode_group(field.name), "measure": measure}


class LeafTask(QueryTask):
    """One condition: a short schema and short requests, so that a pack holds many."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.schema = self.dialect.leaf_query_schema()

    def example(self, language: str) -> Example:
        spoken, code = self.leaf(language)
        return Example(self.introduced(language, spoken, 0.2), compact_json({self.dialect.keys["filter"]: code}))


class LeavesTask(QueryTask):
    """Two to four conditions in a row: which field goes with which value."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.schema = self.dialect.leaves_query_schema()

    def example(self, language: str) -> Example:
        leaves = [self.leaf(language) for _ in range(self.rng.choice((2, 2, 3, 3, 4)))]
        spoken = self.joined(language, [text for text, _ in leaves])
        answer = {self.dialect.keys["filter"]: [code for _, code in leaves]}
        return Example(self.introduced(language, spoken, 0.3), compact_json(answer))


def draw_number(rng: Random) -> int | float:
    """Small and large, round and odd, sometimes with decimals or a sign."""
    shape = rng.random()
    if shape < 0.12:
        return round(rng.uniform(0, 500), rng.choice((1, 2)))
    if shape < 0.15:
        return -rng.randint(1, 99)
    return rng.choice(
        (
            rng.randint(0, 12),
            rng.randint(10, 99),
            rng.randint(100, 999),
            rng.randint(1, 99) * 50,
            rng.randint(1000, 99999),
        )
    )


def say_number(rng: Random, language: str, number: float) -> str:
    if isinstance(number, int) and 0 <= number <= 12 and rng.random() < 0.25:
        return NUMERALS[language][number]
    text = compact_json(number)
    return text.replace(".", ",") if language == "fr" and rng.random() < 0.5 else text


def say_date(rng: Random, language: str, date: tuple[int, int, int]) -> str:
    year, month, day = date
    name = MONTHS[language][month - 1]
    forms = [f"{year:04d}-{month:02d}-{day:02d}", f"{day} {name} {year}", f"{day} {name} {year}"]
    return rng.choice(
        [*forms, f"{name} {day}, {year}"] if language == "en" else [*forms, f"{day:02d}/{month:02d}/{year:04d}"]
    )


QUOTES = ('"{}"', "'{}'", "« {} »", "“{}”", "{}")
TASKS: dict[str, type[Task]] = {
    "query": QueryTask,
    "leaf": LeafTask,
    "pick": PickTask,
    "values": ValuesTask,
    "copy": CopyTask,
}
