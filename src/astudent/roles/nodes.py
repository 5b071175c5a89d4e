"""A JSON Schema, read once into nodes that can be asked quickly.

Every subschema becomes one Node, however often `$ref` points to it, so a recursive schema is a graph. What is wrong
with a subschema is kept in its node and raised only when a text comes to it, as validators do.
"""

from collections import Counter
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
    _tables: dict[tuple[str, ...], "_Table"] = field(default_factory=dict)

    def possible(self, value: Value) -> list["Node"]:
        """The branches that `may_hold` for the value, in order."""
        if value.kind != "object":
            return [branch for branch in self.branches if branch.may_hold(value)]
        table = self._table(value.data)
        while table.teller is not None:
            table = table.given(value.data[table.teller].identity)
        return table.branches

    def told(self, members: dict[str, Any], contents: list[str]) -> "Node | None":
        """The one branch that is possible for an object of a sound text (see `Sound.tree`), as far as scalars tell."""
        table = self._table(members)
        while table.teller is not None:
            member = members[table.teller]
            if type(member) is str:
                content = contents[int(member)]
                table = table.texts.get(content) or table.given(("str", content))
            elif type(member) is dict or type(member) is list:
                return None
            else:
                table = table.given(identity_of(member))
        return table.branches[0] if len(table.branches) == 1 else None

    def told_text(self, content: str) -> "Node | None":
        """The one branch that is possible for a string; None where there are several, or none."""
        found = [b for b in self.branches if b.may_be_text and (b.listed is None or content in b.strings)]
        return found[0] if len(found) == 1 else None

    def _table(self, members: dict[str, Any]) -> "_Table":
        names = tuple(members)
        table = self._tables.get(names)
        if table is None:
            open_ones = [branch for branch in self.branches if branch.may_have(members.keys())]
            table = _Table(open_ones, frozenset(names))
            if len(self._tables) < _MOST_NAMES_REMEMBERED:
                self._tables[names] = table
        return table


class _Table:
    """The branches of a choice that are open for an object, narrowed by the value of one member after the other.

    First asked is the member whose value most branches list, as the field's name in `{"field": {"const": "price"}}`: a
    choice of a hundred such branches costs a few look-ups. Only what the texts ask for is worked out.
    """

    __slots__ = ("_known", "_listed", "_names", "_next", "_others", "branches", "teller", "texts")

    def __init__(self, branches: list["Node"], names: frozenset[str]) -> None:
        self.branches = branches
        tells = [[name for name, _ in branch.telling if name in names] for branch in branches]
        counts = Counter(name for told in tells for name in told)
        self.teller = max(counts, key=counts.__getitem__, default=None)
        self._names = names - {self.teller}
        tellers = [dict(branch.telling).get(self.teller or "") for branch in branches]
        self._listed = [None if node is None else node.listed for node in tellers]
        self._known = frozenset().union(*(listed for listed in self._listed if listed is not None))
        self._next: dict[Identity, _Table] = {}
        self.texts: dict[str, _Table] = {}  # those of `_next` whose value is a string
        self._others: _Table | None = None

    def given(self, value: Identity) -> "_Table":
        """The table where the member `teller` has this value."""
        found = self._next.get(value)
        if found is None and value in self._known:
            found = self._next[value] = self._narrowed(value)
            if value[0] == "str":
                self.texts[value[1]] = found
        if found is None:
            found = self._others = self._others or self._narrowed(value)
        return found

    def _narrowed(self, value: Identity) -> "_Table":
        told = zip(self.branches, self._listed, strict=True)
        return _Table([branch for branch, listed in told if listed is None or value in listed], self._names)


@dataclass(slots=True, eq=False)
class Contains:
    """`contains`: between `least` and `most` (None: no bound) items are valid under `node`."""

    node: "Node"
    least: int
    most: int | None


class Node:
    """One subschema. `place` is its JSON Pointer, for messages; the other fields follow the keywords.

    A node is read when it is first asked, so that a large schema costs a short text no more than what the text meets.
    """

    __slots__ = (
        "_schema", "additional", "both", "checks", "choices", "closed", "condition", "contains", "dependent", "direct",
        "error", "has_children", "items", "kinds", "listed", "lists_truth", "names", "negated", "only_chooses",
        "patterns", "place", "plain", "prefix", "properties", "raw", "required", "rest_of_items", "rest_of_properties",
        "simple", "strings", "telling", "whole",
    )  # fmt: skip

    _schema: "Schema"
    place: str
    raw: Any
    error: tuple[str, str] | None  # message and hint of the SchemaError to raise
    kinds: frozenset[str] | None
    whole: bool
    listed: frozenset[Identity] | None  # enum, const, and anyOf/oneOf that list nothing but those
    strings: frozenset[str]  # those of `listed`
    lists_truth: bool  # the strings listed are True and False
    required: frozenset[str]
    checks: tuple[Check, ...]
    closed: bool  # additionalProperties: false, and no patterns
    properties: dict[str, "Node"]
    patterns: list[tuple[Callable[[str], bool], "Node"]]
    additional: "Node | None"
    prefix: list["Node"]
    items: "Node | None"
    both: list["Node"]  # $ref and allOf
    choices: list[Choice]
    negated: "Node | None"
    condition: "tuple[Node, Node | None, Node | None] | None"  # if, then, else
    dependent: dict[str, "Node"]
    contains: Contains | None
    names: "Node | None"  # propertyNames
    rest_of_properties: "Node | None"  # unevaluatedProperties
    rest_of_items: "Node | None"  # unevaluatedItems
    telling: "list[tuple[str, Node]]"  # the properties that list their values
    has_children: bool  # says something about the members or items of a value
    simple: bool  # `may_hold` and `checks` decide all
    direct: bool  # readable, and nothing else in the schema speaks of the same value
    plain: bool  # direct, and each member or item has one node at most that speaks of it
    only_chooses: bool  # one anyOf or oneOf says all

    def __init__(self, schema: "Schema", place: str, raw: Any) -> None:
        self._schema, self.place, self.raw = schema, place, raw

    def __getattr__(self, name: str) -> Any:
        """Called for a field that is not set yet."""
        if name == "telling":
            self.telling = [(key, child) for key, child in self.properties.items() if child.listed is not None]
        elif name in Node.__slots__:
            self._schema.read(self)
        return object.__getattribute__(self, name)

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

    @property
    def may_be_text(self) -> bool:
        """False where `type` forbids strings."""
        return self.kinds is None or "string" in self.kinds

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
        self.root = self._node(raw, "#")

    def read(self, node: Node) -> None:
        """Sets the fields of a node from its subschema, all but `telling`."""
        _set_to_nothing(node)
        try:
            self._read(node)
        except SchemaError as error:
            node.error = (f"{error.message} (schema, at {node.place})", error.hint)
        others = bool(node.both or node.condition or node.dependent)
        node.direct = node.error is None and not (others or node.choices)
        rest = node.rest_of_properties is not None or node.rest_of_items is not None
        node.plain = node.direct and not (node.patterns or rest)
        alone = not (others or node.listed or node.has_children)
        node.only_chooses = node.error is None and alone and len(node.choices) == 1

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
            self._nodes[id(raw)] = Node(self, place, raw)
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
        for keywords, read in _READERS:  # in this order
            if not keywords.isdisjoint(raw):
                read(self, node, raw)
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


_READERS: tuple[tuple[frozenset[str], Callable[[Schema, Node, dict[str, Any]], None]], ...] = (
    (frozenset({"const", "enum", "anyOf", "oneOf"}), Schema._read_lists),
    (
        frozenset({"properties", "patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties"})
        | {"dependentSchemas", "dependencies"},
        Schema._read_object,
    ),
    (frozenset({"items", "prefixItems", "additionalItems", "unevaluatedItems", "contains"}), Schema._read_array),
    (frozenset({*_REFS, "allOf", "anyOf", "oneOf", "not", "if"}), Schema._read_in_place),
)
"""The keywords of a subschema, in groups, with what reads them."""


def _set_to_nothing(node: Node) -> None:
    """As the empty schema, which says nothing of any value."""
    node.error = node.kinds = node.listed = node.additional = node.items = None
    node.negated = node.condition = node.contains = node.names = None
    node.rest_of_properties = node.rest_of_items = None
    node.whole = node.lists_truth = node.closed = node.has_children = False
    node.simple = True
    node.strings = node.required = frozenset()
    node.checks = ()
    node.properties, node.dependent = {}, {}
    node.patterns, node.prefix, node.both, node.choices = [], [], [], []


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
