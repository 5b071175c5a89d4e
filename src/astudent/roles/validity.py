"""Is a value valid under a subschema? Asked only where a schema leaves a choice (anyOf, oneOf, if), each pair once.

The checks are generators that yield the pairs they need to know, and a loop with a stack of its own runs them: no
recursion, whatever the nesting of text or schema. Answers are remembered, so the work for one text is at most its
values times the subschemas: linear in the text.
"""

from collections.abc import Generator, Iterator
from typing import TypeVar

from astudent.roles.limits import LimitError, Limits
from astudent.roles.nodes import Choice, Node, in_place
from astudent.roles.references import SchemaError
from astudent.roles.value import Value

Pair = tuple[Node, Value]
Result = TypeVar("Result")
Asking = Generator[Pair, bool, Result]
"""A computation that yields pairs and is sent whether each is valid."""


class Validity:
    """The answers for the values of one text. `steps` counts the pairs that were looked at."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.steps = 0
        self._most_steps = (limits or Limits()).steps
        self._known: dict[Pair, bool | None] = {}  # None: being worked out

    def holds(self, node: Node, value: Value) -> bool:
        """Whether `value` is valid under `node`. Raises SchemaError (a fault of the schema) and LimitError."""
        return self.run(self._ask(node, value))

    def run(self, asking: Asking[Result]) -> Result:
        """Runs a computation to its end, answering what it asks."""
        stack: list[tuple[Pair | None, Asking]] = [(None, asking)]
        answer = None
        while True:
            pair, running = stack[-1]
            try:
                wanted = running.send(answer)  # type: ignore[arg-type]  (the first send of a generator is None)
            except StopIteration as end:
                stack.pop()
                if pair is None:
                    return end.value
                answer = self._known[pair] = end.value
                continue
            answer = self._at_once(wanted)
            if answer is None:
                self._known[wanted] = None
                stack.append((wanted, self._work_out(*wanted)))

    def count(self, steps: int = 1) -> None:
        """Counts work; raises LimitError when one text has cost too much."""
        self.steps += steps
        if self.steps > self._most_steps:
            problem = f"the schema asks for more than {self._most_steps:,} steps of checking for one text"
            raise LimitError(problem, "Give the branches of its anyOf a const that tells them apart.")

    def _at_once(self, pair: Pair) -> bool | None:
        """The answer where it is remembered or needs no other pair; None where it has to be worked out."""
        self.count()
        node, value = pair
        if node.error is not None:
            raise SchemaError(*node.error)
        if not node.may_hold(value):
            return False
        if node.simple:
            return all(check(value) for check in node.checks)
        if pair not in self._known:
            return None
        return self._known[pair] or False  # None: a subschema that comes back to itself in place never holds

    def _ask(self, node: Node, value: Value) -> Asking[bool]:
        return (yield node, value)

    def _work_out(self, node: Node, value: Value) -> Asking[bool]:
        if not all(check(value) for check in node.checks):
            return False
        for child in in_place(node, value):
            if not (yield child, value):
                return False
        for part in (self._choices, self._conditions, self._members, self._items, self._left_over):
            if not (yield from part(node, value)):
                return False
        return True

    def _choices(self, node: Node, value: Value) -> Asking[bool]:
        for choice in node.choices:
            enough = 2 if choice.exactly_one else 1
            valid = 0
            for branch in choice.branches:
                valid += yield branch, value
                if valid == enough:
                    break
            if valid != 1:
                return False
        return True

    def _conditions(self, node: Node, value: Value) -> Asking[bool]:
        if node.negated is not None and (yield node.negated, value):
            return False
        if node.condition is not None:
            consequence = node.condition[1] if (yield node.condition[0], value) else node.condition[2]
            return consequence is None or (yield consequence, value)
        return True

    def _members(self, node: Node, value: Value) -> Asking[bool]:
        if value.kind != "object" or not (node.has_children or node.names):
            return True
        for name, member in value.data.items():
            for child in node.for_member(name):
                if not (yield child, member):
                    return False
            if node.names is not None and not (yield node.names, Value("string", 0, 0, name)):
                return False
        return True

    def _items(self, node: Node, value: Value) -> Asking[bool]:
        if value.kind != "array" or not (node.has_children or node.contains):
            return True
        for index, item in enumerate(value.data):
            child = node.for_item(index)
            if child is not None and not (yield child, item):
                return False
        if node.contains is None:
            return True
        found = 0
        for item in value.data:
            found += yield node.contains.node, item
        return node.contains.least <= found and (node.contains.most is None or found <= node.contains.most)

    def _left_over(self, node: Node, value: Value) -> Asking[bool]:
        """unevaluatedProperties and unevaluatedItems."""
        for child, member in (yield from self.left_over(node, value)):
            if not (yield child, member):
                return False
        return True

    def left_over(self, node: Node, value: Value) -> Asking[list[Pair]]:
        """The members or items that nothing else in the node speaks of, each with the node that then holds for it."""
        rest = {"object": node.rest_of_properties, "array": node.rest_of_items}.get(value.kind)
        if rest is None:
            return []
        seen: set[str | int] = set()
        pending, done = [node], set()
        while pending:
            applied = pending.pop()
            if applied in done:
                continue
            done.add(applied)
            seen.update((yield from _spoken_of(applied, value, is_top=applied is node)))
            for branch in _branches(applied, value):
                if (yield branch, value):
                    pending.append(branch)
            if applied.condition is not None:
                chosen = applied.condition[1] if (yield applied.condition[0], value) else applied.condition[2]
                pending += [chosen] if chosen is not None else []
        return [(rest, child) for key, child in _children(value) if key not in seen]


def _branches(node: Node, value: Value) -> Iterator[Node]:
    yield from in_place(node, value)
    for choice in node.choices:
        yield from choice.branches
    if node.condition is not None:
        yield node.condition[0]


def _children(value: Value) -> list[tuple[str | int, Value]]:
    return list(value.data.items() if value.kind == "object" else enumerate(value.data))


def _spoken_of(node: Node, value: Value, is_top: bool) -> Asking[list[str | int]]:
    """The names or indices of the children that the node itself evaluates."""
    if not is_top and (node.rest_of_properties if value.kind == "object" else node.rest_of_items) is not None:
        return [key for key, _ in _children(value)]
    if value.kind == "object":
        return [name for name in value.data if node.for_member(name)]
    spoken: list[str | int] = []
    for index, item in enumerate(value.data):
        if node.for_item(index) is not None or (node.contains is not None and (yield node.contains.node, item)):
            spoken.append(index)
    return spoken


def closest(validity: Validity, choice: Choice, value: Value) -> Node:
    """The branch that an invalid value comes nearest to: it has most members or items right; the first of equals."""
    return max(choice.branches, key=lambda branch: validity.run(_likeness(branch, value)))


def _likeness(node: Node, value: Value) -> Asking[tuple[bool, int]]:
    """(the kind of value fits, members or items that are right minus what is missing or unknown)."""
    if node.kinds is not None and value.kind not in node.kinds:
        return (False, 0)
    score = 0 if node.listed is None or value.identity in node.listed else -1
    if value.kind == "object":
        score -= len(node.required - value.data.keys())
        for name, member in value.data.items():
            children = node.for_member(name)
            score -= node.closed and name not in node.properties
            for child in children:
                score += (yield child, member) and name in node.properties
    elif value.kind == "array":
        for index, item in enumerate(value.data):
            child = node.for_item(index)
            score += child is None or (yield child, item)
    return (True, score)
