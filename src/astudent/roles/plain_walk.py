"""The quick part of the walk: what a schema says plainly, on the parser's own tree of a sound text.

A plain node is the only one that speaks of its value, and a choice whose branches scalars tell apart comes to one
branch by look-ups. Most values of most schemas are of these two kinds; whatever is not is left to the general walk.
"""

from typing import Any

from astudent.roles.nodes import Node
from astudent.roles.sound import Sound
from astudent.roles.value import Value
from astudent.roles.walk import listed_role

Left = list[tuple[Value, Node]]
_HOLDS_STRINGS = frozenset({str, dict, list})
_MOST_CHOICES = 16  # in a row for one value; a schema that comes back to itself would go on for ever


def colour_plainly(sound: Sound, schema: Node) -> Left:
    """Colours the enumerated strings of what is plain; gives the values that are not, each with its node."""
    left: Left = []
    contents, pending = sound.contents, [(sound.tree, schema)]
    while pending:
        raw, node = pending.pop()
        kind = type(raw)
        if not node.plain:
            node = _told(raw, node, contents)
        if not node.plain:
            left.append((sound.value(raw), node))
        elif kind is dict:
            goal_of, other = node.properties.get, node.additional
            for name, child in raw.items():
                goal = goal_of(name, other)
                if goal is None:
                    continue
                if type(child) is not str or not goal.plain:
                    if type(child) in _HOLDS_STRINGS:
                        pending.append((child, goal))
                elif goal.strings and contents[int(child)] in goal.strings:
                    _colour(sound, int(child), goal)
        elif kind is list:
            pending += [(item, goal) for index, item in enumerate(raw) if (goal := node.for_item(index)) is not None]
        elif kind is str and contents[int(raw)] in node.strings:
            _colour(sound, int(raw), node)
    return left


def _colour(sound: Sound, number: int, node: Node) -> None:
    sound.paint_string(number, listed_role(node.lists_truth))


def _told(raw: Any, node: Node, contents: list[str]) -> Node:
    """The node that the choices lead to, as far as scalars tell their branches apart."""
    for _ in range(_MOST_CHOICES):
        if node.plain or not node.only_chooses:
            break
        choice = node.choices[0]
        if type(raw) is dict:
            branch = choice.told(raw, contents)
        else:
            branch = choice.told_text(contents[int(raw)]) if type(raw) is str else None
        if branch is None:
            break
        node = branch
    return node
