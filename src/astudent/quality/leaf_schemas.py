"""Which schema nodes speak about a place of a value, and whether they give the value that stands there."""

from collections.abc import Iterator
from typing import Any

from astudent.quality.invariants.declared import below
from astudent.quality.invariants.nodes import Place
from astudent.roles.references import References

MAX_NODES = 500  # that speak about one place
IN_PLACE = ("allOf", "anyOf", "oneOf")
Json = Any


class LeafSchemas:
    """The nodes of one schema by place; every branch counts, also one that the value does not take."""

    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self._references = References(schema)

    def gives(self, place: Place, leaf: Json) -> bool:
        """Whether the schema enumerates the leaf's values, fixes it, or has it as default."""
        nodes = self._closed([self._schema])
        for step in place:
            nodes = self._closed([inner for node in nodes for inner in below(node, step)])
        return any("enum" in node or "const" in node or node.get("default") == leaf for node in nodes)

    def _closed(self, nodes: list[Json]) -> list[dict[str, Json]]:
        """The nodes and those that they refer to for the same place, each once."""
        seen: dict[int, dict[str, Json]] = {}
        pending = list(nodes)
        while pending and len(seen) < MAX_NODES:
            node = pending.pop()
            if isinstance(node, dict) and id(node) not in seen:
                seen[id(node)] = node
                pending += self._same_place(node)
        return list(seen.values())

    def _same_place(self, node: dict[str, Json]) -> Iterator[Json]:
        for key in ("$ref", "$dynamicRef"):
            if isinstance(node.get(key), str):
                yield self._references.target(node[key], node)
        for key in IN_PLACE:
            yield from node.get(key, ())
        yield from (node[key] for key in ("if", "then", "else") if key in node)
