"""A JSON value that knows where it stands in its text."""

from hashlib import blake2b
from typing import Any, Literal

Kind = Literal["object", "array", "string", "number", "boolean", "null"]
Identity = tuple[str, Any]

_KINDS: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
    (dict, "object"),
    ((list, tuple), "array"),
    (str, "string"),
    (bool, "boolean"),
    (type(None), "null"),
)


class Value:
    """One value at text[start:end] (in characters).

    `data` is a dict of Values (object; of a repeated name the last), a list of Values (array), or the Python scalar.
    `repeated` holds the members whose name comes again later in the same object, in order.
    """

    __slots__ = ("_identity", "data", "end", "kind", "repeated", "start")

    def __init__(self, kind: Kind, start: int, end: int, data: Any) -> None:
        self.kind, self.start, self.end, self.data = kind, start, end, data
        self.repeated: list[tuple[str, Value]] | None = None
        self._identity: Identity | None = None

    @property
    def identity(self) -> Identity:
        """Equal for two values exactly when JSON Schema calls them equal (1 and 1.0 are, 1 and true are not)."""
        if self._identity is None:
            self._identity = _container_identity(self) if isinstance(self.data, dict | list) else _scalar(self.data)
        return self._identity


def identity_of(plain: Any) -> Identity:
    """The identity of a value that stands in a schema (parsed JSON), comparable with `Value.identity`."""
    return value_of(plain).identity


def value_of(plain: Any) -> Value:
    """Parsed JSON as a Value that stands nowhere (start = end = 0). Iterative: any depth."""
    top = _shallow(plain)
    pending = [top]
    while pending:
        value = pending.pop()
        if value.kind == "object":
            value.data = {name: _shallow(child) for name, child in value.data.items()}
            pending.extend(value.data.values())
        elif value.kind == "array":
            value.data = [_shallow(child) for child in value.data]
            pending.extend(value.data)
    return top


def _shallow(plain: Any) -> Value:
    for types, kind in _KINDS:
        if isinstance(plain, types):
            return Value(kind, 0, 0, plain)
    return Value("number", 0, 0, plain)


def _scalar(data: Any) -> Identity:
    """(type, value); a number that is whole is the same whether written 1, 1.0 or 1e0."""
    if data is None or isinstance(data, bool | str):
        return (type(data).__name__, data)
    if isinstance(data, float) and data.is_integer():
        return ("number", int(data))
    return ("number", data)


def _container_identity(top: Value) -> Identity:
    """A digest built from the leaves upwards, so that depth costs no recursion and each value is hashed once."""
    order, pending = [], [top]
    while pending:
        value = pending.pop()
        if value._identity is None and isinstance(value.data, dict | list):
            order.append(value)
            pending.extend(value.data.values() if isinstance(value.data, dict) else value.data)
    for value in reversed(order):
        if value.kind == "object":
            parts: list[Any] = sorted((name, child.identity) for name, child in value.data.items())
        else:
            parts = [child.identity for child in value.data]
        value._identity = (value.kind, blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest())
    assert top._identity is not None
    return top._identity
