"""Selective loss: which characters of an answer count, and from there what each token weighs in the loss.

A strategy leaves grammar out, so that the loss is spent on what can be wrong; regular expressions name spans that count
all the same; weights by role scale what counts. A token counts when any character that it covers does: leaving out a
token that holds the first letters of a value, since it also holds a brace, would hide what the strategy is for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, Protocol, get_args

from astudent.errors import UsageError
from astudent.roles.patterns import SpanFinder, span_finder
from astudent.roles.role import GrammarRole
from astudent.roles.tokens import Span, token_roles

Strategy = Literal["none", "conservative", "moderate", "aggressive"]
_COLON = re.compile(r"[ \t\n\r]*:")


class Part(IntEnum):
    """What a character is a part of, as the strategies tell them apart."""

    VALUE = 0  # a string with its quotes, a number, true, false, null; and whatever is not JSON
    NAME = 1  # the name of a member with its quotes
    PUNCTUATION = 2  # { } [ ] : ,
    BLANK = 3


LEFT_OUT: dict[Strategy, frozenset[Part]] = {
    "none": frozenset(),
    "conservative": frozenset({Part.PUNCTUATION}),
    "moderate": frozenset({Part.PUNCTUATION, Part.NAME}),
    "aggressive": frozenset({Part.PUNCTUATION, Part.NAME, Part.BLANK}),
}


class SelectiveSettings(Protocol):
    """The keys of a configuration that say what counts."""

    @property
    def use_selective_loss(self) -> bool: ...
    @property
    def selective_loss(self) -> Strategy: ...
    @property
    def semantic_patterns(self) -> tuple[str, ...]: ...
    @property
    def role_weights(self) -> dict[str, float]: ...


@dataclass(frozen=True)
class TokenWeights:
    """What each token of an answer weighs: 0 where the strategy leaves it out, else its role's weight (1 where unnamed).

    What a pattern matches (its groups, where it has some) counts whatever the strategy and the weights say. UsageError
    for an unknown role or strategy, and for a pattern that cannot be read.
    """

    strategy: Strategy = "none"
    patterns: tuple[str, ...] = ()
    role_weights: Mapping[str, float] = field(default_factory=dict)
    _finders: tuple[SpanFinder, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        roles = [role.value for role in GrammarRole]
        unknown = sorted(set(self.role_weights) - set(roles))
        if unknown:
            raise UsageError(f"role_weights: no such role: {', '.join(unknown)}", f"The roles: {', '.join(roles)}.")
        if self.strategy not in LEFT_OUT:
            raise UsageError(f"selective_loss: {self.strategy!r}", f"Take one of {', '.join(get_args(Strategy))}.")
        object.__setattr__(self, "_finders", tuple(map(_finder, self.patterns)))

    @classmethod
    def of(cls, settings: SelectiveSettings) -> "TokenWeights":
        """As a configuration has them; without `use_selective_loss` the weights by role alone."""
        if not settings.use_selective_loss:
            return cls(role_weights=settings.role_weights)
        return cls(settings.selective_loss, settings.semantic_patterns, settings.role_weights)

    def of_tokens(self, text: str, char_roles: Sequence[GrammarRole], offsets: Sequence[Span]) -> list[float]:
        """The weight of each token of `text`. END, the end of turn, is left out by no strategy."""
        of_roles = [self.role_weights.get(role, 1.0) for role in token_roles(char_roles, offsets)]
        if self.strategy == "none" and not self._finders:
            return of_roles
        left_out = {part.value for part in LEFT_OUT[self.strategy]}
        counts = bytes(part not in left_out for part in parts(text, char_roles))
        meant = self._meant(text)
        return [
            (weight or 1.0) if any(meant[start:end]) else weight if _counts(counts, start, end) else 0.0
            for weight, (start, end) in zip(of_roles, offsets, strict=True)
        ]

    def _meant(self, text: str) -> bytearray:
        """(characters,): 1 where a pattern matches."""
        meant = bytearray(len(text))
        for find in self._finders:
            for start, end in find(text):
                meant[start:end] = b"\1" * (end - start)
        return meant


def _counts(counts: bytes, start: int, end: int) -> bool:
    return start == end or any(counts[start:end])


def _finder(pattern: str) -> SpanFinder:
    try:
        return span_finder(pattern)
    except ValueError as error:
        raise UsageError(
            f"semantic_patterns: {pattern!r} cannot be read: {error}", "Write it as for Python's re."
        ) from None


def parts(text: str, roles: Sequence[GrammarRole]) -> bytearray:
    """What each character is a part of, as `Part`."""
    found = bytearray(map(_PART_OF.__getitem__, roles))
    for index, role in enumerate(roles):
        if role is GrammarRole.STRUCTURAL and text[index] not in "{}[]:,":
            found[index] = Part.VALUE  # null
    for start, end in _quoted(roles):
        if _COLON.match(text, end):
            found[start:end] = bytes([Part.NAME]) * (end - start)
    return found


def _quoted(roles: Sequence[GrammarRole]) -> Iterator[Span]:
    """From each opening quote to behind the closing one."""
    quotes = [index for index, role in enumerate(roles) if role is GrammarRole.QUOTE]
    for opening, closing in zip(quotes[::2], quotes[1::2], strict=False):
        yield opening, closing + 1


_PART_OF = {
    **dict.fromkeys(GrammarRole, Part.VALUE),
    GrammarRole.KEY: Part.NAME,
    GrammarRole.STRUCTURAL: Part.PUNCTUATION,
    GrammarRole.WHITESPACE: Part.BLANK,
}

EVEN = TokenWeights()
"""Every token counts alike."""
