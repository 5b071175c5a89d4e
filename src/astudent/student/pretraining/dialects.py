"""The languages that the tiny student is pre-trained on: one fresh dialect per schema, never the pipeline's own language.

A dialect draws its keys, its operators, the shape of a condition, of a junction, of sort, group and limit. All of it stands in the
JSON Schema, in the notation that the pipeline's prompts use, so that a student learns to read the schema, to look up what the
request's words are called there, and to copy.
"""

from dataclasses import dataclass
from random import Random
from string import ascii_lowercase
from typing import Any

from astudent.language.notation import DIALECT
from astudent.student.pretraining import phrasings
from astudent.student.pretraining.words import WordMaker

Json = Any
KINDS = {
    "number": ("same", "differ", "above", "atleast", "below", "atmost", "span"),
    "date": ("same", "above", "atleast", "below", "atmost", "span"),
    "text": ("same", "differ", "any", "none", "holds", "begins", "ends"),
    "flag": ("same",),
    "enum": ("same", "differ", "any", "none"),
}
PAIRS, LISTS = frozenset({"span"}), frozenset({"any", "none"})
SCALARS = {
    "number": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "text": {"type": "string"},
    "flag": {"type": "boolean"},
}
LEAVES = ("relation first", "operand last but one", "triple", "triple")


@dataclass(frozen=True)
class Named:
    """A name of the schema and what people call it. `en` is None where the name itself, with spaces, is used."""

    name: str
    en: str | None
    fr: str

    def label(self, language: str) -> str:
        return self.fr if language == "fr" else self.en or self.name.replace("_", " ")

    def const(self) -> Json:
        return {"const": self.name, "x-labels": ({"en": self.en} if self.en else {}) | {"fr": self.fr}}


@dataclass(frozen=True)
class Field(Named):
    kind: str = "number"
    values: tuple[Named, ...] = ()


def draw_named(rng: Random, words: WordMaker) -> Named:
    name = words.name(rng)
    french = name.replace("_", " ") if rng.random() < 0.08 else words.label(rng)
    return Named(name, words.label(rng) if rng.random() < words.english else None, french)


def draw_fields(rng: Random, words: WordMaker, count: int) -> tuple[Field, ...]:
    """Fields whose names and labels all differ: an alias that meant two things could not be looked up."""
    fields: list[Field] = []
    taken: set[str] = set()

    def fresh() -> Named:
        while True:
            named = draw_named(rng, words)
            texts = {named.name, named.label("en"), named.fr}
            if not texts & taken:
                taken.update(texts)
                return named

    for place in range(count):
        kind = (
            ("enum", "number")[place]
            if place < 2
            else rng.choice(("enum", "enum", "number", "number", "date", "text", "flag", "flag"))
        )
        named = fresh()
        values = tuple(fresh() for _ in range(rng.randint(2, 4))) if kind == "enum" else ()
        fields.append(Field(named.name, named.en, named.fr, kind, values))
    return tuple(rng.sample(fields, len(fields)))


class Dialect:
    """Everything that makes one language: its words and its shapes. `schema` describes it, `encode_*` write its answers."""

    def __init__(self, rng: Random, words: WordMaker) -> None:
        self.rng, self.words = rng, words.of_one_language(rng)
        words = self.words
        self.entity = draw_named(rng, words)
        self.fields = draw_fields(rng, words, rng.choice((2, 3, 4, 4, 5, 6, 7, 8)))
        self.keys = self._draw_keys(rng, words)
        self.relations = self._distinct(rng, phrasings.RELATIONS)
        self.measures = self._distinct(rng, phrasings.MEASURES)
        self.modes: dict[str, str] = dict(zip(("every", "some"), rng.choice(phrasings.MODES), strict=True))
        self.negation = rng.choice(phrasings.NEGATIONS)
        self.ways: dict[str, str] = dict(zip(("up", "down"), rng.choice(phrasings.WAYS), strict=True))
        self.known = frozenset({"same", *rng.sample(list(phrasings.RELATIONS), rng.randint(4, 8))})
        self.leaf = rng.choice(LEAVES)
        self.junction = rng.choice(("tagged", "wrapped"))
        self.negated = rng.random() < 0.8
        self.sort = rng.choice(("way first", "array", "arrays", "arrays", None))
        self.limit = rng.choice(("plain", "plain", "plain", "wrapped", None))
        self.measure = rng.random() < 0.8
        self.group = rng.choice(("plain", "listed", "listed", None)) if self.measure else None
        self.sorted_by = self._some_of(rng, [f for f in self.fields if f.kind != "flag"])
        self.measured = self._some_of(rng, self.of_kind("number"))
        self.grouped_by = self._some_of(rng, [f for f in self.fields if f.kind in ("enum", "flag", "text")])
        self.functions = rng.sample(("sum", "avg", "min", "max"), rng.randint(1, 4))
        self.bare = rng.random() < 0.5
        self.parts = rng.choice((["filter", "group", "sort", "limit"], ["limit", "sort", "group", "filter"]))
        self.defs = self._definition_names(rng, words)

    @staticmethod
    def _draw_keys(rng: Random, words: WordMaker) -> dict[str, str]:
        keys: dict[str, str] = {}
        for role, pool in phrasings.KEYS.items():
            free = [word for word in pool.split() if word not in keys.values()]
            keys[role] = (
                rng.choice(free) if free and rng.random() < 0.9 else words.name(rng) + rng.choice(("xz", "kz", "w_"))
            )
        return keys

    @staticmethod
    def _distinct(rng: Random, pools: dict[str, str]) -> dict[str, str]:
        chosen: dict[str, str] = {}
        for meaning, pool in pools.items():
            free = [word for word in pool.split() if word not in chosen.values()]
            chosen[meaning] = rng.choice(free)
        return chosen

    @staticmethod
    def _some_of(rng: Random, fields: list[Field]) -> list[Field]:
        return rng.sample(fields, rng.randint(1, min(3, len(fields))))

    def _definition_names(self, rng: Random, words: WordMaker) -> dict[str, str]:
        parts = ["condition", "junction", "negation", *KINDS, *(f.name for f in self.fields)]
        return {
            part: words.word(rng) + rng.choice(("", "_")) + f"{ascii_lowercase[place]}"
            for place, part in enumerate(parts)
        }

    # the schema ------------------------------------------------------------------------------------------------------

    def schema(self, root: Json, definitions: dict[str, Json]) -> Json:
        head = {"$schema": DIALECT, "title": self.entity.name, "x-labels": self.entity.const()["x-labels"]}
        named = {self.defs[name]: node for name, node in definitions.items()}
        return head | root | ({"$defs": named} if named else {})

    def ref(self, part: str) -> Json:
        return {"$ref": f"#/$defs/{self.defs[part]}"}

    def of_kind(self, kind: str) -> list[Field]:
        return [field for field in self.fields if field.kind == kind]

    def field_definitions(self) -> dict[str, Json]:
        """One definition for each kind of field with its names, one for each enum field with its values."""
        nodes: dict[str, Json] = {}
        for kind in ("number", "date", "text", "flag"):
            if self.of_kind(kind):
                nodes[kind] = choice([field.const() for field in self.of_kind(kind)])
        for field in self.of_kind("enum"):
            nodes[field.name] = choice([value.const() for value in field.values])
        return nodes

    def relations_of(self, kind: str, shape: str) -> list[str]:
        shapes = {"pair": PAIRS, "list": LISTS}
        scalar = [r for r in KINDS[kind] if r in self.known and r not in PAIRS | LISTS]
        return scalar if shape == "scalar" else [r for r in KINDS[kind] if r in self.known & shapes[shape]]

    def leaf_schemas(self) -> list[Json]:
        nodes = []
        groups = [(kind, self.ref(kind), SCALARS[kind]) for kind in SCALARS if self.of_kind(kind)]
        groups += [("enum", field.const(), self.ref(field.name)) for field in self.of_kind("enum")]
        for kind, key, value in groups:
            pair = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
            some = {"type": "array", "items": value, "minItems": 1}
            for shape, operand in (("scalar", value), ("pair", pair), ("list", some)):
                names = [self.relations[r] for r in self.relations_of(kind, shape)]
                nodes += self._leaf_schema(key, names, operand) if names else []
        return nodes

    def _leaf_schema(self, key: Json, names: list[str], operand: Json) -> list[Json]:
        relation = {"enum": names}
        parts = {"key": key, "relation": relation, "operand": operand}
        if self.leaf == "triple":
            return [places([parts[part] for part in ("key", "relation", "operand")])]
        return [closed({self.keys[part]: parts[part] for part in self._leaf_order()})]

    def _leaf_order(self) -> tuple[str, ...]:
        return ("relation", "key", "operand") if self.leaf == "relation first" else ("key", "operand", "relation")

    def leaf_query_schema(self) -> Json:
        """The part of the language that says one condition."""
        root = {self.keys["filter"]: choice(self.leaf_schemas(), "anyOf")}
        return self.schema(closed(root), self.field_definitions())

    def leaves_query_schema(self) -> Json:
        """Several conditions side by side, with nothing that joins them."""
        items = {"type": "array", "items": self.ref("condition"), "minItems": 1}
        definitions = {"condition": choice(self.leaf_schemas(), "anyOf")}
        return self.schema(closed({self.keys["filter"]: items}), definitions | self.field_definitions())

    def query_schema(self) -> Json:
        definitions: dict[str, Json] = {"condition": choice([*self._combinations(), *self.leaf_schemas()], "anyOf")}
        root = {self.keys[part]: node for part in self.parts for node in self._part_schema(part)}
        if self.measure:
            root[self.keys["measure"]] = self._measure_schema()
        return self.schema(closed(root, optional=True), definitions | self.field_definitions())

    def _combinations(self) -> list[Json]:
        inner = self.ref("condition")
        items = {"type": "array", "items": inner, "minItems": 2}
        mode = {"enum": list(self.modes.values())}
        keys = self.keys
        if self.junction == "tagged":
            nodes = [closed({keys["mode"]: mode, keys["list"]: items})]
        else:
            nodes = [closed({word: closed({keys["list"]: items})}) for word in self.modes.values()]
        return [*nodes, closed({self.negation: closed({keys["one"]: inner})})] if self.negated else nodes

    def _part_schema(self, part: str) -> list[Json]:
        """The schema of one part of the root; none where the dialect lacks it."""
        if part == "filter":
            return [self.ref("condition")]
        if part == "limit":
            number = {"type": "integer", "minimum": 1, "maximum": 100}
            return {"plain": [number], "wrapped": [closed({self.keys["limit"]: number})]}.get(self.limit or "", [])
        if part == "group":
            key = self._names_of(self.grouped_by)
            listed = {"type": "array", "items": key, "minItems": 1}
            return {"plain": [key], "listed": [closed({self.keys["list"]: listed})]}.get(self.group or "", [])
        names, ways = self._names_of(self.sorted_by), {"enum": list(self.ways.values())}
        shapes = {
            "way first": closed(
                {self.keys["way"]: ways, self.keys["sortkey"]: {"type": "array", "items": names, "minItems": 1}}
            ),
            "array": places([names, ways]),
            "arrays": {"type": "array", "items": places([names, ways]), "minItems": 1, "maxItems": 2},
        }
        return [shapes[self.sort]] if self.sort else []

    def _names_of(self, fields: list[Field]) -> Json:
        """One of the fields; a dialect with `bare` names gives their labels only where conditions are described."""
        return {"enum": [field.name for field in fields]} if self.bare else choice([field.const() for field in fields])

    def _measure_schema(self) -> Json:
        names = [self.measures[fn] for fn in self.functions]
        return choice(
            [
                closed({self.keys["fn"]: {"const": self.measures["count"]}}),
                places([{"enum": names}, self._names_of(self.measured)]),
            ],
            "anyOf",
        )

    # answers: words and names come with the marks of where the request said them -----------------------------------

    def encode_leaf(self, field: str, word: str, value: Json) -> Json:
        parts = {"key": field, "relation": word, "operand": value}
        if self.leaf == "triple":
            return [field, word, value]
        return {self.keys[part]: parts[part] for part in self._leaf_order()}

    def encode_junction(self, word: str, items: list[Json]) -> Json:
        keys = self.keys
        return {keys["mode"]: word, keys["list"]: items} if self.junction == "tagged" else {word: {keys["list"]: items}}

    def encode_negation(self, word: str, item: Json) -> Json:
        return {word: {self.keys["one"]: item}}

    def encode_sort(self, keys: list[tuple[str, str]]) -> Json:
        """(field, way) pairs, one of them unless the dialect sorts by `arrays`."""
        if self.sort == "arrays":
            return [list(key) for key in keys]
        ((field, word),) = keys
        return {self.keys["way"]: word, self.keys["sortkey"]: [field]} if self.sort == "way first" else [field, word]

    def encode_limit(self, number: Json) -> Json:
        return number if self.limit == "plain" else {self.keys["limit"]: number}

    def encode_group(self, field: str) -> Json:
        return field if self.group == "plain" else {self.keys["list"]: [field]}

    def encode_measure(self, word: str, field: str | None) -> Json:
        return {self.keys["fn"]: word} if field is None else [word, field]


def closed(properties: dict[str, Json], optional: bool = False) -> Json:
    required = {} if optional else {"required": list(properties)}
    return {"type": "object", "properties": properties} | required | {"additionalProperties": False}


def places(nodes: list[Json]) -> Json:
    return {"type": "array", "prefixItems": nodes, "items": False, "minItems": len(nodes)}


def choice(nodes: list[Json], keyword: str = "oneOf") -> Json:
    return nodes[0] if len(nodes) == 1 else {keyword: nodes}
