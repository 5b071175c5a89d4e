"""Requests that ask for rows: conditions, and what is done with the rows that meet them."""

from random import Random
from typing import Any

from astudent.student.pretraining.dialects import KINDS, LISTS, PAIRS, Field
from astudent.student.pretraining.marks import BARE, SPELLED, TRUTH, WORD, Example, compact_json
from astudent.student.pretraining.phrasings import PHRASINGS
from astudent.student.pretraining.tasks import (
    QUOTES,
    CopyTask,
    PickTask,
    Task,
    ValuesTask,
    draw_count,
    draw_number,
    say_date,
)
from astudent.student.pretraining.words import WordMaker

Json = Any
TAILS = (
    ("sort",), ("sort",), ("limit",), ("limit",), ("sort", "limit"), ("sort", "limit"), ("measure",), ("measure",),
    ("measure", "group"), ("measure", "group"), ("measure", "group", "limit"),
)  # fmt: skip
"""What may be done with the rows that a request asks for."""


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
        """Which rows, and what is done with them, in varied order."""
        rng, answer = self.rng, {}
        tails = [tail for tail in TAILS if all(getattr(self.dialect, part) for part in tail)]
        parts = list(rng.choice(tails)) if tails and rng.random() < 0.5 else []
        filtered = not parts or rng.random() < 0.9
        lead = self.lead(language, parts, answer)
        texts = []
        if filtered:
            if not answer and self.denies(0.09):
                lead, (spoken, answer["filter"]) = "", self.all_but(language)
            else:
                spoken, answer["filter"] = self.exception(language) if self.denies(0.1) else self.condition(language)
            texts.append(spoken)
        if "sort" in parts and "limit" in parts and rng.random() < 0.5:
            texts.append(self.top(language, answer))
            parts = []
        for part in parts:
            spoken, answer[part] = getattr(self, part)(language)
            texts.insert(0 if rng.random() < 0.2 else len(texts), spoken)
        spoken = "".join(text + rng.choice((", ", ", ", ", ", " ", " ", ". ")) for text in texts)
        return self.introduced(language, spoken.rstrip(" ,."), 0.5, lead), self.ordered(answer)

    def lead(self, language: str, parts: list[str], answer: dict[str, Json]) -> str:
        """What a request begins with. What is said there of `parts` is taken out of them and put into the answer."""
        entity, front = self.dialect.entity.label(language), ""
        if "group" in parts and self.rng.random() < 0.3:
            label, answer["group"] = self.grouping(language)
            front = self.phrase(language, "grouped", f=label)
            parts.remove("group")
        if "measure" in parts and self.rng.random() < 0.5:
            parts.remove("measure")
            if self.rng.random() < 0.3:
                mark, word = self.form(self.dialect.measures["count"])
                answer["measure"] = self.dialect.encode_measure(word, None)
                return front + self.phrase(language, "counted", e=entity + mark)
            spoken, answer["measure"] = self.measure(language)
            return front + self.phrase(language, "measured", e=entity, f=spoken)
        if "limit" in parts and "sort" not in parts and self.rng.random() < 0.4:
            parts.remove("limit")
            said, code = self.number(language, draw_count(self.rng))
            answer["limit"] = self.dialect.encode_limit(code)
            return front + self.phrase(language, "limited", e=entity, n=said)
        return front + self.phrase(language, "intro", e=entity)

    def denies(self, share: float) -> bool:
        """Whether something is said by denying another thing, as a `share` of requests do in dialects that can."""
        return self.dialect.negated and self.rng.random() < share

    def all_but(self, language: str) -> tuple[str, Json]:
        """All rows but some: the whole request."""
        mark, word = self.form(self.dialect.negation)
        spoken, code = self.condition(language)
        entity = self.dialect.entity.label(language)
        return self.phrase(language, "all_but", e=entity, c=mark + spoken), self.dialect.encode_negation(word, code)

    def exception(self, language: str) -> tuple[str, Json]:
        """Some rows but for others."""
        spoken, code = self.condition(language)
        junction, every = self.form(self.dialect.modes["every"])
        negation, word = self.form(self.dialect.negation)
        other, denied = self.leaf(language)
        spoken += self.phrase(language, "except", c=negation + other, m=junction)
        return spoken, self.dialect.encode_junction(every, [code, self.dialect.encode_negation(word, denied)])

    def introduced(self, language: str, spoken: str, disturbed: float, lead: str | None = None) -> str:
        """The request with what it begins with; `disturbed` is the share that begin, and half as often end, with words that mean nothing."""
        if lead is None:
            lead = self.phrase(language, "intro", e=self.dialect.entity.label(language))
        query = lead + spoken
        if self.rng.random() < disturbed:
            query = self.noise(5) + self.rng.choice((" ", ", ")) + query
        if self.rng.random() < disturbed / 2:
            query += self.rng.choice((" ", ", ")) + self.noise(2)
        query = query.strip() + self.rng.choice(("", "", "", ".", "?"))
        return query[0].upper() + query[1:] if self.rng.random() < 0.4 else query

    def noise(self, most: int) -> str:
        return " ".join(self.words.word(self.rng) for _ in range(self.rng.randint(1, most)))

    def ordered(self, answer: dict[str, Json]) -> Json:
        """The parts under their keys, in the schema's order."""
        return {self.dialect.keys[part]: answer[part] for part in [*self.dialect.parts, "measure"] if part in answer}

    # conditions --------------------------------------------------------------------------------------------------

    def condition(self, language: str) -> tuple[str, Json]:
        count = self.rng.choice((1, 1, 1, 2, 2, 3))
        if count == 3 and self.rng.random() < 0.6:
            return self.nested(language)
        return self.group_of(language, [self.term(language) for _ in range(count)], self.mode())

    def mode(self) -> str:
        return "every" if self.rng.random() < 0.6 else "some"

    def group_of(self, language: str, items: list[tuple[str, Json]], mode: str) -> tuple[str, Json]:
        if len(items) == 1:
            return items[0]
        forms = [self.form(self.dialect.modes[mode]) for _ in items]
        before, joiner, manner = "", self.rng.choice(PHRASINGS[language][mode]), self.rng.random()
        if manner < 0.25:
            openings = {"every": ("all_of", "both"), "some": ("any_of", "one")}[mode]
            before = self.phrase(language, openings[manner < 0.12]) + forms[0][0]
            joiner = joiner if manner < 0.12 else "; "
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
        inner = (f"({spoken})", code)
        items = [self.nested(language) if self.rng.random() < 0.1 else self.term(language), inner]
        return self.group_of(language, items[:: self.rng.choice((1, -1))], mode)

    def term(self, language: str) -> tuple[str, Json]:
        if not self.denies(0.2):
            return self.leaf(language)
        if self.rng.random() < 0.5:
            return self.leaf(language, denied=True)
        mark, word = self.form(self.dialect.negation)
        if self.rng.random() < 0.6:
            spoken, code = self.leaf(language)
        else:
            spoken, code = self.group_of(language, [self.leaf(language) for _ in range(2)], self.mode())
            spoken = f"({spoken})"
        return self.phrase(language, "not", c=mark + spoken), self.dialect.encode_negation(word, code)

    def leaf(self, language: str, denied: bool = False) -> tuple[str, Json]:
        """One condition; `denied` only where the relation has a phrasing that can be."""
        field = self.next_field()
        relation = self.rng.choice([r for r in KINDS[field.kind] if r in self.dialect.known])
        label, name = self.call(field, language)
        denied = denied and field.kind != "flag" and bool(self.texts(language, relation, True))
        denial, negation = self.form(self.dialect.negation) if denied else ("", "")
        spoken, operand = self.said(language, field, label, relation, denial)
        mark, word = self.form(self.dialect.relations[relation])
        code = self.dialect.encode_leaf(name, word, operand)
        return spoken + mark, self.dialect.encode_negation(negation, code) if denied else code

    def next_field(self) -> Field:
        """One that the request has not asked about yet, as long as there is one."""
        usable = [field for field in self.dialect.fields if set(KINDS[field.kind]) & self.dialect.known]
        self.unasked = self.unasked or usable
        chosen = self.rng.choice(self.unasked if self.rng.random() > 0.1 else usable)
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
            count = self.rng.randint(2, min(3, len(field.values) or 3))
            values = self.rng.sample(field.values, count) if field.values else [self.draw(field) for _ in range(count)]
            labels, names = zip(*(self.value(language, field, value) for value in values), strict=True)
            slots = {slot: self.joined(language, labels, last) for slot, last in (("l", "either"), ("x", "nor"))}
            return self.phrase(language, relation, denial, f=label, **slots), names
        text, value = self.value(language, field, self.draw(field))
        return self.phrase(language, relation, denial, f=label, v=text), value

    def draw(self, field: Field) -> Any:
        """A value of the field: a number, a date (year, month, day), a text, one of an enum's values."""
        if field.kind == "number":
            return draw_number(self.rng)
        if field.kind == "date":
            day = 1 if self.rng.random() < 0.15 else self.rng.randint(1, 28)
            return self.rng.randint(1990, 2031), self.rng.randint(1, 12), day
        return self.dialect.words.literal(self.rng) if field.kind == "text" else self.rng.choice(field.values)

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
        fields = self.dialect.sorted_by
        count = 2 if self.dialect.sort == "arrays" and len(fields) > 1 and self.rng.random() < 0.3 else 1
        said, keys = zip(
            *(self.sorting(language, field, "{}") for field in self.rng.sample(fields, count)), strict=True
        )
        return self.rng.choice(PHRASINGS[language]["then"]).join(said), self.dialect.encode_sort(list(keys))

    def sorting(self, language: str, field: Field, kind: str, **slots: str) -> tuple[str, tuple[str, str]]:
        """How one sort key is said, in a phrasing of the `kind` whose slot is the way, and (field, way) in the answer."""
        way = self.rng.choice(("up", "down"))
        label, name = self.call(field, language)
        mark, word = self.form(self.dialect.ways[way])
        return self.phrase(language, kind.format(way), f=label, **slots) + mark, (name, word)

    def top(self, language: str, answer: dict[str, Json]) -> str:
        """Sort and limit in one."""
        field = self.rng.choice(self.dialect.sorted_by)
        if self.rng.random() < 0.35:
            mark, code = self.one()
            spoken, key = self.sorting(language, field, "top_one_{}")
            spoken += mark
        else:
            said, code = self.number(language, draw_count(self.rng))
            spoken, key = self.sorting(language, field, "top_{}", n=said)
        answer |= {"sort": self.dialect.encode_sort([key]), "limit": self.dialect.encode_limit(code)}
        return spoken

    def limit(self, language: str) -> tuple[str, Json]:
        if self.rng.random() < 0.1:
            mark, code = self.one()
            return self.phrase(language, "limit_one") + mark, self.dialect.encode_limit(code)
        said, code = self.number(language, draw_count(self.rng))
        return self.phrase(language, "limit", n=said), self.dialect.encode_limit(code)

    def one(self) -> tuple[str, Json]:
        """A mark behind what asks for a single row, and the 1 that the answer has for it."""
        mark = self.marks.new(WORD)
        return mark, mark + BARE + "1"

    def group(self, language: str) -> tuple[str, Json]:
        label, code = self.grouping(language)
        return self.phrase(language, "group", f=label), code

    def grouping(self, language: str) -> tuple[str, Json]:
        label, name = self.call(self.rng.choice(self.dialect.grouped_by), language)
        return label, self.dialect.encode_group(name)

    def measure(self, language: str) -> tuple[str, Json]:
        function = self.rng.choice(("count", *self.dialect.functions))
        label, name = "", None
        if function != "count":
            label, name = self.call(self.rng.choice(self.dialect.measured), language)
        mark, word = self.form(self.dialect.measures[function])
        return self.phrase(language, function, f=label) + mark, self.dialect.encode_measure(word, name)


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


TASKS: dict[str, type[Task]] = {
    "query": QueryTask,
    "leaf": LeafTask,
    "leaves": LeavesTask,
    "pick": PickTask,
    "values": ValuesTask,
    "copy": CopyTask,
}
