"""The walk of a text's values along its schema, in full generality: it finds the strings that the schema enumerates.

A value may have to hold several subschemas at once (allOf), and several branches of an anyOf may be valid for it; so
each value carries *ways*: sets of subschemas, one set per combination of valid branches. A string is enumerated when it
is so in every way: where one valid branch lets any string stand, the string is free.
"""

from collections.abc import Callable, Sequence

from astudent.roles.nodes import Choice, Node, in_place
from astudent.roles.references import SchemaError
from astudent.roles.role import GrammarRole
from astudent.roles.validity import Validity, closest
from astudent.roles.value import Value

Way = frozenset[Node]
Goal = Node | list[Way]
"""What a value has to hold: one node, or several ways."""
_HOLDS_STRINGS = frozenset({"string", "object", "array"})
_MOST_WAYS = 64  # beyond it a choice counts as free: real schemas stay below ten


def listed_role(is_truth: bool) -> GrammarRole:
    """The role of the inside of a string that its schema lists; `is_truth`: the list is True and False."""
    return GrammarRole.BOOLEAN if is_truth else GrammarRole.ENUM_VALUE


class Walk:
    """Paints the enumerated strings: `paint(start, end, role)` gives characters their role."""

    def __init__(self, paint: Callable[[int, int, GrammarRole], None], validity: Validity) -> None:
        self._paint, self._validity = paint, validity

    def colour(self, values: Sequence[tuple[Value, Node]]) -> None:
        """Takes each value, and all that is inside it, with the node that speaks of it."""
        pending: list[tuple[Value, Goal]] = [*values]
        while pending:
            value, goal = pending.pop()
            if value.kind not in _HOLDS_STRINGS:
                continue
            if isinstance(goal, Node):
                goal = goal if goal.plain else self._settled(value, goal)
            if isinstance(goal, Node):
                self._take_one(value, goal, pending)
            else:
                pending += self._take_ways(value, self._expanded(value, goal))

    def _settled(self, value: Value, node: Node) -> Goal:
        """The one node that says all about the value, or else the ways. Most values of most schemas have one."""
        passed: set[Node] = set()
        while not node.direct:
            live = self._live(node.choices[0], value) if node.only_chooses and node not in passed else []
            if len(live) != 1:
                return [frozenset([node])]
            passed.add(node)
            node = live[0]
        return node if node.plain else [frozenset([node])]

    def _take_one(self, value: Value, node: Node, pending: list[tuple[Value, Goal]]) -> None:
        """Colours a string by the node; adds the children of anything else to `pending`, each with its goal."""
        self._validity.count()
        if value.kind == "string":
            if value.data in node.strings:
                self._colour(value, node.lists_truth)
        elif value.kind == "array":
            items = enumerate(value.data)
            pending += [(item, goal) for index, item in items if (goal := node.for_item(index)) is not None]
        else:
            goals, other = node.properties, node.additional
            members = value.data.items() if value.repeated is None else _members(value)
            pending += [(child, goal) for name, child in members if (goal := goals.get(name, other)) is not None]

    def _take_ways(self, value: Value, ways: list[Way]) -> list[tuple[Value, Goal]]:
        """The same for a value that several nodes speak of."""
        if value.kind != "string":
            return [(child, child_ways) for child, child_ways in self._children(value, ways) if all(child_ways)]
        lists = [[node for node in way if node.lists(value)] for way in ways]
        if all(lists):
            self._colour(value, all(any(node.lists_truth for node in nodes) for nodes in lists))
        return []

    def _colour(self, value: Value, is_truth: bool) -> None:
        self._paint(value.start + 1, value.end - 1, listed_role(is_truth))

    def _children(self, value: Value, ways: list[Way]) -> list[tuple[Value, list[Way]]]:
        """The members or items of `value`, each with its ways."""
        if not all(ways):
            return []
        left_over = {node: self._left_over(node, value) for way in ways for node in way if _has_rest(node)}
        if value.kind == "object":
            members = _members(value)
            return [(child, [_member_way(way, name, child, left_over) for way in ways]) for name, child in members]
        items = enumerate(value.data)
        return [(child, [_item_way(way, index, child, left_over) for way in ways]) for index, child in items]

    def _left_over(self, node: Node, value: Value) -> dict[Value, Node]:
        return {child: rest for rest, child in self._validity.run(self._validity.left_over(node, value))}

    def _expanded(self, value: Value, ways: list[Way]) -> list[Way]:
        """The ways with every $ref, allOf, if and choice followed as far as it speaks of this same value."""
        is_string = value.kind == "string"
        found: set[Way] = set()
        pending = [(list(way), set[Node]()) for way in ways]
        while pending:
            todo, done = pending.pop()
            while todo:
                item = todo.pop()
                if isinstance(item, Choice):
                    item, *others = self._live(item, value)
                    if len(pending) + len(found) + len(others) >= _MOST_WAYS:
                        continue
                    pending += [([*todo, other], set(done)) for other in others]
                if item not in done:
                    done.add(item)
                    todo += self._speaking_of(item, value)
            found.add(frozenset(node for node in done if (node.listed is not None if is_string else node.has_children)))
        return _weakest(found)

    def _speaking_of(self, node: Node, value: Value) -> list[Node | Choice]:
        """What else must hold of the value, when the node does."""
        self._validity.count()
        if node.error is not None:
            raise SchemaError(*node.error)
        found: list[Node | Choice] = [*in_place(node, value), *node.choices]
        if node.condition is not None:
            test, then, otherwise = node.condition
            consequence = then if self._validity.holds(test, value) else otherwise  # `if` itself demands nothing
            found += [consequence] if consequence is not None else []
        return found

    def _live(self, choice: Choice, value: Value) -> list[Node]:
        """The branches of a choice that are valid for the value, or else the nearest one.

        A single branch that may hold is taken without validating what is below it: the others are out already.
        """
        self._validity.count(len(choice.branches))
        possible = choice.possible(value)
        if len(possible) == 1:
            return possible
        valid = [branch for branch in possible if self._validity.holds(branch, value)]
        return valid or [closest(self._validity, Choice(possible or choice.branches, choice.exactly_one), value)]


def _members(value: Value) -> list[tuple[str, Value]]:
    """All members of an object; where a name is repeated, each of them."""
    return [*value.data.items(), *(value.repeated or ())]


def _has_rest(node: Node) -> bool:
    return node.rest_of_properties is not None or node.rest_of_items is not None


def _member_way(way: Way, name: str, child: Value, left_over: dict[Node, dict[Value, Node]]) -> Way:
    found = {node for parent in way for node in parent.for_member(name)}
    return _with_rest(way, found, child, left_over)


def _item_way(way: Way, index: int, child: Value, left_over: dict[Node, dict[Value, Node]]) -> Way:
    found = {node for parent in way if (node := parent.for_item(index)) is not None}
    return _with_rest(way, found, child, left_over)


def _with_rest(way: Way, found: set[Node], child: Value, left_over: dict[Node, dict[Value, Node]]) -> Way:
    return frozenset(found | {rests[child] for parent, rests in left_over.items() if parent in way and child in rests})


def _weakest(ways: set[Way]) -> list[Way]:
    """Without the ways that demand more than another one does: they decide nothing."""
    if len(ways) == 1:
        return list(ways)
    return [way for way in ways if not any(other < way for other in ways)]
