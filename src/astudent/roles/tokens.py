"""Roles of characters -> roles of tokens, by the character spans that a fast tokenizer gives (`offset_mapping`).

Exact for any tokenizer and normaliser, since nothing is decoded: a span always counts characters of the original text.
- Several tokens may share one character (byte-level BPE and byte fallback split it into bytes): each takes its role.
- One token may cover several roles (`":"`, `"}`): it takes the first of GrammarRole's order among them, or, in the
  fractional mode, a share of each.
- A token that covers no character: the end of turn is END; one inside the text stands for white space that the
  tokenizer trimmed or added (GPT-2's trimmed blank, SentencePiece's leading mark) and is WHITESPACE.
"""

from collections.abc import Sequence

from astudent.errors import RunError
from astudent.roles.role import PRECEDENCE, ROLES, GrammarRole

Span = tuple[int, int]


_BEYOND = b"\xff" * 64
"""Stands after the ranks of a text's characters, so that a span that reaches outside shows (a negative one too)."""


class _NothingThere(KeyError):
    """A token covers no character, or one that is not there."""


class _RoleOf(dict[bytes, GrammarRole]):
    """The role of a token by the ranks of the characters that it covers: few sequences of them come again and again."""

    def __missing__(self, ranks: bytes) -> GrammarRole:
        if not ranks or ranks[-1] == _BEYOND[0]:
            raise _NothingThere
        role = ROLES[min(ranks)]
        if len(ranks) <= _LONGEST_KEPT and len(self) < _MOST_KEPT:
            self[ranks] = role
        return role


_LONGEST_KEPT, _MOST_KEPT = 32, 65_536
_ROLE_OF = _RoleOf()


def token_roles(char_roles: Sequence[GrammarRole], offsets: Sequence[Span]) -> list[GrammarRole]:
    """One role per token. `offsets[i]`: start and end (excluded) of token i in characters; special tokens: (0, 0).

    Raises RunError when a span reaches outside the text.
    """
    ranks = bytes(map(PRECEDENCE.__getitem__, char_roles)) + _BEYOND
    last = len(offsets)
    while last and not any(offsets[last - 1]):
        last -= 1  # the special tokens (0, 0) after all that cover something: the end of the turn
    covering = offsets[:last]
    try:
        roles = [_ROLE_OF[ranks[start:end]] for start, end in covering]
    except _NothingThere:
        roles = [_role_of(ranks, start, end, len(char_roles)) for start, end in covering]
    return roles + [GrammarRole.END] * (len(offsets) - last)


def _role_of(ranks: bytes, start: int, end: int, length: int) -> GrammarRole:
    """The same for one token, which may cover nothing; RunError for one that covers what is not there."""
    if not 0 <= start <= end <= length:
        raise RunError(
            f"a token covers characters {start} to {end}, but the text has {length}",
            "Give the offsets of the completion alone, not those of prompt and completion together.",
        )
    return _ROLE_OF[ranks[start:end]] if start < end else GrammarRole.WHITESPACE


def token_role_shares(char_roles: Sequence[GrammarRole], offsets: Sequence[Span]) -> list[dict[GrammarRole, float]]:
    """The fractional mode: for each token the share of its characters in each role (the shares add up to 1)."""
    whole = token_roles(char_roles, offsets)
    shares = []
    for role, (start, end) in zip(whole, offsets, strict=True):
        covered = char_roles[start:end] or [role]
        distinct = dict.fromkeys(covered)
        shares.append({each: list(covered).count(each) / len(covered) for each in distinct})
    return shares
