"""How a student's answers are generated: in this process by whatever base, or by a server."""

from dataclasses import dataclass

from astudent.errors import UsageError
from astudent.settings import Evaluation


@dataclass(frozen=True)
class Generation:
    """Greedy at temperature 0, else sampled; with several `beams` the likeliest answer that a beam search of that width meets.

    UsageError for a search that would also draw.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    beams: int = 1

    def __post_init__(self) -> None:
        if self.beams > 1 and self.temperature > 0:
            what = f"beams {self.beams} and temperature {self.temperature} exclude each other"
            raise UsageError(what, "Set beams to 1 to sample, or temperature to 0 to search.")


def generation_of(settings: Evaluation) -> Generation:
    """As the settings have it. UsageError where they contradict each other."""
    drawn = settings.temperature, settings.top_p, settings.seed
    return Generation(settings.max_new_tokens, *drawn, settings.beams)


def requests_at_once(rows: int, how: Generation) -> int:
    """How many requests have room in a batch of so many rows, each with all its beams; one at least."""
    return max(1, rows // how.beams)
