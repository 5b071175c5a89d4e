"""Requests and answers in a dialect: queries, and plain look-ups and copies, which are what a query is made of.

While a request is composed, private-use characters mark the places where it has said what the schema has a word for; `Task.ask` takes them out
again and keeps where they stood.
"""

import json
import re
from dataclasses import dataclass
from random import Random
from typing import Any

from astudent.student.pretraining.dialects import KINDS, LISTS, PAIRS, Dialect, Field, Named, choice, closed
from astudent.student.pretraining.phrasings import ARTICLES, MONTHS, NUMERALS, PHRASINGS
from astudent.student.pretraining.words import WordMaker

Json = Any


NAME, FORM, TRUTH = "name", "form", "truth"
"""What a place of a request can tell: which field or value is meant; which relation, junction, way or measure; yes or no."""
TOLD = (NAME, FORM, TRUTH)
FIRST_MARK, LAST_MARK = 0xE000, 0xF8FF
MARKED = re.compile(f"(\\s*)([{chr(FIRST_MARK)}-{chr(LAST_MARK)}])")


@dataclass(frozen=True)
class Example:
    """One request with its answer, serialised as completions are. `told` says what the request has told by a place,
    counted in UTF-8 bytes: by kind (one of TOLD) the word that the schema has for it."""

    query: str
    answer: str
    told: dict[int, dict[str, str]]


def compact_json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Task:
    """One dialect and what is asked in it. `schema` is shared by all its examples."""

    schema: Json

    def __init__(self, rng: Random, words: WordMaker) -> None:
        self.rng, self.words, self.dialect = rng, words, Dialect(rng, words)
        self.marks: list[tuple[str, str]] = []

    def example(self, language: str) -> Example:
        """One request in `language` (`en` or `fr`) with its answer."""
        self.marks.clear()
        text, answer = self.ask(language)
        told: dict[int, dict[str, str]] = {}
        query = ""
        before = 0
        for match in MARKED.finditer(text):
            query += text[before : match.start()]
            kind, word = self.marks[ord(match[2]) - FIRST_MARK]
            told.setdefault(len(query.encode()), {})[kind] = word
            query += match[1]
            before = match.end()
        return Example(query + text[before:], compact_json(answer), told)

    def ask(self, language: str) -> tuple[str, Json]:
        """A request, with its marks, and the answer."""
        raise TypeError(f"{type(self).__name__} asks nothing: take one of TASKS")

    def mark(self, kind: str, word: str) -> str:
        self.marks.append((kind, word))
        return chr(FIRST_MARK + len(self.marks) - 1)

    def call(self, named: Named, language: str) -> str:
        """What people call a field or a value; now and then with an article, or in quotes."""
        label = named.label(language) + self.mark(NAME, named.name)
        manner = self.rng.random()
        if manner < 0.08:
            return self.rng.choice(QUOTES).format(label)
        return self.rng.choice(ARTICLES[language]) + label if manner < 0.33 else label

    def phrase(self, language: str, kind: str, **slots: str) -> str:
        return self.rng.choice(PHRASINGS[language][kind]).format(**slots)

    def joined(self, language: str, texts: list[str], last: str = "last") -> str:
        if len(texts) < 2:
            return texts[0]
        text = ", ".join(texts[:-1]) + self.rng.choice(PHRASINGS[language][last]) + texts[-1]
        return f"({text})" if self.rng.random() < 0.15 else text


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

    def ask(self, language: str) -> tuple[str, Json]:
        fields = self.rng.sample(self.dialect.fields, self.rng.randint(1, len(self.dialect.fields)))
        asked = self.joined(language, [self.call(field, language) for field in fields])
        return self.phrase(language, "pick", l=asked), {self.key: [field.name for field in fields]}


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

    def ask(self, language: str) -> tuple[str, Json]:
        field = self.rng.choice(self.dialect.of_kind("enum"))
        values = self.rng.sample(field.values, self.rng.randint(1, len(field.values)))
        asked = self.joined(language, [self.call(value, language) for value in values])
        answer = {self.dialect.keys["key"]: field.name, self.dialect.keys["operand"]: [value.name for value in values]}
        return self.phrase(language, "values", f=self.call(field, language), l=asked), answer


class CopyTask(Task):
    """Texts and numbers, copied."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.key, self.other = self.dialect.keys["copy"], self.dialect.keys["operand"]
        texts, numbers = ({"type": "array", "items": {"type": kind}} for kind in ("string", "number"))
        self.schema = self.dialect.schema(closed({self.key: texts, self.other: numbers}), {})

    def ask(self, language: str) -> tuple[str, Json]:
        texts = [self.words.literal(self.rng) for _ in range(self.rng.randint(1, 3))]
        numbers = [draw_number(self.rng) for _ in range(self.rng.randint(0, 2))]
        asked = self.joined(language, [*texts, *map(compact_json, numbers)])
        return self.phrase(language, "copy", l=asked), {self.key: texts, self.other: numbers}


class QueryTask(Task):
    """Conditions, sort, limit, group and measure, as far as the dialect has them."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.schema = self.dialect.query_schema()
        self.unasked: list[Field] = []

    def example(self, language: str) -> Example:
        self.unasked = []
        return super().example(language)

    def ask(self, language: str) -> tuple[str, Json]:
        dialect, rng = self.dialect, self.rng
        answer: dict[str, Json] = {}
        texts = []
        if rng.random() < 0.9:
            spoken, answer["filter"] = self.condition(language)
            texts.append(spoken)
        tail = [
            part for part in rng.sample(("sort", "limit", "group"), 3) if getattr(dialect, part) and rng.random() < 0.33
        ]
        if not texts and not tail:
            spoken, answer["filter"] = self.condition(language)
            texts.append(spoken)
        for part in tail:
            spoken, encoded = getattr(self, part)(language)
            texts.append(spoken)
            answer |= encoded
        if rng.random() < 0.25:  # what is done with the rows may be said before which rows
            texts.insert(0, texts.pop())
        spoken = texts[0]
        for text in texts[1:]:
            spoken += (", " if rng.random() < 0.7 else " ") + text
        return self.introduced(language, spoken, 0.5), self.ordered(answer)

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
        joiner = self.rng.choice(PHRASINGS[language][mode])
        spoken = items[0][0]
        for text, _ in items[1:]:
            spoken += joiner + self.mark(FORM, self.dialect.modes[mode]) + text
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
            marked = self.mark(FORM, self.dialect.negation) + spoken
            return self.phrase(language, "not", c=marked), self.dialect.encode_negation(code)
        return spoken, code

    def leaf(self, language: str) -> tuple[str, Json]:
        field = self.next_field()
        relation = self.rng.choice([r for r in KINDS[field.kind] if r in self.dialect.known])
        spoken, operand = self.said(language, field, relation)
        spoken += self.mark(FORM, self.dialect.relations[relation])
        return spoken, self.dialect.encode_leaf(field.name, relation, operand)

    def next_field(self) -> Field:
        """One that the request has not asked about yet, as long as there is one."""
        usable = [field for field in self.dialect.fields if set(KINDS[field.kind]) & self.dialect.known]
        self.unasked = self.unasked or usable
        chosen = self.rng.choice(self.unasked)
        self.unasked = [field for field in self.unasked if field is not chosen]
        return chosen

    def said(self, language: str, field: Field, relation: str) -> tuple[str, Json]:
        """A condition in words, and its operand."""
        label = self.call(field, language)
        if field.kind == "flag":
            wanted = self.rng.random() < 0.6
            spoken = self.phrase(language, "true" if wanted else "false", f=label)
            return spoken + self.mark(TRUTH, compact_json(wanted)), wanted
        if relation in PAIRS:
            (low, first), (high, second) = sorted(self.value(language, field) for _ in range(2))
            return self.phrase(language, relation, f=label, v=first, w=second), [low, high]
        if relation in LISTS:
            values = self.rng.sample(field.values, self.rng.randint(1, min(3, len(field.values))))
            asked = self.joined(language, [self.call(value, language) for value in values], "either")
            return self.phrase(language, relation, f=label, v=asked), [value.name for value in values]
        value, text = self.value(language, field)
        return self.phrase(language, relation, f=label, v=text), value

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
        return chosen.name, self.call(chosen, language)

    # the rest ----------------------------------------------------------------------------------------------------

    def sort(self, language: str) -> tuple[str, Json]:
        field, way = self.rng.choice(self.dialect.of_kind("number")), self.rng.choice(("up", "down"))
        spoken = self.phrase(language, way, f=self.call(field, language)) + self.mark(FORM, self.dialect.ways[way])
        return spoken, {"sort": self.dialect.encode_sort(field.name, way)}

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
        measured = self.phrase(language, fn, f=self.call(number, language) if number else "")
        measured += self.mark(FORM, self.dialect.measures[fn])
        spoken = f"{measured} {self.phrase(language, 'group', f=self.call(field, language))}"
        measure = self.dialect.encode_measure(fn, number.name if number else None)
        return spoken, {"group": self.dialect.encode_group(field.name), "measure": measure}


class LeafTask(QueryTask):
    """One condition: a short schema and short requests, so that a pack holds many."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.schema = self.dialect.leaf_query_schema()

    def ask(self, language: str) -> tuple[str, Json]:
        spoken, code = self.leaf(language)
        return self.introduced(language, spoken, 0.2), {self.dialect.keys["filter"]: code}


class LeavesTask(QueryTask):
    """Two to four conditions in a row: which field goes with which value."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.schema = self.dialect.leaves_query_schema()

    def ask(self, language: str) -> tuple[str, Json]:
        leaves = [self.leaf(language) for _ in range(self.rng.choice((2, 2, 3, 3, 4)))]
        spoken = self.joined(language, [text for text, _ in leaves])
        return self.introduced(language, spoken, 0.3), {self.dialect.keys["filter"]: [code for _, code in leaves]}


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
    "leaves": LeavesTask,
    "pick": PickTask,
    "values": ValuesTask,
    "copy": CopyTask,
}
