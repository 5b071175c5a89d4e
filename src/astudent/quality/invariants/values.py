"""JSON values as rules see them: exact decimals, dates, texts, booleans, lists; and how they are shown."""

import datetime
import decimal
import re
from decimal import Decimal
from typing import Any

Json = Any
Value = Any  # Decimal, str, bool, None, dict, or a list of them

MAX_DIGITS = 60  # of one number, and its distance from the point
CONTEXT = decimal.Context(
    prec=200,
    rounding=decimal.ROUND_HALF_UP,
    Emax=100_000,
    Emin=-100_000,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
"""Enough for three factors of MAX_DIGITS without rounding; only a quotient is rounded, at its 200th digit."""

PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,59})(?:\.[0-9]{1,59})?", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
                       r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)  # fmt: skip
MIDNIGHT = datetime.time(tzinfo=datetime.UTC)


class BadValueError(Exception):
    """A rule meets a value that it cannot work with; the message says which."""


def rule_value(value: Json) -> Value:
    """A scalar as a rule computes with it: numbers as the decimal that their JSON text is. BadValueError: no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        # the comparison costs nothing, the text of a hostile integer would
        if abs(value) >= 10**MAX_DIGITS:
            raise BadValueError(f"an integer of more than {MAX_DIGITS} digits")
        return Decimal(value)
    number = Decimal(repr(value))
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise BadValueError(f"{value!r} is beyond {MAX_DIGITS} digits")
    return number


def instant(text: str) -> datetime.datetime | None:
    """The moment of an ISO date (its midnight) or date-time (UTC where it names no offset); None for another text."""
    try:
        if DATE.fullmatch(text):
            return datetime.datetime.combine(datetime.date.fromisoformat(text), MIDNIGHT)
        if DATE_TIME.fullmatch(text):
            moment = datetime.datetime.fromisoformat(text.upper())
            return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
    return None


def kind(value: Value) -> str:
    """The word for a value's type in a message."""
    names = {Decimal: "a number", str: "a text", bool: "a boolean", list: "a list", dict: "an object"}
    return names.get(type(value), "null")


def shown(value: Value) -> str:
    """A short text of the value, for a message."""
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) < 30 else f"{value:.6e}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value[:5])) + (", …]" if len(value) > 5 else "]")
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
