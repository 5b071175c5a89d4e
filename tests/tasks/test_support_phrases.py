"""The sentences that messages are composed of, and the templates that hold them."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.records import Language
from astudent.tasks.support import INTENTS, phrases, rows
from astudent.tasks.support.spelling import careless, slips, typeset
from astudent.tasks.support.templates import continued, needed, render, sentence, variants

LANGUAGES: tuple[Language, ...] = ("en", "fr")
PLAIN_TEXT = st.text(st.characters(exclude_characters="[]<>{}|"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("intent", INTENTS)
def test_forty_wordings_and_more_for_each_intent(language: Language, intent: str):
    asks = phrases.asks(language, intent)
    assert sum(len(variants(template)) for template in asks.trained) >= 40
    assert len(asks.trained) >= 17 and len(asks.held_out) >= 7
    assert len(set(asks.all)) == len(asks.all)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("intent", INTENTS)
def test_every_wording_of_a_request_is_a_whole_sentence(language: Language, intent: str):
    for template in phrases.asks(language, intent).all:
        for wording in variants(template):
            said, unsaid = re.sub(r"[<>]", "", wording), re.sub(r"<[^<>]*>", "", wording)
            for text in (said, unsaid):
                assert re.search(r"[.?!]$", text), text
                assert not re.search(r"  |\[|\]| [,.]|[.?!,]{2}", text), text
                assert language == "en" or not re.search(r"[\w}][?!;:]", text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_training_row_has_the_words_of_a_held_out_request(language: Language):
    trained = [row.query.replace("\u00a0", " ").replace("’", "'") for row in rows(9, train=600, test=0, align=0)]
    for intent in INTENTS:
        for template in phrases.asks(language, intent).held_out:
            for wording in variants(template):
                fixed = max(re.split(r"\{\w+\}|[<>]", wording), key=len)
                assert not any(fixed in text for text in trained if len(fixed) > 20), fixed


@given(PLAIN_TEXT, PLAIN_TEXT, st.integers())
def test_choices_and_optional_parts(one: str, other: str, seed: int):
    template = f"[{one}|{other}]<{{unknown}}>{{known}}"
    text = render(template, {"known": "!"}.get, lambda slot: slot == "known", Random(seed))
    assert text in {f"{one}!", f"{other}!"}
    assert needed(template) == ["known"]
    assert len(variants(template)) == len({one, other})


def test_small_letters_after_a_comma_and_capitals_at_the_start():
    assert [continued(text) for text in ("My order", "I am", "I'm", "URGENT!", "J'ai", "")] == [
        *("my order", "I am", "I'm", "URGENT!", "j'ai", "")
    ]
    assert sentence("où est-elle ?") == "Où est-elle ?"


def test_typesetting_and_slips_leave_copied_spans_alone():
    marked = "J'ai reçu \ue000l'ordre XX-1 ?\ue001 hier ; pourquoi ?"
    assert typeset(marked) == "J’ai reçu \ue000l'ordre XX-1 ?\ue001 hier\u00a0; pourquoi\u00a0?"
    assert careless(marked).startswith("j'ai reçu \ue000l'ordre XX-1")
    for seed in range(20):
        assert "\ue000l'ordre XX-1 ?\ue001" in slips(marked, "fr", True, Random(seed))
