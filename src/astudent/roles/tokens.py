"""Roles of characters -> roles of tokens, by the character spans that a fast tokenizer gives (`offset_mapping`).

Exact for any tokenizer and normaliser, since nothing is decoded: a span always counts characters of the original text.
- Several tokens may share one character (byte-level BPE and byte fallback split it into bytes): each takes its role.
- One token may cover several roles (`":"`, `"}`): it takes the first of GrammarRole's order among them, or, in the
  fractional mode, a share of each.
- A token that covers no character: the end of turn is END; one inside the text stands for white space that the
  tokenizer trimmed or added (GPT-2's trimmed blank, SentencePiece's leading mark) and is WHITESPACE.
"""

from collections.abc import Sequence
from typing import Any

from astudent.errors import RunError
from astudent.roles.role import PRECEDENCE, ROLES, GrammarRole

Span = tuple[int, int]


_BEYOND = b"\xff" * 64
"""Stands after the ranks of a text's characters, so that a span that reaches outside shows (a negative one too)."""


class _RoleOf(dict[bytes, Any]):
    """The role of a token by the ranks of the characters that it covers; None where it covers none or what is not there.

    Few sequences of ranks come again and again.
    """

    def __missing__(self, ranks: bytes) -> GrammarRole | None:
        role = None if not ranks or ranks[-1] == _BEYOND[0] else ROLES[min(ranks)]
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
    roles = [_ROLE_OF[ranks[start:end]] for start, end in offsets]
    if None in roles:
        _fill(roles, offsets, len(char_roles))
    _mark_end(roles, offsets)
    return roles


def _fill(roles: list[GrammarRole], offsets: Sequence[Span], length: int) -> None:
    """Settles the tokens that cover nothing, or what is not there."""
    for index, (start, end) in enumerate(offsets):
        if roles[index] is None:
            if start != end or not 0 <= start <= length:
                raise RunError(
                    f"a token covers characters {start} to {end}, but the text has {length}",
                    "Give the offsets of the completion alone, not those of prompt and completion together.",
                )
            roles[index] = GrammarRole.WHITESPACE


def token_role_shares(char_roles: Sequence[GrammarRole], offsets: Sequence[Span]) -> list[dict[GrammarRole, float]]:
    """The fractional mode: for each token the share of its characters in each role (the shares add up to 1)."""
    whole = token_roles(char_roles, offsets)
    shares = []
    for role, (start, end) in zip(whole, offsets, strict=True):
        covered = char_roles[start:end] or [role]
        distinct = dict.fromkeys(covered)
        shares.append({each: list(covered).count(each) / len(covered) for each in distinct})
    return shares


def _mark_end(roles: list[GrammarRole], offsets: Sequence[Span]) -> None:
    """The special tokens (0, 0) after the last token that covers something end the turn."""
    for index in range(len(roles) - 1, -1, -1):
        if tuple(offsets[index]) != (0, 0):
            return
        roles[index] = GrammarRole.END
