"""Texts that are nearly equal, among rows that mean the same.

Groups of some tens of rows are compared pair by pair, which is exact. In larger groups a text is compared with those
that MinHash finds (its odds are given at `_Candidates`), and with those that are equal but for one word.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from datasketch import MinHash, MinHashLSH
from rapidfuzz.distance import Levenshtein

from astudent.quality.check import Place
from astudent.quality.splits import TRAINED

NEARLY_EQUAL = 0.85
"""Share of words in their order from which two texts are nearly equal; one changed word of at least MIN_WORDS is too."""
MIN_WORDS = 4
RENAMED = 0.6
"""The same where the schemas' names differ, as the texts may then do too."""
MAX_PAIRS = 4_096
MAX_GROUP = 50_000
"""Rows of one meaning (and side) that are compared with each other, the first ones; it bounds the memory."""
MAX_CANDIDATES = 100
PERMUTATIONS, BANDS = 128, (16, 8)
Group = Iterable[tuple[Any, "Text"]]


@dataclass(frozen=True, slots=True)
class Text:
    """A row's normalised text, its place, side and schema."""

    text: str
    place: Place
    side: str
    schema: int = 0

    @property
    def words(self) -> list[str]:
        """The text's words."""
        return self.text.split()


def similarity(one: str, other: str) -> float:
    """Jaccard similarity (0 to 1) of two texts' runs of three words; a shorter text is one run."""
    first, second = _runs(one.split()), _runs(other.split())
    return len(first & second) / len(first | second)


def _runs(words: Sequence[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2)))


def common_words(one: Sequence[str], other: Sequence[str], renamed: bool = False) -> float:
    """Share (0 to 1) of the longer text's words that stand in both in order; 0 where they are not nearly equal."""
    longer = max(len(one), len(other))
    if one == other:
        return 1.0
    changed = Levenshtein.distance(one, other, score_cutoff=longer // 2)
    alike = 1 - changed / max(1, longer)
    if alike >= (RENAMED if renamed else NEARLY_EQUAL) or (changed == 1 and longer >= MIN_WORDS):
        return alike
    return 0.0


def near_duplicates(texts: Group, least: float) -> Iterator[tuple[Text, Text, float]]:
    """(text, earlier text, similarity) for each text that is at least `least` like an earlier one, but not equal.

    `texts` come with their group, group after group.
    """
    for _, members in groupby(texts, key=itemgetter(0)):
        group = [text for _, text in islice(members, MAX_GROUP)]
        distinct = list({text.text: text for text in reversed(group)}.values())[::-1]
        earlier = _Candidates(_runs, quadratic=len(distinct) ** 2 <= MAX_PAIRS)
        for text in distinct:
            found = max(
                ((similarity(text.text, other.text), other) for other in earlier.of(text)), key=_by, default=None
            )
            if found is not None and found[0] >= least:
                yield text, found[1], found[0]
            earlier.add(text)


def near_across(texts: Group, *, renamed: bool) -> Iterator[tuple[Text, Text, float]]:
    """(text, text that is learnt from, share of common words) for each text that is nearly equal to one of a side that
    is learnt from and is another; `align` is held against `train`. With `renamed` under different schemas only."""
    for _, members in groupby(texts, key=itemgetter(0)):
        group = [text for _, text in islice(members, MAX_GROUP)]
        for place, side in enumerate(TRAINED):
            learnt = [text for text in group if text.side == side]
            others = [text for text in group if text.side and text.side not in TRAINED[: place + 1]]
            yield from _leaks(learnt, others, renamed)


def _leaks(learnt: list[Text], others: list[Text], renamed: bool) -> Iterator[tuple[Text, Text, float]]:
    if not learnt or not others:
        return
    candidates = _Candidates(frozenset, quadratic=len(learnt) * len(others) <= MAX_PAIRS)
    for text in learnt:
        candidates.add(text)
    for text in others:
        rivals = (other for other in candidates.of(text) if not renamed or other.schema != text.schema)
        found = max(
            ((common_words(text.words, other.words, renamed), other) for other in rivals), key=_by, default=None
        )
        if found is not None and found[0] > 0:
            yield text, found[1], found[0]


def _by(found: tuple[float, Text]) -> float:
    return found[0]


class _Candidates:
    """Texts that may be nearly equal to a given one: all that were added, or those that MinHash finds by their shingles.

    Of two texts with a Jaccard similarity of .9 it finds all but 1 in 10,000, of .85 all but 1 in 200, of .8 all but
    1 in 20; texts that are equal but for one word are found always.
    """

    def __init__(self, shingles: Any, *, quadratic: bool) -> None:
        self._shingles = shingles
        self._texts: list[Text] = []
        self._lsh = None if quadratic else MinHashLSH(num_perm=PERMUTATIONS, params=BANDS)
        self._but_one: defaultdict[int, list[int]] = defaultdict(list)

    def add(self, text: Text) -> None:
        """Adds the text."""
        if self._lsh is not None:
            self._lsh.insert(len(self._texts), self._hashed(text), check_duplication=False)
            for key in _but_one_word(text.words):
                self._but_one[key].append(len(self._texts))
        self._texts.append(text)

    def of(self, text: Text) -> Iterable[Text]:
        """At most MAX_CANDIDATES where not all are compared."""
        if self._lsh is None:
            return self._texts
        but_one = (each for key in _but_one_word(text.words) for each in islice(self._but_one.get(key, ()), 3))
        found = [*dict.fromkeys(but_one), *islice(self._lsh.query(self._hashed(text)), MAX_CANDIDATES)]
        return (self._texts[each] for each in found[:MAX_CANDIDATES])

    def _hashed(self, text: Text) -> MinHash:
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch(
            [" ".join(run).encode() if isinstance(run, tuple) else run.encode() for run in self._shingles(text.words)]
        )
        return made


def _but_one_word(words: list[str]) -> set[int]:
    """Digests of the text and of the text without each of its words: two texts share one when a word was changed, left
    out or added. Of long texts MinHash finds such pairs as surely."""
    if len(words) > 24:
        return set()
    return {hash(tuple(words)), *(hash((*words[:place], *words[place + 1 :])) for place in range(len(words)))}
