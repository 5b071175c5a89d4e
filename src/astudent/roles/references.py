"""Where a `$ref` of a schema points, inside that schema only: nothing is ever fetched."""

import marshal
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from astudent.errors import RunError

_NO_SCHEMAS_INSIDE = frozenset({"const", "enum", "examples", "default"})
_ID_DRAFTS = ("draft-03/schema", "draft-04/schema")
_OLD_DRAFTS = ("draft-03", "draft-04", "draft-06", "draft-07")


class SchemaError(RunError):
    """The schema is no JSON Schema, points outside itself, or refers to itself without an end."""


class References:
    """The resources (`$id`) and anchors of one schema, indexed on the first look-up, in one iterative walk."""

    def __init__(self, root: Any) -> None:
        self._root = root
        dialect = root.get("$schema") if isinstance(root, dict) else None
        self.ref_hides_siblings = isinstance(dialect, str) and any(draft in dialect for draft in _OLD_DRAFTS)
        self._id_keyword = "id" if isinstance(dialect, str) and dialect.rstrip("#").endswith(_ID_DRAFTS) else "$id"
        self._resources: dict[str, Any] | None = None
        self._addressed: bool | None = None
        self._anchors: dict[tuple[str, str], Any] = {}
        self._base_of: dict[int, str] = {}

    def target(self, ref: Any, within: Any) -> Any:
        """The subschema that `ref`, written in the subschema `within`, points to; SchemaError when there is none."""
        if not isinstance(ref, str):
            raise SchemaError(f"$ref must be a string, not {ref!r}")
        if self._resources is None:
            if ref.startswith("#/") and not self._has_addresses():
                return self._follow(self._root, unquote(ref[1:]), ref)
            self._index()
        base = self._base_of.get(id(within), "")
        uri, fragment = urldefrag(ref)
        uri = base if not uri else urldefrag(urljoin(base, uri))[0]
        if self._resources is None or uri not in self._resources:
            raise SchemaError(f"$ref {ref!r} points outside the schema", "Put what it needs into the schema's $defs.")
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            found = self._anchors.get((uri, fragment))
            if found is None:
                raise SchemaError(f"$ref {ref!r}: the schema has no anchor {fragment!r}")
            return found
        return self._follow(self._resources[uri], fragment, ref)

    def _has_addresses(self) -> bool:
        """Whether the schema, or anything in it, may have an address of its own; asked of its bytes, which is quick."""
        if self._addressed is None:
            try:
                self._addressed = self._id_keyword.encode() in marshal.dumps(self._root, 2)
            except ValueError:  # no plain JSON types, or nested too deeply for marshal
                self._addressed = True
        return self._addressed

    def _follow(self, schema: Any, pointer: str, ref: str) -> Any:
        for raw_step in pointer.split("/")[1:]:
            step = raw_step.replace("~1", "/").replace("~0", "~")
            if isinstance(schema, dict) and step in schema:
                schema = schema[step]
            elif isinstance(schema, list) and step.isdecimal() and int(step) < len(schema):
                schema = schema[int(step)]
            else:
                raise SchemaError(f"$ref {ref!r} points to nothing: there is no {step!r}")
        return schema

    def _index(self) -> None:
        self._resources = {"": self._root}
        pending = [("", self._root)]
        while pending:
            base, schema = pending.pop()
            if isinstance(schema, dict):
                base = self._enter(base, schema)
                pending.extend((base, child) for key, child in schema.items() if key not in _NO_SCHEMAS_INSIDE)
            elif isinstance(schema, list):
                pending.extend((base, child) for child in schema)

    def _enter(self, base: str, schema: dict[str, Any]) -> str:
        """Registers the schema's own address and anchors; returns the base of what stands inside it."""
        own = schema.get(self._id_keyword)
        if isinstance(own, str) and own and not (self.ref_hides_siblings and "$ref" in schema):
            uri, fragment = urldefrag(own)
            if fragment:  # drafts before 2019-09 wrote anchors as "$id": "#name"
                self._anchors[(base, fragment)] = schema
            if uri:
                base = urljoin(base, uri)
                self._resources[base] = schema  # type: ignore[index]  (set by _index)
        self._base_of[id(schema)] = base
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(schema.get(keyword), str):
                self._anchors[(base, schema[keyword])] = schema
        return base
