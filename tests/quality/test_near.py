"""Nearly equal texts: exact in small groups, and found in large ones too."""

import random

import pytest

from astudent.quality import near
from astudent.quality.check import Place
from astudent.quality.near import Text, common_words, near_across, near_duplicates, similarity

WORDS = [f"{first}{second}" for first in "bcdfglmn" for second in ("a", "ela", "oru", "ine", "ust", "ick")]


def texts(side: str, contents: list[str], schema: int = 0) -> list[tuple[str, Text]]:
    return [("group", Text(text, Place(side, line), side, schema)) for line, text in enumerate(contents, start=1)]


def drawn(count: int, length: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=length)) for _ in range(count)]


def test_similarity_counts_runs_of_three_words():
    assert similarity("a b c d", "a b c d") == 1.0
    assert similarity("a b c d", "a b c e") == pytest.approx(1 / 3)
    assert similarity("a", "b") == 0.0
    assert similarity("", "") == 1.0


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "a b x d", 0.75),
        ("a b c d", "a b c", 0.75),
        ("a b c", "a b x", 0.0),
        ("a b c d e", "a x c y e", 0.0),
    ],
)
def test_common_words(one: str, other: str, expected: float):
    assert common_words(one.split(), other.split()) == expected


@pytest.mark.parametrize("length", [5, 12, 40])
def test_a_changed_word_is_found_in_large_groups(length: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(near, "MAX_PAIRS", 0)
    trained = drawn(400, length, seed=1)
    leaked = [" ".join(["other", *text.split()[1:]]) for text in trained[:100]]
    found = list(near_across([*texts("train", trained), *texts("test", leaked)], renamed=False))
    assert [(text.place.line, partner.place.line) for text, partner, _ in found] == [(n, n) for n in range(1, 101)]
    assert not list(near_across([*texts("train", trained), *texts("test", drawn(400, length, 2))], renamed=False))


def test_large_groups_give_near_duplicates(monkeypatch: pytest.MonkeyPatch):
    contents = drawn(300, 60, seed=3)
    contents += [text + " more" for text in contents[:20]]
    exact = [(text.place.line, other.place.line) for text, other, _ in near_duplicates(texts("train", contents), 0.9)]
    monkeypatch.setattr(near, "MAX_PAIRS", 0)
    hashed = [(text.place.line, other.place.line) for text, other, _ in near_duplicates(texts("train", contents), 0.9)]
    assert exact == hashed == [(301 + number, 1 + number) for number in range(20)]


def test_renamed_leaks_need_different_schemas():
    one = [*texts("train", ["a b c d"], 1), *texts("test", ["a b c d"], 1)]
    assert not list(near_across(one, renamed=True))
    assert (
        len(list(near_across([*one, *texts("test", ["a b x y"], 2), *texts("val", ["a b c x"], 2)], renamed=True))) == 1
    )


def test_align_is_held_against_train_and_tests_against_both():
    found = near_across([*texts("align", ["a b"]), *texts("train", ["a b"]), *texts("test", ["a b"])], renamed=False)
    assert [(text.side, partner.side) for text, partner, _ in found] == [
        ("align", "train"),
        ("test", "train"),
        ("test", "align"),
    ]
