"""A short, lossless notation of JSON Schema, for prompts in which every token counts.

    commandes=orders                                   title, with the labels that people use
    {where?:@condition,limit?:integer 1..100}          the root: a closed object, `?` marks optional keys
    condition=<@price_test|@status_test>               one line for each entry of $defs
    price_test={field:prix=price,operator:eq|gt,value:number}

| JSON Schema                                        | notation                       |
|----------------------------------------------------|--------------------------------|
| closed object                                      | `{key:T,optional?:T}`          |
| array, with minItems and maxItems                  | `[T]`, `[T]2..`, `[T]2..2`     |
| array of fixed places (prefixItems)                | `[T,T,T]!`                     |
| anyOf, oneOf                                       | `<T|T>`, `(T|T)`               |
| enum of strings                                    | `a|b|c` (`a|` for one)         |
| const, with x-labels en and fr                     | `name`, `fr=name`, `en/fr=name`, `en/=name` |
| $ref to an entry of $defs                          | `@name`                        |
| string, number, integer, boolean, with bounds      | `number`, `integer 1..100`     |
| string with format date                            | `date`                         |
| anything else                                      | the node itself as JSON between backticks |

`parse_compact(render_compact(schema)) == schema` for every JSON Schema: what has no short form stands as JSON.
"""

import json
import re
from typing import Any

from astudent.errors import RunError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BARE = re.compile(r"[^\W\d][\w.\-]*")
LABEL = re.compile(r"[^\W_](?:[\w'’ \-]*[\w’'])?")
RANGE = re.compile(r"(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?")
TYPES = ("string", "number", "integer", "boolean")
RESERVED = frozenset({*TYPES, "date", "true", "false", "null"})

Json = Any


def render_compact(schema: Json) -> str:
    """The short form of a JSON Schema; `parse_compact` gives back an equal schema."""
    if not isinstance(schema, dict):
        return _raw(schema)
    body = {key: value for key, value in schema.items() if key not in ("$schema", "title", "x-labels", "$defs")}
    head = _head(schema)
    definitions = schema.get("$defs", {})
    if head is None or not _plain_definitions(definitions) or ("$defs" in schema and not definitions):
        return _raw(schema)
    lines = [head, _node(body), *(f"{name}={_node(node)}" for name, node in definitions.items())]
    return "\n".join(lines)


def parse_compact(text: str) -> Json:
    """The JSON Schema that a short form stands for. RunError names the place where the text is not the notation."""
    if text.startswith("`"):
        return _Reader(text).whole()
    head, _, rest = text.partition("\n")
    lines = rest.split("\n")
    schema = _parse_head(head) | _Reader(lines[0]).whole()
    for line in lines[1:]:
        name, _, expression = line.partition("=")
        schema.setdefault("$defs", {})[name] = _Reader(expression).whole()
    return schema


def _head(schema: dict[str, Json]) -> str | None:
    """The first line: `!` where $schema is absent, then the title with its labels; None where it has no short form."""
    if schema.get("$schema", DIALECT) != DIALECT or ("x-labels" in schema and "title" not in schema):
        return None
    mark = "" if "$schema" in schema else "!"
    if "title" not in schema:
        return mark
    named = _named(schema["title"], schema.get("x-labels"))
    return None if named is None else mark + named


def _parse_head(head: str) -> dict[str, Json]:
    schema: dict[str, Json] = {} if head.startswith("!") else {"$schema": DIALECT}
    head = head.removeprefix("!")
    if head:
        node = _Reader(head).whole()
        schema["title"] = node["const"]
        if "x-labels" in node:
            schema["x-labels"] = node["x-labels"]
    return schema


def _plain_definitions(definitions: Json) -> bool:
    return isinstance(definitions, dict) and all(BARE.fullmatch(name) for name in definitions)


def _raw(node: Json) -> str:
    return "`" + json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("`", "\\u0060") + "`"


def _node(node: Json) -> str:
    """One schema node; the first short form whose keywords are exactly the node's, else JSON."""
    if isinstance(node, dict):
        for form in (_reference, _named_const, _enumeration, _scalar, _choice, _object, _array, _places):
            text = form(node)
            if text is not None:
                return text
    return _raw(node)


def _reference(node: dict[str, Json]) -> str | None:
    match = re.fullmatch(r"#/\$defs/(.+)", str(node.get("$ref")))
    return "@" + match[1] if match and len(node) == 1 and BARE.fullmatch(match[1]) else None


def _word(value: Json) -> str | None:
    """A string as a bare word, or in JSON's quotes where it would be read as something else."""
    if not isinstance(value, str) or "\n" in value:
        return None
    quoted = json.dumps(value, ensure_ascii=False).replace("`", "\\u0060")
    return value if BARE.fullmatch(value) and value not in RESERVED else quoted


def _named(value: Json, labels: Json) -> str | None:
    """`en/fr=name`; None where a label is not simple text."""
    word = _word(value)
    if word is None or labels is None:
        return word
    if not isinstance(labels, dict) or not labels or not set(labels) <= {"en", "fr"}:
        return None
    if not all(isinstance(label, str) and LABEL.fullmatch(label) for label in labels.values()):
        return None
    english = labels["en"] + "/" if "en" in labels else ""
    return f"{english}{labels.get('fr', '')}={word}"


def _named_const(node: dict[str, Json]) -> str | None:
    if "const" not in node or not set(node) <= {"const", "x-labels"}:
        return None
    return _named(node["const"], node.get("x-labels"))


def _enumeration(node: dict[str, Json]) -> str | None:
    if set(node) != {"enum"} or not isinstance(node["enum"], list) or not node["enum"]:
        return None
    words = [_word(value) for value in node["enum"]]
    if any(word is None for word in words):
        return None
    return "|".join(map(str, words)) + ("|" if len(words) == 1 else "")


def _number(value: Json) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    text = json.dumps(value)
    return text if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def _bounds(node: dict[str, Json], low: str, high: str) -> str | None:
    """` 1..9` from the two keywords, an empty text where neither stands, None where they are no plain numbers."""
    texts = [_number(node[key]) if key in node else "" for key in (low, high)]
    if None in texts:
        return None
    return f"{texts[0]}..{texts[1]}" if low in node or high in node else ""


def _scalar(node: dict[str, Json]) -> str | None:
    if node == {"type": "string", "format": "date"}:
        return "date"
    if node.get("type") not in TYPES or not set(node) <= {"type", "minimum", "maximum"}:
        return None
    bounds = _bounds(node, "minimum", "maximum")
    return None if bounds is None else node["type"] + (" " + bounds if bounds else "")


def _choice(node: dict[str, Json]) -> str | None:
    for keyword, (left, right) in {"anyOf": "<>", "oneOf": "()"}.items():
        if set(node) == {keyword} and isinstance(node[keyword], list) and node[keyword]:
            return left + "|".join(_branch(branch) for branch in node[keyword]) + right
    return None


def _branch(node: Json) -> str:
    """A branch of a choice; an enum there would swallow its neighbours, so it stands as JSON."""
    return _raw(node) if isinstance(node, dict) and "enum" in node else _node(node)


def _object(node: dict[str, Json]) -> str | None:
    properties, required = node.get("properties"), node.get("required", [])
    if not {"type", "properties", "additionalProperties"} <= set(node) <= {
        "type", "properties", "additionalProperties", "required"
    }:  # fmt: skip
        return None
    if node["type"] != "object" or node["additionalProperties"] is not False or not isinstance(properties, dict):
        return None
    if required != [key for key in properties if key in required] or ("required" in node and not required):
        return None
    keys = [_word(key) for key in properties]
    if any(key is None for key in keys):
        return None
    pairs = zip(keys, properties.items(), strict=True)
    return (
        "{" + ",".join(f"{key}{'' if name in required else '?'}:{_node(value)}" for key, (name, value) in pairs) + "}"
    )


def _array(node: dict[str, Json]) -> str | None:
    if node.get("type") != "array" or not {"items"} <= set(node) - {"type"} <= {"items", "minItems", "maxItems"}:
        return None
    bounds = _bounds(node, "minItems", "maxItems")
    return None if bounds is None else f"[{_node(node['items'])}]{bounds}"


def _places(node: dict[str, Json]) -> str | None:
    """A closed array of fixed places: exactly as many items as there are schemas."""
    places = node.get("prefixItems")
    if not isinstance(places, list) or len(places) < 2 or set(node) != {"type", "prefixItems", "items", "minItems"}:
        return None
    if node["type"] != "array" or node["items"] is not False or node["minItems"] != len(places):
        return None
    return "[" + ",".join(map(_node, places)) + "]!"


class _Reader:
    """Reads one line of the notation from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def whole(self) -> Json:
        node = self.node()
        if self.at != len(self.text):
            raise self.fault("the end of the line")
        return node

    def fault(self, expected: str) -> RunError:
        return RunError(f"schema notation: {expected} expected at character {self.at + 1} of {self.text[:80]!r}")

    def take(self, symbol: str) -> bool:
        found = self.text.startswith(symbol, self.at)
        self.at += len(symbol) * found
        return found

    def need(self, symbol: str) -> None:
        if not self.take(symbol):
            raise self.fault(repr(symbol))

    def match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found[0] if found else None

    def node(self, inside_choice: bool = False) -> Json:
        if self.take("`"):
            return self.raw()
        if self.take("@"):
            return {"$ref": "#/$defs/" + (self.match(BARE) or "")}
        for left, right, keyword in (("<", ">", "anyOf"), ("(", ")", "oneOf")):
            if self.take(left):
                return {keyword: self.many("|", right, lambda: self.node(inside_choice=True))}
        if self.take("{"):
            return self.object()
        if self.take("["):
            return self.array()
        return self.scalar() or self.words(inside_choice)

    def raw(self) -> Json:
        end = self.text.index("`", self.at)
        node, self.at = json.loads(self.text[self.at : end]), end + 1
        return node

    def many(self, separator: str, end: str, item: Any) -> list[Json]:
        """Items up to the closing symbol."""
        items: list[Json] = []
        while not (not items and self.take(end)):
            items.append(item())
            if self.take(end):
                break
            self.need(separator)
        return items

    def object(self) -> Json:
        entries = self.many(",", "}", self.entry)
        node: Json = {"type": "object", "properties": {key: value for key, _, value in entries}}
        required = [key for key, needed, _ in entries if needed]
        return node | ({"required": required} if required else {}) | {"additionalProperties": False}

    def entry(self) -> tuple[str, bool, Json]:
        key = self.word()
        optional = self.take("?")
        self.need(":")
        return key, not optional, self.node()

    def array(self) -> Json:
        items = self.many(",", "]", self.node)
        if self.take("!"):
            return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
        return {"type": "array", "items": items[0]} | self.bounds("minItems", "maxItems")

    def bounds(self, low: str, high: str) -> dict[str, Json]:
        found = RANGE.match(self.text, self.at)
        if not found:
            return {}
        self.at = found.end()
        return {key: json.loads(text) for key, text in zip((low, high), found.groups(), strict=True) if text}

    def scalar(self) -> Json:
        found = BARE.match(self.text, self.at)
        if not found or found[0] not in RESERVED - {"true", "false", "null"}:
            return None
        if self.text[found.end() : found.end() + 1] in ("=", "/"):  # a label that happens to be a type's name
            return None
        if self.text[found.end() : found.end() + 1] == " " and not RANGE.match(self.text, found.end() + 1):
            return None  # a label that begins with a type's name
        self.at = found.end()
        if found[0] == "date":
            return {"type": "string", "format": "date"}
        return {"type": found[0]} | (self.bounds("minimum", "maximum") if self.take(" ") else {})

    def word(self) -> str:
        if self.text.startswith('"', self.at):
            value, self.at = json.JSONDecoder().raw_decode(self.text, self.at)
            return value
        word = self.match(BARE)
        if word is None:
            raise self.fault("a word")
        return word

    def words(self, inside_choice: bool) -> Json:
        """A const with its labels, or an enum."""
        labels = self.labels()
        first = self.word()
        if labels:
            return {"const": first, "x-labels": labels}
        if inside_choice or not self.take("|"):
            return {"const": first}
        values = [first]
        while self.text.startswith('"', self.at) or BARE.match(self.text, self.at):
            values.append(self.word())
            if not self.take("|"):
                break
        return {"enum": values}

    def labels(self) -> dict[str, str]:
        """The labels before `=`, if there are any here."""
        found = re.compile(rf"(?:({LABEL.pattern})/)?({LABEL.pattern})?=").match(self.text, self.at)
        if not found:
            return {}
        self.at = found.end()
        return {key: label for key, label in zip(("en", "fr"), found.groups(), strict=True) if label is not None}
