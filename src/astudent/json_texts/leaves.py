"""A JSON text as its leaves: what stands at which path, and in which role."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from astudent.json_texts.verdict import children_of, joined
from astudent.roles import GrammarRole, RoleAssigner
from astudent.roles.role import ROLES
from astudent.roles.scan import Scan
from astudent.roles.value import Identity, Value

Place = tuple[str, bool]
"""A path, and whether the name that stands there is meant instead of the value."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A member's name, a scalar, or an empty container; equal to another one by its identity alone."""

    identity: Identity
    text: str = field(compare=False)
    folded: str = field(compare=False)
    role: GrammarRole = field(compare=False)


def leaves(assigner: RoleAssigner, text: str) -> dict[Place, Leaf]:
    """All leaves of a text by their place. Raises JsonSyntaxError for a text that is no JSON, LimitError beyond the limits."""
    return dict(_walk(assigner.scan(text), text))


def _walk(scanned: Scan, text: str) -> Iterator[tuple[Place, Leaf]]:
    assert scanned.root is not None
    pending = [("", "", scanned.root)]
    while pending:
        path, folded, value = pending.pop()
        if not value.data or not isinstance(value.data, dict | list):
            role = _role(scanned, value)
            yield (path, False), Leaf(value.identity, text[value.start : value.end], folded, role)
            continue
        children = []
        for step, child in children_of(value):
            child_path = joined(path, step)
            child_folded = f"{folded}[]" if isinstance(step, int) else joined(folded, step)
            if isinstance(step, str):
                yield (child_path, True), Leaf(("name", step), step, child_folded, GrammarRole.KEY)
            children.append((child_path, child_folded, child))
        pending += reversed(children)


def _role(scanned: Scan, value: Value) -> GrammarRole:
    """The role of what the value says: of a string its content's; an empty one is free text."""
    if value.kind != "string":
        return ROLES[scanned.codes[value.start]]
    return ROLES[scanned.codes[value.start + 1]] if value.end - value.start > 2 else GrammarRole.FREE_TEXT
