"""Templates: `[a|b]` one of several, `<...>` what is said only where it is known, `{slot}` a value.

`I want a refund[, please|]< of {amount}> for {order}.`
"""

import itertools
import re
from collections.abc import Callable
from random import Random

SLOT = re.compile(r"\{(\w+)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_OPTIONAL = re.compile(r"<([^<>]*)>")
_SAY_IT = 0.85

# A slot's text, or None where there is nothing to say.
Values = Callable[[str], str | None]


def render(template: str, values: Values, known: Callable[[str], bool], rng: Random) -> str:
    """One text of a template: choices made, optional parts kept only where every slot in them is `known`."""

    def optional(match: re.Match[str]) -> str:
        kept = all(map(known, SLOT.findall(match[1]))) and rng.random() < _SAY_IT
        return match[1] if kept else ""

    template = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
    return SLOT.sub(lambda match: values(match[1]) or "", _OPTIONAL.sub(optional, template))


def needed(template: str) -> list[str]:
    """The slots that stand outside optional parts."""
    return SLOT.findall(_OPTIONAL.sub("", template))


def variants(template: str) -> set[str]:
    """Every wording of a template, its slots left open."""
    parts = _CHOICE.split(template)
    options = [[part] if place % 2 == 0 else part.split("|") for place, part in enumerate(parts)]
    return {"".join(chosen) for chosen in itertools.product(*options)}


def sentence(text: str) -> str:
    """With a capital letter at its start."""
    return text[:1].upper() + text[1:]


def continued(text: str) -> str:
    """A sentence after "Also,": its first letter small, but for the English "I" and words in capitals."""
    return text if re.match(r"I\b|[A-Z]{2}", text) else text[:1].lower() + text[1:]
