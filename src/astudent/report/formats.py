"""How a report writes numbers: rates with their intervals, p values, times; a dash where nothing is known."""

from collections.abc import Mapping, Sequence
from typing import Any

UNKNOWN = "-"


def percent(rate: float | None) -> str:
    """`61.2%`."""
    return UNKNOWN if rate is None else f"{rate:.1%}"


def points(difference: float) -> str:
    """`+12.5`, in percentage points."""
    return f"{100 * difference:+.1f}"


def size(difference: float | None) -> str:
    """`12.5`, in percentage points, of a difference in whatever direction."""
    return UNKNOWN if difference is None else f"{100 * difference:.1f}"


def with_interval(rates: Mapping[str, Any], name: str) -> str:
    """`61.2% (57-65)`: a rate with its 95% interval in whole percent."""
    if not rates:
        return UNKNOWN
    return figure({"value": rates[name], "interval": rates["intervals"][name]})


def figure(found: Mapping[str, Any] | None) -> str:
    """The same of a task's figure, whose interval may be unknown."""
    if found is None or found["value"] is None:
        return UNKNOWN
    if found["interval"] is None:
        return percent(found["value"])
    low, high = found["interval"]
    return f"{percent(found['value'])} ({100 * low:.0f}-{100 * high:.0f})"


def p_value(value: float) -> str:
    """Three decimals, or that it is smaller."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def number(value: Any) -> str:
    """A number in at most four digits; other things as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNKNOWN if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """`45 s`, `12 min`, `3.4 h`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def decoding(about: Mapping[str, Any]) -> str:
    """`constrained, 4 beams`: how an evaluated run decoded; greedy where nothing else is said."""
    beams, temperature = about.get("beams") or 1, about.get("temperature") or 0
    ways = [f"{beams} beams"] * (beams > 1) + [f"temperature {temperature}"] * (temperature > 0)
    return ", ".join([about.get("decoding") or UNKNOWN, *ways])


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return ", ".join(items[:-1]) + f" and {items[-1]}" if len(items) > 1 else "".join(items)


def cut(text: str, most: int) -> str:
    """A text of at most about `most` characters: of a longer one the beginning, its length, and the end."""
    if len(text) <= most:
        return text
    return f"{text[: most * 3 // 4]} … ({len(text):,} characters) … {text[-(most // 4) :]}"
