"""Requests and answers in a dialect: queries, and plain look-ups and copies, which are what a query is made of."""

import re
from collections.abc import Sequence
from random import Random
from typing import Any

from astudent.student.pretraining.dialects import KINDS, LISTS, PAIRS, Dialect, Field, Named, choice, closed
from astudent.student.pretraining.marks import BARE, FORM, NAME, SPELLED, TRUTH, WORD, Example, Marks, compact_json
from astudent.student.pretraining.phrasings import ARTICLES, MONTHS, NUMERALS, PHRASINGS
from astudent.student.pretraining.words import WordMaker

Json = Any


class Task:
    """One dialect and what is asked in it. `schema` is shared by all its examples."""

    schema: Json

    def __init__(self, rng: Random, words: WordMaker) -> None:
        self.rng, self.words, self.dialect = rng, words, Dialect(rng, words)
        self.marks = Marks()

    def example(self, language: str) -> Example:
        """One request in `language` (`en` or `fr`) with its answer."""
        self.marks = Marks()
        return self.marks.example(*self.ask(language))

    def ask(self, language: str) -> tuple[str, Json]:
        """A request, with its marks, and the answer."""
        raise TypeError(f"{type(self).__name__} asks nothing: take one of TASKS")

    def form(self, word: str) -> tuple[str, str]:
        """A mark behind what tells the schema's `word`, and the word as the answer has it."""
        mark = self.marks.new(FORM, word)
        return mark, mark + word

    def call(self, named: Named, language: str) -> tuple[str, str]:
        """What people call a field or a value, and its name as the answer has it."""
        mark = self.marks.new(NAME, named.name)
        return self.adorned(named.label(language) + mark, language), mark + named.name

    def adorned(self, label: str, language: str) -> str:
        """Now and then with an article, or in quotes."""
        manner = self.rng.random()
        if manner < 0.08:
            return self.rng.choice(QUOTES).format(label)
        return self.rng.choice(ARTICLES[language]) + label if manner < 0.33 else label

    def number(self, language: str, number: float, words: bool = True) -> tuple[str, Json]:
        """How a number is said, and what the answer has for it."""
        digits = compact_json(number)
        if words and isinstance(number, int) and 0 <= number <= 12 and self.rng.random() < 0.25:
            mark = self.marks.new(WORD)
            return NUMERALS[language][number] + mark, mark + BARE + digits
        mark = self.marks.new(SPELLED)
        said = digits.replace(".", ",") if language == "fr" and self.rng.random() < 0.5 else digits
        return mark + said, mark + BARE + digits

    def phrase(self, language: str, kind: str, denial: str = "", **slots: str) -> str:
        """A phrasing with its slots filled; with `denial`, one that can be denied, and that mark behind what denies it."""
        texts = PHRASINGS[language][kind]
        chosen = self.rng.choice([text for text in texts if "[" in text] if denial else texts)
        said = re.sub(r"\[([^|]*)\|([^\]]*)\]", lambda choice: choice[2] + denial if denial else choice[1], chosen)
        return said.format(**slots)

    def joined(self, language: str, texts: Sequence[str], last: str = "last") -> str:
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
        labels, names = zip(*(self.call(field, language) for field in fields), strict=True)
        return self.phrase(language, "pick", l=self.joined(language, labels)), {self.key: names}


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
        labels, names = zip(*(self.call(value, language) for value in values), strict=True)
        label, name = self.call(field, language)
        answer = {self.dialect.keys["key"]: name, self.dialect.keys["operand"]: names}
        return self.phrase(language, "values", f=label, l=self.joined(language, labels)), answer


class CopyTask(Task):
    """Texts and numbers, copied."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        super().__init__(rng, words)
        self.key, self.other = self.dialect.keys["copy"], self.dialect.keys["operand"]
        texts, numbers = ({"type": "array", "items": {"type": kind}} for kind in ("string", "number"))
        self.schema = self.dialect.schema(closed({self.key: texts, self.other: numbers}), {})

    def ask(self, language: str) -> tuple[str, Json]:
        texts = [self.marks.new(SPELLED) + self.words.literal(self.rng) for _ in range(self.rng.randint(1, 3))]
        numbers = [self.number(language, draw_number(self.rng), words=False) for _ in range(self.rng.randint(0, 2))]
        asked = self.joined(language, [*texts, *(said for said, _ in numbers)])
        return self.phrase(language, "copy", l=asked), {self.key: texts, self.other: [code for _, code in numbers]}


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
        forms = [self.form(self.dialect.modes[mode]) for _ in items]
        before, joiner = "", self.rng.choice(PHRASINGS[language][mode])
        if self.rng.random() < 0.15:
            before, joiner = self.phrase(language, "all_of" if mode == "every" else "any_of") + forms[0][0], "; "
            forms = forms[:1] * len(items)
        spoken = before + items[0][0]
        for (text, _), (mark, _) in zip(items[1:], forms, strict=False):
            spoken += joiner + mark * (not before) + text
        return spoken, self.dialect.encode_junction(forms[0][1], [code for _, code in items])

    def nested(self, language: str) -> tuple[str, Json]:
        mode = self.mode()
        spoken, code = self.group_of(
            language, [self.term(language) for _ in range(2)], "some" if mode == "every" else "every"
        )
        items = [self.term(language), (f"({spoken})", code)]
        return self.group_of(language, items[:: self.rng.choice((1, -1))], mode)

    def term(self, language: str) -> tuple[str, Json]:
        manner = self.rng.random() if self.dialect.negated else 1.0
        if manner > 0.2:
            return self.leaf(language)
        if manner > 0.1:
            return self.leaf(language, denied=True)
        spoken, code = self.leaf(language)
        mark, word = self.form(self.dialect.negation)
        return self.phrase(language, "not", c=mark + spoken), self.dialect.encode_negation(word, code)

    def leaf(self, language: str, denied: bool = False) -> tuple[str, Json]:
        """One condition; `denied` only where the relation has a phrasing that can be."""
        field = self.next_field()
        relation = self.rng.choice([r for r in KINDS[field.kind] if r in self.dialect.known])
        label, name = self.call(field, language)
        denied = denied and field.kind != "flag" and any("[" in text for text in PHRASINGS[language][relation])
        denial, negation = self.form(self.dialect.negation) if denied else ("", "")
        spoken, operand = self.said(language, field, label, relation, denial)
        mark, word = self.form(self.dialect.relations[relation])
        code = self.dialect.encode_leaf(name, word, operand)
        return spoken + mark, self.dialect.encode_negation(negation, code) if denied else code

    def next_field(self) -> Field:
        """One that the request has not asked about yet, as long as there is one."""
        usable = [field for field in self.dialect.fields if set(KINDS[field.kind]) & self.dialect.known]
        self.unasked = self.unasked or usable
        chosen = self.rng.choice(self.unasked)
        self.unasked = [field for field in self.unasked if field is not chosen]
        return chosen

    def said(self, language: str, field: Field, label: str, relation: str, denial: str) -> tuple[str, Json]:
        """A condition in words, denied where `denial` is the mark for that, and its operand."""
        if field.kind == "flag":
            word = compact_json(self.rng.random() < 0.6)
            mark = self.marks.new(TRUTH, word)
            return self.phrase(language, word, f=label) + mark, mark + BARE + word
        if relation in PAIRS:
            low, high = sorted(self.draw(field) for _ in range(2))
            (first, start), (second, end) = self.value(language, field, low), self.value(language, field, high)
            return self.phrase(language, relation, denial, f=label, v=first, w=second), [start, end]
        if relation in LISTS:
            values = self.rng.sample(field.values, self.rng.randint(1, min(3, len(field.values))))
            labels, names = zip(*(self.call(value, language) for value in values), strict=True)
            return self.phrase(language, relation, denial, f=label, v=self.joined(language, labels, "either")), names
        text, value = self.value(language, field, self.draw(field))
        return self.phrase(language, relation, denial, f=label, v=text), value

    def draw(self, field: Field) -> Any:
        """A value of the field: a number, a date (year, month, day), a text, one of an enum's values."""
        if field.kind == "number":
            return draw_number(self.rng)
        if field.kind == "date":
            return self.rng.randint(1990, 2031), self.rng.randint(1, 12), self.rng.randint(1, 28)
        return self.words.literal(self.rng) if field.kind == "text" else self.rng.choice(field.values)

    def value(self, language: str, field: Field, value: Any) -> tuple[str, Json]:
        """How a value of the field is said, and what the answer has for it."""
        if field.kind == "number":
            return self.number(language, value)
        if field.kind == "enum":
            return self.call(value, language)
        mark = self.marks.new(SPELLED)
        if field.kind == "date":
            return say_date(self.rng, language, value, mark), mark + "{:04d}-{:02d}-{:02d}".format(*value)
        return self.rng.choice(QUOTES).format(mark + value), mark + value

    # the rest ----------------------------------------------------------------------------------------------------

    def sort(self, language: str) -> tuple[str, Json]:
        field, way = self.rng.choice(self.dialect.of_kind("number")), self.rng.choice(("up", "down"))
        label, name = self.call(field, language)
        mark, word = self.form(self.dialect.ways[way])
        return self.phrase(language, way, f=label) + mark, {"sort": self.dialect.encode_sort(name, word)}

    def limit(self, language: str) -> tuple[str, Json]:
        number = self.rng.choice((1, 3, 5, 10, 20, 50, self.rng.randint(2, 100)))
        said, code = self.number(language, number)
        return self.phrase(language, "limit", n=said), {"limit": self.dialect.encode_limit(code)}

    def group(self, language: str) -> tuple[str, Json]:
        field, fn = (
            self.rng.choice(self.dialect.of_kind("enum")),
            self.rng.choice(("count", "count", "sum", "avg", "min", "max")),
        )
        number = None if fn == "count" else self.rng.choice(self.dialect.of_kind("number"))
        measured, name = self.call(number, language) if number else ("", None)
        mark, word = self.form(self.dialect.measures[fn])
        label, key = self.call(field, language)
        spoken = f"{self.phrase(language, fn, f=measured)}{mark} {self.phrase(language, 'group', f=label)}"
        measure = self.dialect.encode_measure(word, name)
        return spoken, {"group": self.dialect.encode_group(key), "measure": measure}


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


def say_date(rng: Random, language: str, date: tuple[int, int, int], mark: str) -> str:
    """`mark` stands before the year, with which the answer begins."""
    year, month, day = f"{mark}{date[0]:04d}", date[1], date[2]
    name = MONTHS[language][month - 1]
    forms = [f"{year}-{month:02d}-{day:02d}", f"{day} {name} {year}", f"{day} {name} {year}"]
    return rng.choice(
        [*forms, f"{name} {day}, {year}"] if language == "en" else [*forms, f"{day:02d}/{month:02d}/{year}"]
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
