"""A JSON value that knows where it stands in its text."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal

Kind = Literal["object", "array", "string", "number", "boolean", "null"]
Identity = tuple[str, Any]

Placed = Callable[[int], tuple[str, int, int]]
"""The n-th string of a text: its content, and where it stands with its quotes."""

_KINDS: dict[type, Kind] = {
    dict: "object",
    list: "array",
    tuple: "array",
    str: "string",
    bool: "boolean",
    type(None): "null",
    int: "number",
    float: "number",
}


class Value:
    """One value at text[start:end] (in characters; of a container that was read by `value_of`, 0).

    `data` is a dict of Values (object; of a repeated name the last), a list of Values (array), or the Python scalar.
    `repeated` holds the members whose name comes again later in the same object, in order.
    """

    __slots__ = ("_identity", "_strings", "_unread", "data", "end", "kind", "repeated", "start")

    data: Any

    def __init__(self, kind: Kind, start: int, end: int, data: Any) -> None:
        self.kind, self.start, self.end, self.data = kind, start, end, data
        self.repeated: list[tuple[str, Value]] | None = None
        self._identity: Identity | None = None

    def __getattr__(self, name: str) -> Any:
        """Called for the members or items of a container that nobody has asked for yet (see `value_of`)."""
        if name != "data":
            raise AttributeError(name)
        raw, strings = self._unread, self._strings
        if self.kind == "object":
            self.data = {key: value_of(child, strings) for key, child in raw.items()}
        else:
            self.data = [value_of(child, strings) for child in raw]
        return self.data

    @property
    def identity(self) -> Identity:
        """Equal for two values exactly when JSON Schema calls them equal (1 and 1.0 are, 1 and true are not)."""
        if self._identity is None:
            self._identity = _container_identity(self) if isinstance(self.data, dict | list) else _scalar(self.data)
        return self._identity


def identity_of(plain: Any) -> Identity:
    """The identity of a value that stands in a schema (parsed JSON), comparable with `Value.identity`."""
    return value_of(plain).identity


def value_of(plain: Any, strings: Placed | None = None) -> Value:
    """Parsed JSON as a Value; what is inside a container is made when it is asked for, so any depth is allowed.

    It stands nowhere (start = end = 0); or, where `strings` is given, each string of `plain` is a number to ask it for.
    """
    kind = _KINDS.get(type(plain)) or _kind_of(plain)
    value = Value.__new__(Value)
    value.kind, value.start, value.end = kind, 0, 0
    value.repeated = value._identity = None
    if kind == "object" or kind == "array":
        value._unread, value._strings = plain, strings
    elif kind == "string" and strings is not None:
        value.data, value.start, value.end = strings(int(plain))
    else:
        value.data = plain
    return value


def _kind_of(plain: Any) -> Kind:
    """The kind of a value whose class a caller derived from a plain one, as StrEnum from str."""
    kinds: list[Kind] = [kind for kinds, kind in _KINDS.items() if isinstance(plain, kinds)]
    return kinds[0] if kinds else "number"


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
        if value._identity is None and value.kind in ("object", "array"):
            order.append(value)
            pending.extend(value.data.values() if value.kind == "object" else value.data)
    for value in reversed(order):
        if value.kind == "object":
            parts: list[Any] = sorted((name, child.identity) for name, child in value.data.items())
        else:
            parts = [child.identity for child in value.data]
        value._identity = (value.kind, blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest())
    assert top._identity is not None
    return top._identity
