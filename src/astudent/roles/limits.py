"""Bounds on what a text and a schema may cost, so that hostile input ends in one clear line."""

from dataclasses import dataclass

from astudent.errors import RunError


class LimitError(RunError):
    """The text, or the work that its schema asks for, is larger than the limits allow."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`characters` of one text, `depth` of its nesting, `steps` of schema checking (about 1 us each) for one text."""

    characters: int = 16_000_000
    depth: int = 20_000
    steps: int = 20_000_000
