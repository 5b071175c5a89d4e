"""A JSON Schema, read once into nodes that can be asked quickly.

Every subschema becomes one Node, however often `$ref` points to it, so a recursive schema is a graph. What is wrong
with a subschema is kept in its node and raised only when a text comes to it, as validators do.
"""

from collections.abc import Callable, Iterator, KeysView
from dataclasses import dataclass, field
from typing import Any

from astudent.roles.assertions import Check, checks_of, is_whole, kinds_of, required_of, searcher_for
from astudent.roles.references import References, SchemaError
from astudent.roles.value import Identity, Value, identity_of

_ANNOTATIONS = frozenset(
    ["title", "description", "$comment", "default", "examples", "deprecated", "readOnly", "writeOnly"]
)
_MOST_NAMES_REMEMBERED = 256
_REFS = ("$ref", "$dynamicRef", "$recursiveRef")


@dataclass(slots=True, eq=False)
class Choice:
    """anyOf, or oneOf when `exactly_one`."""

    branches: list["Node"]
    exactly_one: bool
    _by_names: dict[tuple[str, ...], list["Node"]] = field(default_factory=dict)

    def possible(self, value: Value) -> list["Node"]:
        """The branches that `may_hold` for the value, in order."""
        branches = self._for_names(value) if value.kind == "object" else self.branches
        return [branch for branch in branches if branch.may_hold(value)]

    def _for_names(self, value: Value) -> list["Node"]:
        """The branches that the names of the members leave open. Remembered: the texts of one schema have few sets."""
        names = tuple(value.data)
        found = self._by_names.get(names)
        if found is None:
            found = [branch for branch in self.branches if branch.may_have(value.data.keys())]
            if len(self._by_names) < _MOST_NAMES_REMEMBERED:
                self._by_names[names] = found
        return found


@dataclass(slots=True, eq=False)
class Contains:
    """`contains`: between `least` and `most` (None: no bound) items are valid under `node`."""

    node: "Node"
    least: int
    most: int | None


@dataclass(slots=True, eq=False)
class Node:
    """One subschema. `place` is its JSON Pointer, for messages; the other fields follow the keywords."""

    place: str
    raw: Any
    error: tuple[str, str] | None = None  # message and hint of the SchemaError to raise
    kinds: frozenset[str] | None = None
    whole: bool = False
    listed: frozenset[Identity] | None = None  # enum, const, and anyOf/oneOf that list nothing but those
    strings: frozenset[str] = frozenset()  # those of `listed`
    lists_truth: bool = False  # the strings listed are True and False
    required: frozenset[str] = frozenset()
    checks: tuple[Check, ...] = ()
    closed: bool = False  # additionalProperties: false, and no patterns
    properties: dict[str, "Node"] = field(default_factory=dict)
    patterns: list[tuple[Callable[[str], bool], "Node"]] = field(default_factory=list)
    additional: "Node | None" = None
    prefix: list["Node"] = field(default_factory=list)
    items: "Node | None" = None
    both: list["Node"] = field(default_factory=list)  # $ref and allOf
    choices: list[Choice] = field(default_factory=list)
    negated: "Node | None" = None
    condition: "tuple[Node, Node | None, Node | None] | None" = None  # if, then, else
    dependent: dict[str, "Node"] = field(default_factory=dict)
    contains: Contains | None = None
    names: "Node | None" = None  # propertyNames
    rest_of_properties: "Node | None" = None  # unevaluatedProperties
    rest_of_items: "Node | None" = None  # unevaluatedItems
    telling: "list[tuple[str, Node]]" = field(default_factory=list)  # the properties that list their values
    has_children: bool = False  # says something about the members or items of a value
    simple: bool = True  # `may_hold` and `checks` decide all
    direct: bool = True  # readable, and nothing else in the schema speaks of the same value
    only_chooses: bool = False  # one anyOf or oneOf says all

    def may_hold(self, value: Value) -> bool:
        """False only when the value breaks this node. A few look-ups that tell most branches of an anyOf apart."""
        if self.kinds is not None and value.kind not in self.kinds:
            return False
        if self.listed is not None and not self.lists(value):
            return False
        if value.kind != "object":
            return not self.whole or value.kind != "number" or is_whole(value)
        members = value.data
        if not self.may_have(members.keys()):
            return False
        return all(name not in members or child.lists(members[name]) for name, child in self.telling)

    def may_have(self, names: KeysView[str]) -> bool:
        """False only when an object with just these names breaks this node."""
        if self.kinds is not None and "object" not in self.kinds:
            return False
        return self.required <= names and not (self.closed and not names <= self.properties.keys())

    def lists(self, value: Value) -> bool:
        """Whether enum or const list the value."""
        if value.kind == "string":
            return value.data in self.strings
        return self.listed is not None and value.identity in self.listed

    def for_member(self, name: str) -> list["Node"]:
        """The nodes that a member of an object has to hold (without unevaluatedProperties)."""
        found = [self.properties[name]] if name in self.properties else []
        found += [node for matches, node in self.patterns if matches(name)]
        return found if found or self.additional is None else [self.additional]

    def for_item(self, index: int) -> "Node | None":
        """The node that an item of an array has to hold (without unevaluatedItems)."""
        return self.prefix[index] if index < len(self.prefix) else self.items


class Schema:
    """The nodes of one schema; `root` is the whole. Raises nothing: faults stay in their nodes."""

    def __init__(self, raw: Any) -> None:
        self._references = References(raw)
        self._nodes: dict[int, Node] = {}
        self._unread: list[Node] = []
        self.root = self._node(raw, "#")
        read: list[Node] = []
        while self._unread:
            node = self._unread.pop()
            read.append(node)
            try:
                self._read(node)
            except SchemaError as error:
                node.error = (f"{error.message} (schema, at {node.place})", error.hint)
        for node in read:
            others = bool(node.both or node.condition or node.dependent)
            node.direct = node.error is None and not (others or node.choices)
            alone = not (others or node.listed or node.has_children)
            node.only_chooses = node.error is None and alone and len(node.choices) == 1
            node.telling = [(name, child) for name, child in node.properties.items() if child.listed is not None]

    def _node(self, raw: Any, place: str) -> Node:
        """The node of a subschema; one that only points elsewhere is the node that it points to."""
        passed: set[int] = set()
        while isinstance(raw, dict) and "$ref" in raw and id(raw) not in passed and self._is_pointer(raw):
            passed.add(id(raw))
            try:
                raw = self._references.target(raw["$ref"], raw)
            except SchemaError:
                break  # its own node will say so
        if id(raw) not in self._nodes:
            self._nodes[id(raw)] = Node(place, raw)
            self._unread.append(self._nodes[id(raw)])
        return self._nodes[id(raw)]

    def _is_pointer(self, raw: dict[str, Any]) -> bool:
        return self._references.ref_hides_siblings or all(
            key == "$ref" or key in _ANNOTATIONS or key.startswith("x-") for key in raw
        )

    def _read(self, node: Node) -> None:
        raw = node.raw
        if raw is True:
            return
        if raw is False:
            node.kinds = frozenset()
            return
        if not isinstance(raw, dict):
            raise SchemaError(f"a schema must be an object, true or false, not {raw!r:.60}")
        if self._references.ref_hides_siblings and "$ref" in raw:
            raw = {"$ref": raw["$ref"]}
        node.kinds, node.whole = kinds_of(raw)
        node.required, node.checks = required_of(raw), checks_of(raw)
        self._read_lists(node, raw)
        self._read_object(node, raw)
        self._read_array(node, raw)
        self._read_in_place(node, raw)
        children = (node.properties, node.patterns, node.additional, node.prefix, node.items)
        node.has_children = any((*children, node.rest_of_properties, node.rest_of_items))
        in_place = (node.both, node.choices, node.negated, node.condition, node.dependent, node.contains, node.names)
        node.simple = not (node.has_children or any(in_place))

    def _read_lists(self, node: Node, raw: dict[str, Any]) -> None:
        lists = []
        if "const" in raw:
            lists.append([raw["const"]])
        if "enum" in raw:
            lists.append(_list("enum", raw))
        lists += [values for keyword in ("anyOf", "oneOf") if (values := _listed_by_branches(keyword, raw))]
        if not lists:
            return
        node.listed = frozenset.intersection(*(frozenset(map(identity_of, values)) for values in lists))
        node.strings = frozenset(value for kind, value in node.listed if kind == "str")
        node.lists_truth = any(_are_truth_values(values) for values in lists)

    def _read_object(self, node: Node, raw: dict[str, Any]) -> None:
        node.properties = self._map(node, raw, "properties")
        patterned = self._map(node, raw, "patternProperties")
        node.patterns = [(searcher_for(pattern), child) for pattern, child in patterned.items()]
        node.additional = self._maybe(node, raw, "additionalProperties")
        node.closed = raw.get("additionalProperties") is False and not patterned
        node.names = self._maybe(node, raw, "propertyNames")
        node.rest_of_properties = self._maybe(node, raw, "unevaluatedProperties")
        node.dependent = self._map(node, raw, "dependentSchemas")
        for name, rule in _object("dependencies", raw).items():
            if not isinstance(rule, list):  # a list is dependentRequired
                node.dependent[name] = self._node(rule, f"{node.place}/dependencies/{name}")

    def _read_array(self, node: Node, raw: dict[str, Any]) -> None:
        tuple_keyword = "items" if isinstance(raw.get("items"), list) else "prefixItems"  # before 2020-12: items
        node.prefix = self._sequence(node, raw, tuple_keyword)
        node.items = self._maybe(node, raw, "additionalItems" if tuple_keyword == "items" else "items")
        node.rest_of_items = self._maybe(node, raw, "unevaluatedItems")
        if "contains" in raw:
            child = self._node(raw["contains"], f"{node.place}/contains")
            node.contains = Contains(child, raw.get("minContains", 1), raw.get("maxContains"))

    def _read_in_place(self, node: Node, raw: dict[str, Any]) -> None:
        for keyword in _REFS:
            if keyword in raw:
                target = self._references.target(raw[keyword], node.raw)
                node.both.append(self._node(target, f"{node.place}/{keyword}"))
        node.both += self._sequence(node, raw, "allOf")
        for keyword in ("anyOf", "oneOf"):
            if keyword in raw and not _listed_by_branches(keyword, raw):
                node.choices.append(Choice(self._sequence(node, raw, keyword), keyword == "oneOf"))
        node.negated = self._maybe(node, raw, "not")
        condition = self._maybe(node, raw, "if")
        if condition is not None:
            node.condition = (condition, self._maybe(node, raw, "then"), self._maybe(node, raw, "else"))

    def _maybe(self, node: Node, raw: dict[str, Any], keyword: str) -> Node | None:
        return self._node(raw[keyword], f"{node.place}/{keyword}") if keyword in raw else None

    def _map(self, node: Node, raw: dict[str, Any], keyword: str) -> dict[str, Node]:
        place = f"{node.place}/{keyword}"
        return {name: self._node(child, f"{place}/{name}") for name, child in _object(keyword, raw).items()}

    def _sequence(self, node: Node, raw: dict[str, Any], keyword: str) -> list[Node]:
        children = _list(keyword, raw) if keyword in raw else []
        return [self._node(child, f"{node.place}/{keyword}/{i}") for i, child in enumerate(children)]


def _object(keyword: str, raw: dict[str, Any]) -> dict[str, Any]:
    found = raw.get(keyword, {})
    if not isinstance(found, dict):
        raise SchemaError(f"{keyword} must be an object, not {found!r:.60}")
    return found


def _list(keyword: str, raw: dict[str, Any]) -> list[Any]:
    if not isinstance(raw[keyword], list):
        raise SchemaError(f"{keyword} must be a list, not {raw[keyword]!r:.60}")
    return raw[keyword]


def _listed_by_branches(keyword: str, raw: dict[str, Any]) -> list[Any] | None:
    """The values of an anyOf/oneOf whose branches are nothing but a `const` or an `enum`: it is an enum with labels."""
    values: list[Any] = []
    branches = raw.get(keyword)
    for branch in branches if isinstance(branches, list) else ():
        if not isinstance(branch, dict) or len({"const", "enum"} & branch.keys()) != 1:
            return None
        if not all(key in ("const", "enum") or key in _ANNOTATIONS or key.startswith("x-") for key in branch):
            return None
        values += [branch["const"]] if "const" in branch else _list("enum", branch)
    if keyword == "oneOf" and len(set(map(identity_of, values))) != len(values):
        return None  # a value that two branches list is not valid
    return values or None


def _are_truth_values(values: list[Any]) -> bool:
    return {value.casefold() for value in values if isinstance(value, str)} == {"true", "false"}


def in_place(node: Node, value: Value) -> Iterator[Node]:
    """What holds of the same value whenever the node does, without any choice: $ref, allOf, dependentSchemas."""
    yield from node.both
    if node.dependent and value.kind == "object":
        yield from (child for name, child in node.dependent.items() if name in value.data)
