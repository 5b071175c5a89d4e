"""One change of a text that was repaired."""

from dataclasses import asdict, dataclass
from typing import Any

from astudent.roles import LimitError

MAX_CHANGES = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """`what` was done; the text `before` it and `after` it. Where: `position`, a character of the text that was given,
    or `path`, a place in the value (`items[0].price`)."""

    what: str
    before: str
    after: str
    position: int | None = None
    path: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The fields that say something."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class ChangeList(list[Change]):
    """The changes of one text, in its order."""

    def add(self, what: str, before: str, after: str, position: int) -> None:
        """LimitError when there are too many: the text is no JSON that broke."""
        if len(self) >= MAX_CHANGES:
            raise LimitError(f"more than {MAX_CHANGES:,} faults in one text", "Give a text that is meant to be JSON.")
        self.append(Change(what, before, after, position=position))
