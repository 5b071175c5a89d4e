"""Which split a row belongs to, and which side of the wall between training and measuring it stands on."""

import re
from pathlib import Path

SIDES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "test_seen", "test_unseen", "eval", "evaluation", "heldout"), "test"),
    "align": "align",
}
TRAINED = ("train", "align")
"""Sides that a student learns from: SFT, then DPO."""
UNSEEN = "test_unseen"
WORDS = re.compile(r"[a-z]+(?:_(?:un)?seen)?")


def side_of(split: str | None) -> str | None:
    """`train`, `align`, `val` or `test`; another split is a side of its own."""
    return None if split is None else SIDES.get(split.casefold(), split.casefold())


def split_of_file(file: str, forced: bool) -> str | None:
    """The split that a file's name tells: `orders.train.jsonl` is train. None where it names none, or several.

    `forced`: then the name itself is the split.
    """
    stem = Path(file).stem
    found = {word for word in WORDS.findall(stem.casefold()) if word in SIDES}
    if len({SIDES[word] for word in found}) == 1:
        return max(found, key=len)
    return stem if forced else None
