"""Who may be trained on what: which domains stay unseen, and which split each accepted row of a schema falls into.

Every decision is a pure function of names, shares and a seed, never of the order in which a teacher answered, and
asking for more rows keeps the decisions about the first ones.
"""

import hashlib
import itertools
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from astudent.records import Split

# Punctuation and quotation marks at a word's ends.
_EDGES = ".,;:!?\u2026\"'\u00ab\u00bb\u201c\u201d\u2018\u2019()[]"

# Accepted rows of a schema whose splits are drawn together.
SLOTS_A_BLOCK = 10

# Rows of two different sides never share a request or an AST. DPO trains on `align`, so the tests avoid it too.
SIDES: dict[Split, str] = {"train": "train", "align": "align", "test_seen": "test", "test_unseen": "test"}


def unseen_domains(domain_ids: Collection[str], share: float, seed: int) -> frozenset[str]:
    """The domains (a `share` of all, 0 to 1) whose schemas are never trained on.

    A positive share takes at least one domain and always leaves one for training.
    """
    ranked = sorted(set(domain_ids), key=lambda domain: _rank(seed, domain))
    count = round(share * len(ranked))
    if share > 0:
        count = max(count, 1)
    return frozenset(ranked[: min(count, len(ranked) - 1)] if ranked else ())


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def slot_splits(shares: Mapping[Split, float], schema_id: str) -> Iterator[Split]:
    """Split of a schema's 1st, 2nd, 3rd … accepted row, without end.

    Every ten slots hold each share to within one row, in an order drawn for the schema: requests come in alternating
    languages, and slots that went round in step with them would give a split one language.
    """
    dealt = _dealt_splits(shares)
    for block in itertools.count():
        splits: list[Split] = [next(dealt) for _ in range(SLOTS_A_BLOCK)]
        order = sorted(range(SLOTS_A_BLOCK), key=lambda slot: digest_of(f"{schema_id} {block} {slot}"))
        for slot in order:
            yield splits[slot]


def _dealt_splits(shares: Mapping[Split, float]) -> Iterator[Split]:
    """Splits without end, each the one that lags most behind its share, so that all hold it to within one."""
    counts = dict.fromkeys(shares, 0)
    total = sum(shares.values())
    for slot in itertools.count(1):
        split = max(shares, key=lambda name: shares[name] / total * slot - counts[name])
        counts[split] += 1
        yield split


def seen_schema_shares(align_share: float, test_seen_share: float) -> dict[Split, float]:
    """Shares of the rows of a schema that is trained on; what is neither `align` nor `test_seen` is `train`."""
    return {"train": 1.0 - align_share - test_seen_share, "test_seen": test_seen_share, "align": align_share}


def normalised_request(query: str) -> str:
    """A request without what does not make it another one: case, accents' encoding, punctuation at words' ends, spaces.

    Signs inside a word stay (`3.5`, `-7`, `a@b.c`), since they carry meaning.
    """
    words = unicodedata.normalize("NFKC", query).casefold().split()
    stripped = (word.strip(_EDGES) for word in words)
    return " ".join(word for word in stripped if word)


@dataclass
class Registry:
    """Which side (train, align or test) each request and each AST of the whole data set belongs to.

    Holds 16-byte digests, so that memory grows by about 100 bytes a row.
    """

    _sides: dict[bytes, str] = field(default_factory=dict)

    def admits(self, keys: Iterable[str], split: Split) -> bool:
        """Whether no other side holds any of the keys (a normalised request, a canonical AST)."""
        side = SIDES[split]
        return all(self._sides.get(digest_of(key), side) == side for key in keys)

    def register(self, keys: Iterable[str], split: Split) -> None:
        """Gives the keys to the split's side for good."""
        for key in keys:
            self._sides[digest_of(key)] = SIDES[split]


def digest_of(text: str) -> bytes:
    """16 bytes that stand for a text in an index."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def known_name_shares(names_by_schema: Mapping[str, frozenset[str]], trained: Collection[str]) -> dict[str, float]:
    """For each schema, the share (0 to 1) of its field and value names that occur in a schema that is trained on."""
    known = frozenset().union(*(names_by_schema[schema_id] for schema_id in trained))
    return {
        schema_id: len(names & known) / len(names) if names else 1.0 for schema_id, names in names_by_schema.items()
    }
