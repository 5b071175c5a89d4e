"""The small language of layouts, and what the words around a value do with it."""

from random import Random
from typing import Any

import pytest

from astudent.records import Language
from astudent.tasks.documents.draw import Decks, Draw
from astudent.tasks.documents.layouts import parse_layouts
from astudent.tasks.documents.notation import Notation
from astudent.tasks.documents.render import elided, render, with_article


def written(body: str, document: dict[str, Any], language: Language = "en", seed: int = 0) -> str:
    layouts = parse_layouts("kind.a = first\n# nothing\nword = one|two\n=== only\n" + body, {})
    draw = Draw(Random(seed), Decks(Random(seed)), language, tests=False)
    group = "," if language == "en" else " "
    notation = Notation(language, group, "{} EUR", "day first", "24", "")
    return render(document, layouts, "only", notation, draw)


@pytest.mark.parametrize(
    ("body", "document", "text"),
    [
        ("{a.b} and {kind}", {"a": {"b": "x"}, "kind": "a"}, "x and first"),
        ("[?a:with {a}|without]", {"a": 1}, "with 1"),
        ("[?a:with {a}|without]", {}, "without"),
        ("[?a:yes|no]", {"a": False}, "no"),
        ("[?!a:empty]", {"a": []}, "empty"),
        ("[?a=b:B|other]", {"a": "b"}, "B"),
        ("{n} [#n:seat|seats]", {"n": 1}, "1 seat"),
        ("{n} [#n:seat|seats]", {"n": 0}, "0 seats"),
        ("[*a:{.}|, | and ]", {"a": ["x", "y", "z"]}, "x, y and z"),
        ("[*a:{.}|, | and ]", {"a": ["x"]}, "x"),
        ("*a {#}. {b}[?c: ({c})]", {"a": [{"b": 1}, {"b": 2, "c": 3}]}, "1. 1\n2. 2 (3)"),
        ("?a left out\nkept", {}, "kept"),
        ("{n:m} {n:p}", {"n": 1234.5}, "1,234.50 EUR 1,234.5%"),
        ("{n:m}", {"n": -0.5}, "-0.50 EUR"),
        ("{d:d}, {d:wd}", {"d": "2026-03-01"}, "1 March 2026, Sunday 1 March 2026"),
    ],
)
def test_a_layout_is_filled(body: str, document: dict[str, Any], text: str) -> None:
    assert written(body, document) == text


@pytest.mark.parametrize(
    ("body", "document", "text"),
    [
        ("{n} [#n:place|places]", {"n": 0}, "0 place"),
        ("{n:m} {n:p}", {"n": 1234.5}, "1 234,50 EUR 1 234,5 %"),
        ("{d:wd}", {"d": "2026-03-01"}, "dimanche 1er mars 2026"),
        ("{i:un}, {j:un}", {"i": "écharpe", "j": "parapluie"}, "une écharpe, un parapluie"),
        ("{i:de}, {j:de}", {"i": "Élodie", "j": "Marc"}, "d'Élodie, de Marc"),
    ],
)
def test_french_has_its_own_forms(body: str, document: dict[str, Any], text: str) -> None:
    assert written(body, document, "fr") == text


def test_alternatives_and_shuffled_lines_vary_with_the_seed_alone() -> None:
    body = "head\n~a [b|c]\n~d\n~e {@word}\nfoot"
    texts = {written(body, {}, seed=seed) for seed in range(30)}
    assert len(texts) > 10 and texts == {written(body, {}, seed=seed) for seed in range(30)}
    for text in texts:
        assert text.startswith("head\n") and text.endswith("\nfoot") and len(text.split("\n")) == 5


@pytest.mark.parametrize("body", ["[open", "stray ]", "{Bad}", "{", "[*a:{.}|, "])
def test_a_layout_that_is_not_well_formed_is_an_error(body: str) -> None:
    with pytest.raises(ValueError, match=r"stray|open"):
        parse_layouts("=== only\n" + body, {})


def test_a_slot_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        written("{missing}", {})


def test_articles_and_elision_look_at_the_first_sound() -> None:
    assert [with_article(word) for word in ("umbrella", "hat")] == ["an umbrella", "a hat"]
    assert [elided(word) for word in ("Yasmine", "Inès", "olivier@x.example")] == [
        "de Yasmine",
        "d'Inès",
        "d'olivier@x.example",
    ]


def test_decks_hold_shares_and_a_hand_can_be_played_again() -> None:
    decks = Decks(Random(1))
    assert sorted(decks.deal("x", (1, 2, 3)) for _ in range(6)) == [1, 1, 2, 2, 3, 3]
    decks.new_hand()
    first = [decks.deal("x", (1, 2, 3)), decks.deal("y", "ab")]
    decks.same_hand()
    assert [decks.deal("x", (1, 2, 3)), decks.deal("y", "ab")] == first
