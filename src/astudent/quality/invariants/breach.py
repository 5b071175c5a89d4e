"""What every check of this package gives: one broken rule at one place of a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breach:
    """`path` is a JSON pointer into the value; `found` and `expected` are short texts, `total = 12.35`."""

    path: str
    rule: str
    found: str
    expected: str


def pointer(steps: tuple[str | int, ...]) -> str:
    """The JSON pointer (RFC 6901) of a place; empty for the whole value."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
