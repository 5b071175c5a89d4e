"""What an export's ways of answering came to, held against the adapter: figures, limits, verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isnan
from typing import Any

from astudent.json_texts.tables import share, table

LEAST_EQUAL = 0.99
"""Share of the prompts whose greedy answer must be the adapter's."""
WORST, MEDIAN = 0.05, 0.005
"""Largest difference of a greedy token's natural log-probability, and the median one, where weights have 16 or 32 bits."""
LOSS = 0.02
"""Weights of few bits may have so much less of their answers right than the adapter has (share of those with a known answer)."""
UNJUDGED = "not judged, as no prompt has a known answer: measure it with stage 07 --student ollama:NAME"


@dataclass(frozen=True)
class Outcome:
    """One prompt on one way. `same_prompt`: as many tokens as in training (the same ones, where the way tells them);
    `differences` are |log-probability - the adapter's| of the greedy tokens up to where the answers part. A server that has
    `broken_off` gave only the beginning of an answer that repeats itself. `is_comparable`: the adapter's answer has tokens to
    compare. Whether this answer and the adapter's are right is None where nobody knows."""

    same_prompt: bool
    same_answer: bool
    differences: Sequence[float]
    broken_off: bool = False
    is_comparable: bool = False
    is_right: bool | None = None
    adapter_is_right: bool | None = None


@dataclass(frozen=True)
class Way:
    """All outcomes of one way of answering. `is_precise`: its weights have 16 or 32 bits, so log-probabilities are judged too;
    with fewer, what is judged of the answers is how many are right."""

    name: str
    outcomes: Sequence[Outcome]
    is_precise: bool = True

    @property
    def figures(self) -> dict[str, Any]:
        """What is reported of it; differences are None where no token could be compared."""
        differences = [value for outcome in self.outcomes for value in outcome.differences]
        return {
            "prompts": len(self.outcomes),
            "equal_prompts": sum(outcome.same_prompt for outcome in self.outcomes),
            "equal_answers": sum(outcome.same_answer for outcome in self.outcomes),
            "broken_off": sum(outcome.broken_off for outcome in self.outcomes),
            "tokens_compared": len(differences),
            "known_answers": len(self._judged),
            "right_answers": sum(outcome.is_right is True for outcome in self._judged),
            "adapter_right_answers": sum(outcome.adapter_is_right is True for outcome in self._judged),
            "worst_difference": max(differences, key=_worse, default=None),
            "median_difference": _median(differences) if differences else None,
        }

    @property
    def _judged(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.is_right is not None]

    @property
    def notes(self) -> list[str]:
        """What was not judged, in words."""
        return [] if self.is_precise or self._judged else [f"{self.name}: {UNJUDGED}"]

    def failures(self) -> list[str]:
        """What breaks a limit, in words."""
        told, found = self.figures, []
        if not self.outcomes:
            found.append("no prompt was asked")
        if told["equal_prompts"] < told["prompts"]:
            found.append(f"{told['prompts'] - told['equal_prompts']} of {told['prompts']} prompts have other tokens")
        found += self._wrong_answers(told)
        if self.is_precise and not told["tokens_compared"] and any(o.is_comparable for o in self.outcomes):
            found.append("no log-probability could be compared")
        for name, limit in (("worst", WORST), ("median", MEDIAN)) if self.is_precise else ():
            value = told[f"{name}_difference"]
            if value is not None and not value <= limit:  # NaN fails too
                found.append(f"{name} difference of log-probabilities {value:.4f}, the limit is {limit}")
        return [f"{self.name}: {text}" for text in found]

    def _wrong_answers(self, told: Mapping[str, Any]) -> list[str]:
        if self.is_precise:
            equal, few = told["equal_answers"], told["equal_answers"] < LEAST_EQUAL * told["prompts"]
            return [f"{share(equal / told['prompts'])} of the greedy answers are equal"] if few else []
        known, right, adapter = (told[f"{name}_answers"] for name in ("known", "right", "adapter_right"))
        if right + LOSS * known >= adapter - 1e-9:
            return []
        return [f"{share(right / known)} of the answers are right, of the adapter's {share(adapter / known)}"]


@dataclass(frozen=True)
class Proof:
    """The verdict on an export: all ways, the known causes found, and what was not tried. A `shortage` of prompts fails it."""

    ways: Sequence[Way]
    causes: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    shortage: str | None = None
    remarks: Sequence[str] = ()

    @property
    def failures(self) -> list[str]:
        """What is wrong, in words; empty when the export answers as the adapter does."""
        found = [text for way in self.ways for text in way.failures()]
        return [self.shortage, *found] if self.shortage else found

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the proof itself."""
        return [*self.remarks, *(text for way in self.ways for text in way.notes)]

    def as_json(self) -> dict[str, Any]:
        """The report as it is written."""
        limits = {"equal_answers": LEAST_EQUAL, "worst_difference": WORST, "median_difference": MEDIAN}
        limits["fewer_right_answers"] = LOSS
        return {
            "verdict": "fail" if self.failures or self.causes else "pass",
            "ways": [{"way": way.name, **_numbers(way.figures), "failures": way.failures()} for way in self.ways],
            "shortage": self.shortage,
            "causes": list(self.causes),
            "notes": self.notes,
            "limits": limits,
            **self.facts,
        }

    def as_table(self) -> str:
        """One line for each way."""
        header = ["way", "prompts equal", "answers equal", "right", "worst", "median", "verdict"]
        return table(header, [_row(way) for way in self.ways])


def _median(differences: Sequence[float]) -> float:
    ordered = sorted(differences, key=_worse)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _worse(difference: float) -> float:
    """NaN is worse than any number."""
    return inf if isnan(difference) else difference


def _numbers(figures: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in figures.items()}


def _row(way: Way) -> list[str]:
    told = way.figures
    count = told["prompts"]
    differences = [told["worst_difference"], told["median_difference"]]
    return [
        way.name,
        f"{told['equal_prompts']} of {count}",
        f"{told['equal_answers']} of {count}",
        f"{told['right_answers']} of {told['known_answers']}" if told["known_answers"] else "–",
        *("–" if value is None else f"{value:.4f}" for value in differences),
        "fail" if way.failures() else "pass",
    ]
