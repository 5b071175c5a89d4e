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
from astudent.roles.role import PRECEDENCE, GrammarRole

Span = tuple[int, int]


def token_roles(char_roles: Sequence[GrammarRole], offsets: Sequence[Span]) -> list[GrammarRole]:
    """One role per token. `offsets[i]`: start and end (excluded) of token i in characters; special tokens: (0, 0).

    Raises RunError when a span reaches outside the text.
    """
    roles = []
    for start, end in offsets:
        if end - start == 1:
            roles.append(_at(char_roles, start))
        elif start == end:
            roles.append(GrammarRole.WHITESPACE)
        else:
            roles.append(min(_covered(char_roles, start, end), key=PRECEDENCE.__getitem__))
    _mark_end(roles, offsets)
    return roles


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


def _at(char_roles: Sequence[GrammarRole], index: int) -> GrammarRole:
    if not 0 <= index < len(char_roles):
        raise _outside(char_roles, index, index + 1)
    return char_roles[index]


def _covered(char_roles: Sequence[GrammarRole], start: int, end: int) -> Sequence[GrammarRole]:
    if not 0 <= start < end <= len(char_roles):
        raise _outside(char_roles, start, end)
    return char_roles[start:end]


def _outside(char_roles: Sequence[GrammarRole], start: int, end: int) -> RunError:
    return RunError(
        f"a token covers characters {start} to {end}, but the text has {len(char_roles)}",
        "Give the offsets of the completion alone, not those of prompt and completion together.",
    )
