"""What is asked in a dialect: the words that all tasks share, and plain look-ups and copies, which are what a query is made of."""

import re
from collections.abc import Sequence
from random import Random
from typing import Any

from astudent.student.pretraining.dialects import KINDS, Dialect, Named, choice, closed
from astudent.student.pretraining.marks import BARE, FORM, NAME, SPELLED, WORD, Example, Marks, compact_json
from astudent.student.pretraining.phrasings import ARTICLES, FRAMED, MONTHS, NUMERALS, PHRASINGS
from astudent.student.pretraining.words import WordMaker

Json = Any
DENIABLE = re.compile(r"\[([^|]*)\|([^\]]*)\]")
QUOTES = ('"{}"', "'{}'", "« {} »", "“{}”", "{}")


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
        texts = self.texts(language, kind, bool(denial))
        said = DENIABLE.sub(r"\2" + denial if denial else r"\1", self.rng.choice(texts))
        return said.format(**slots, g=self.rng.choice(("", "e")))

    def texts(self, language: str, kind: str, deniable: bool = False) -> list[str]:
        """A list to choose a phrasing from: those that are said as a whole, or more often those in frames."""
        lists = [PHRASINGS[language].get(kind, []), FRAMED[language].get(kind, [])]
        whole, framed = ([text for text in texts if "[" in text or not deniable] for texts in lists)
        return framed if framed and (not whole or self.rng.random() < 0.7) else whole

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


def draw_count(rng: Random) -> int:
    """How many rows may be asked for."""
    return rng.choice((2, 3, 5, 10, 20, 50, rng.randint(2, 12), rng.randint(2, 100)))


def draw_number(rng: Random) -> int | float:
    """Small and large, round and odd, sometimes with decimals or a sign."""
    shape = rng.random()
    if shape < 0.3:
        return round(rng.uniform(-500 if shape < 0.05 else 0, 500), rng.choice((1, 2)))
    if shape < 0.35:
        return -rng.randint(1, 999)
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
    ordinal = "1er" if language == "fr" and day == 1 else day
    forms = [f"{year}-{month:02d}-{day:02d}", f"{year}-{month:02d}-{day:02d}", f"{ordinal} {name} {year}"]
    english = [f"{name} {day}, {year}", f"{name} {day} {year}"]
    return rng.choice([*forms, *english] if language == "en" else [*forms, f"{day:02d}/{month:02d}/{year}"])
