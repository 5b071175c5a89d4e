"""The data set: training rows, rows for alignment, and an adversarial test set, all from one seed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from rapidfuzz.distance import Levenshtein

from astudent.errors import RunError
from astudent.language.serialise import dumps
from astudent.language.splits import SIDES, normalised_request
from astudent.records import DatasetRow, Language, MadeBy, Split
from astudent.tasks.support.schema import SCHEMA, VERSION
from astudent.tasks.support.traps import TRAPS, plain

SCHEMA_ID = "support-v1"
LANGUAGES: tuple[Language, Language] = ("en", "fr")
# One round of kinds: a quarter of the test is plain, of training and alignment somewhat more than half.
TEST_ROUND: tuple[str | None, ...] = (None, None, None, *TRAPS)
TRAIN_ROUND: tuple[str | None, ...] = (*[None] * 12, *TRAPS, "several_intents", "long_story")
# Share of words in their order from which two messages with one answer are nearly equal, across sides and within one.
NEAR_ACROSS, NEAR_WITHIN = 0.65, 0.85
MAX_ATTEMPTS = 200


def rows(seed: int, train: int = 6000, test: int = 800, align: int = 400) -> Iterator[DatasetRow]:
    """The rows of the task, training rows first.

    The test set and the alignment rows are composed first, so that they are the same whatever `train` is; a message too
    close to an earlier one with the same answer is composed anew. RunError when there is no new message left.
    """
    seen = Seen()
    tested = [_row(seed, "test_seen", index, seen) for index in range(test)]
    aligned = [_row(seed, "align", index, seen) for index in range(align)]
    for index in range(train):
        yield _row(seed, "train", index, seen)
    yield from aligned
    yield from tested


def is_held_out(query_id: str) -> bool:
    """Whether the main request of this row is worded by a template that no training row uses."""
    return query_id.endswith("-new")


@dataclass
class Seen:
    """The messages so far: their normalised texts, and the words of those that share an answer."""

    texts: set[str] = field(default_factory=set[str])
    words: dict[str, list[tuple[str, list[str]]]] = field(default_factory=lambda: defaultdict(list))

    def admits(self, text: str, answer: str, side: str) -> bool:
        """Takes the message in, unless it is too close to one that is there."""
        normalised = normalised_request(text)
        spelled = normalised.split()
        if normalised in self.texts or any(self._is_near(spelled, side, *other) for other in self.words[answer]):
            return False
        self.texts.add(normalised)
        self.words[answer].append((side, spelled))
        return True

    @staticmethod
    def _is_near(words: list[str], side: str, other_side: str, other: list[str]) -> bool:
        limit = NEAR_WITHIN if side == other_side else NEAR_ACROSS
        return Levenshtein.normalized_similarity(words, other, score_cutoff=limit) >= limit


def _row(seed: int, split: Split, index: int, seen: Seen) -> DatasetRow:
    language = LANGUAGES[index % 2]
    trap = _kind(seed, split, index // 2)
    for attempt in range(MAX_ATTEMPTS):
        rng = Random(f"support {VERSION} {seed} {split} {index} {attempt}")
        draft = (TRAPS[trap] if trap else plain)(language, rng, split == "test_seen")
        text, answer = draft.finished(), draft.answer()
        if seen.admits(text, dumps(answer), SIDES[split]):
            break
    else:
        raise RunError(f"no new {trap or 'plain'} message after {MAX_ATTEMPTS} attempts", "Ask for fewer rows.")
    return DatasetRow(
        query_id=f"support-{split}-{index:05d}{'-new' if draft.held_out else ''}",
        schema_id=SCHEMA_ID,
        domain_id="support",
        language=language,
        schema_json=SCHEMA,
        query=text,
        ast_json=answer,
        is_valid=True,
        split=split,
        names="seen",
        source="generated",
        trap=trap,
        made_by=MadeBy(provider="program", model="support", digest=VERSION, seed=seed),
    )


def _kind(seed: int, split: Split, place: int) -> str | None:
    """The kind of a pair of rows (one in each language): every round holds each kind as often as it says."""
    kinds = list(TEST_ROUND if split == "test_seen" else TRAIN_ROUND)
    Random(f"support kinds {seed} {split} {place // len(kinds)}").shuffle(kinds)
    return kinds[place % len(kinds)]
