"""A number or word as models and other languages write it -> a JSON scalar."""

import json
import re
from dataclasses import dataclass

from astudent.roles import JsonSyntaxError

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![\w.+-])")
_LOOSE_NUMBER = re.compile(r"([+-]?)([0-9][0-9_]*+|)(?:\.([0-9]*+))?([eE][+-]?[0-9]++)?(?![\w.+-])")
_CUT_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?[eE][+-]?|\.?)\Z")
WORD = re.compile(r"[^\W\d][\w$-]*+")
BARE = re.compile(r"""[^\s,:\[\]{}"'“”‘’`/#][^,:\[\]{}"'“”‘’`\n]{0,200}""")
_UNOPENED = re.compile(r"""[^\W\d_][^"\n\\{}\[\]:]{0,200}"(?=\s*+(?:[,}\]]|\Z))""")
UNOPENED_KEY = re.compile(r"""[\w $-]{1,100}"(?=[ \t]*+:)""")
_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE"), "true"),
    **dict.fromkeys(("false", "False", "FALSE"), "false"),
    **dict.fromkeys(("null", "None", "NULL", "Null", "undefined", "nil"), "null"),
    **dict.fromkeys(("NaN", "nan", "Infinity", "-Infinity", "+Infinity", "inf", "-inf"), "null"),
}
_CUT_WORDS = {word[:size]: word for word in ("true", "false", "null") for size in range(1, len(word))}


@dataclass(frozen=True, slots=True)
class LooseScalar:
    """The `length` characters that were read are JSON's `text`; `what` was changed (empty: nothing). No text: the
    value was cut off before it said anything."""

    length: int
    text: str
    what: str = ""
    is_bare: bool = False  # a text without quotation marks


def read_scalar(text: str, at: int) -> LooseScalar:
    """The scalar at text[at] that is no string in quotation marks. JsonSyntaxError where there is none, or several readings."""
    number = _NUMBER.match(text, at)
    if number is not None:
        return LooseScalar(len(number.group()), number.group())
    if _CUT_NUMBER.match(text, at):
        return LooseScalar(len(text) - at, "", "the text ends within the number: left out")
    scalar = _loose_number(text, at) or _bare(text, at)
    if scalar is None:
        raise JsonSyntaxError(text, at, f"expected a value, found {text[at]!r}")
    return scalar


def _loose_number(text: str, at: int) -> LooseScalar | None:
    found = _LOOSE_NUMBER.match(text, at)
    if found is None or not (found[2] or found[3]):
        return None
    whole = found[2].replace("_", "") or "0"
    if len(whole) > 1 and whole.startswith("0"):
        raise JsonSyntaxError(text, at, f"{found.group()[:40]} may be octal, a number or a string")
    fraction = f".{found[3] or '0'}" if found[3] is not None else ""
    sign = "-" if found[1] == "-" else ""
    return LooseScalar(len(found.group()), sign + whole + fraction + (found[4] or ""), "number in another notation")


def _bare(text: str, at: int) -> LooseScalar | None:
    """A word: one that means a value in another language, one that was cut off, or a text without its marks."""
    found = BARE.match(text, at)
    if found is None:
        return None
    word = found.group().rstrip()
    if word in ("true", "false", "null"):
        return LooseScalar(len(word), word)
    if word in _WORDS:
        return LooseScalar(len(word), _WORDS[word], "a word that JSON does not have")
    if word in _CUT_WORDS and found.end() == len(text):
        return LooseScalar(len(word), _CUT_WORDS[word], "the text ends within the word")
    if unopened := _UNOPENED.match(text, at):
        return LooseScalar(len(unopened.group()), f'"{unopened.group()}', "opening quotation mark was missing")
    if WORD.match(word) is None:
        raise JsonSyntaxError(text, at, f"{word[:40]!r} may be a number or a string")
    return LooseScalar(len(word), json.dumps(word, ensure_ascii=False), "quotation marks were missing", is_bare=True)
