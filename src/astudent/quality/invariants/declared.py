"""Declared invariants: the rules that a schema's objects carry in "x-invariants", compiled once, checked on each value.

    {"type": "object", "properties": {...}, "x-invariants": ["total == subtotal + tax", {"name": "...", "rule": "..."}]}

A rule's scope is the members of the object that its schema applies to. `$ref` (recursive too), allOf, anyOf, oneOf,
if/then/else and dependentSchemas are followed; a branch counts where the value is valid under it. A rule that mentions
a missing or null member does not apply, but in present(x), `x == null` and the condition of implies. A division by zero
and a wrong type are breaches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from astudent.errors import AstudentError
from astudent.language import linear_patterns
from astudent.language.schema_limits import BudgetError, budget, subschemas
from astudent.language.validation import FORMATS, REGISTRY, LinearValidator, check_schema
from astudent.quality.invariants.breach import Breach, pointer
from astudent.quality.invariants.expression import UnreadableError, parse
from astudent.quality.invariants.nodes import Node, NotApplicableError, Place, Scope
from astudent.quality.invariants.operations import truth
from astudent.quality.invariants.values import BadValueError
from astudent.roles.references import References

KEYWORD = "x-invariants"
MAX_RULES = 200  # of one schema
MAX_VISITS = 50_000  # places of one value, each with the schemas that apply there
MAX_DEPTH = 200  # levels of one value
MAX_BREACHES = 100  # of one value
TOO_LARGE = f"more than {MAX_VISITS} places, or {MAX_DEPTH} levels"
Json = Any


class RuleError(AstudentError):
    """A schema's rule cannot be read. `path` points to it in the schema, `rule` is its text."""

    def __init__(self, path: str, rule: str, reason: str) -> None:
        super().__init__(f"unreadable rule at #{path}: {rule[:120]!r}: {reason}", "Mend the rule, or take it out.")
        self.path = path
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with the name that breaches bear: its own, or its text."""

    name: str
    condition: Node

    def breach(self, scope: Scope, place: Place) -> Breach | None:
        """How the object at `place` breaks the rule; None where it holds or does not apply."""
        try:
            if truth(self.condition.evaluate(scope)):
                return None
            failure = self.condition.failure(scope)
        except NotApplicableError:
            return None
        except BadValueError as error:
            return Breach(pointer(place), self.name, str(error)[:200], self.condition.source)
        return Breach(pointer(place + failure.place), self.name, failure.found[:200], failure.expected[:200])


def compile_invariants(schema: Json) -> "Invariants":
    """The schema's rules, read and ready. RuleError: a rule is unreadable; RunError: rules in an unusable schema."""
    rules = {}
    for node in subschemas(schema):
        if KEYWORD in node:
            rules[id(node)] = list(_rules(node[KEYWORD], schema, node))
    if sum(map(len, rules.values())) > MAX_RULES:
        raise RuleError("", KEYWORD, f"more than {MAX_RULES} rules in one schema")
    if rules:
        check_schema(schema)
    return Invariants(schema, rules)


def _rules(declared: Json, schema: Json, node: Json) -> Iterator[Rule]:
    if not isinstance(declared, list):
        raise RuleError(_place_of(schema, node), str(declared), "x-invariants is a list of rules")
    for index, entry in enumerate(declared):
        text = entry.get("rule") if isinstance(entry, dict) else entry
        name = entry.get("name", text) if isinstance(entry, dict) else text
        try:
            if not isinstance(text, str) or not isinstance(name, str):
                raise UnreadableError('a rule is a text, or {"name": …, "rule": …}')
            yield Rule(name[:200], parse(text))
        except UnreadableError as error:
            raise RuleError(f"{_place_of(schema, node)}/{index}", str(text), str(error)) from None


def _place_of(schema: Json, wanted: Json) -> str:
    """Where the rules of a schema node stand, as a pointer into the schema."""
    pending: list[tuple[Place, Json]] = [((), schema)]
    while pending:
        place, node = pending.pop()
        if node is wanted:
            return pointer((*place, KEYWORD))
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        pending += [((*place, step), child) for step, child in children]
    return pointer((KEYWORD,))


class Invariants:
    """The compiled rules of one schema."""

    def __init__(self, schema: Json, rules: dict[int, list[Rule]]) -> None:
        self._schema = schema  # kept alive: the rules hang on its nodes' identities
        self._rules = rules
        self._references = References(schema)
        self._targets: dict[tuple[int, str], Json] = {}
        self._useful = self._leading_to_rules() if rules else set()
        self._validator = LinearValidator(schema, registry=REGISTRY, format_checker=FORMATS) if rules else None

    def __len__(self) -> int:
        return sum(map(len, self._rules.values()))

    def breaches(self, value: Json) -> list[Breach]:
        """Each rule that an object of the value breaks, in the value's order; at most MAX_BREACHES."""
        found: list[Breach] = []
        for place, scope, rule in self.applications(value):
            breach = (
                rule.breach(scope, place) if rule else Breach("", KEYWORD, TOO_LARGE, "a value that can be checked")
            )
            if breach:
                found.append(breach)
            if len(found) >= MAX_BREACHES:
                break
        return found

    def applications(self, value: Json) -> Iterator[tuple[Place, Scope, Rule | None]]:
        """Each object of the value with each rule that is declared for it; None for a rule: the value is too large."""
        if not self._rules:
            return
        pending: list[tuple[Place, Json, list[Json]]] = [((), value, [self._schema])]
        visits = 0
        while pending:
            place, value, nodes = pending.pop()
            applying = self._applying(value, nodes)
            visits += 1 + len(applying)
            if visits > MAX_VISITS or len(place) > MAX_DEPTH:
                yield (), {}, None
                return
            if isinstance(value, dict):
                yield from ((place, value, rule) for node in applying for rule in self._rules.get(id(node), ()))
            pending += reversed(list(self._children(place, value, applying)))

    def _applying(self, value: Json, nodes: list[Json]) -> list[Json]:
        """The nodes, and all that apply to the same place through them; each once, those without rules left out."""
        seen: dict[int, Json] = {}
        pending = list(reversed(nodes))
        while pending:
            node = pending.pop()
            if id(node) in self._useful and id(node) not in seen:
                seen[id(node)] = node
                pending += reversed([inner for test, inner in self._in_place(node) if self._admits(test, value)])
        return list(seen.values())

    def _in_place(self, node: Json) -> Iterator[tuple[Json, Json]]:
        """Pairs of a condition (None: always; a name: the member is there; a schema: valid under it) and a schema."""
        for key in ("$ref", "$dynamicRef"):
            if isinstance(node.get(key), str):
                yield None, self._target(node, key)
        yield from ((None, inner) for inner in node.get("allOf", ()))
        yield from ((inner, inner) for key in ("anyOf", "oneOf") for inner in node.get(key, ()))
        if "if" in node:
            yield node["if"], node["if"]
            yield node["if"], node.get("then")
            yield {"not": node["if"]}, node.get("else")
        yield from node.get("dependentSchemas", {}).items()

    def _target(self, node: Json, key: str) -> Json:
        cached = (id(node), key)
        if cached not in self._targets:
            self._targets[cached] = self._references.target(node[key], node)
        return self._targets[cached]

    def _admits(self, test: Json, value: Json) -> bool:
        if test is None or isinstance(test, str):
            return test is None or (isinstance(value, dict) and test in value)
        assert self._validator is not None
        try:
            with budget():
                return self._validator.evolve(schema=test).is_valid(value)
        except (BudgetError, RecursionError):
            return False

    def _children(self, place: Place, value: Json, nodes: list[Json]) -> Iterator[tuple[Place, Json, list[Json]]]:
        if not nodes or not isinstance(value, dict | list):
            return
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            applying = [inner for node in nodes for inner in below(node, step)]
            if any(id(inner) in self._useful for inner in applying):
                yield (*place, step), child, applying

    def _leading_to_rules(self) -> set[int]:
        """The identities of all schema nodes from which a rule can be reached: the others need no visit."""
        parents: dict[int, list[int]] = {}
        for node in subschemas(self._schema):
            for inner in [*_all_below(node), *(inner for _, inner in self._in_place(node))]:
                parents.setdefault(id(inner), []).append(id(node))
        useful, pending = set(self._rules), list(self._rules)
        while pending:
            for parent in parents.get(pending.pop(), ()):
                if parent not in useful:
                    useful.add(parent)
                    pending.append(parent)
        return useful


def below(node: Json, step: str | int) -> Iterator[Json]:
    """The schemas that a node applies to its member or element `step`."""
    if isinstance(step, int):
        fixed = node.get("prefixItems", [])
        yield fixed[step] if step < len(fixed) else node.get("items")
        return
    named = [node["properties"][step]] if step in node.get("properties", {}) else []
    named += [
        inner for pattern, inner in node.get("patternProperties", {}).items() if linear_patterns.search(pattern, step)
    ]
    yield from named or [node.get("additionalProperties")]


def _all_below(node: Json) -> Iterator[Json]:
    for key in ("properties", "patternProperties"):
        yield from node.get(key, {}).values()
    yield from node.get("prefixItems", ())
    yield from (node[key] for key in ("items", "additionalProperties") if key in node)
