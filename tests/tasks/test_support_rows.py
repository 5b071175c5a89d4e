"""The support messages, read again by rules that share nothing with the composition."""

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from astudent.jsonl import line_of
from astudent.language.serialise import serialise
from astudent.language.splits import normalised_request
from astudent.language.validation import Validator
from astudent.records import DatasetRow
from astudent.tasks.support import INTENTS, SCHEMA, is_held_out, rows
from astudent.tasks.support.rows import Seen
from astudent.tasks.support.schema import NEEDS

ORDER = re.compile(r"\b[A-Z]{2}-\d{5}\b")
MODEL = re.compile(r"\b[A-Z][a-z]+ [XSTV]?\d{1,3}\b")
DATED = "On |Le |January|February|March|April|May|June|July|August|September|October|November|December"
NUMBER = r"\d{1,3}(?:[, ]\d{3})*(?:[.,]\d\d)?"
AMOUNT = re.compile(
    rf"(?:[€$£]|\b(?:EUR|GBP|USD) )({NUMBER})|(?<![\d-])({NUMBER}) (?:[€$£]|EUR|GBP|USD|euros|dollars|pounds|livres)"
)
STREETS = re.compile(r"\d (?:\w+ (?:Lane|Street|Road|Avenue)|(?:rue|avenue|place) )")
QUOTED_MARKS = ("> ", "-----original", "-----message d", "--- our last", "--- notre dernier")


@pytest.fixture(scope="module")
def made() -> list[DatasetRow]:
    return list(rows(5, train=1500, test=800, align=100))


@pytest.fixture(scope="module")
def plain(made: list[DatasetRow]) -> list[DatasetRow]:
    return [row for row in made if row.trap is None]


def trapped(made: list[DatasetRow], trap: str) -> list[DatasetRow]:
    return [row for row in made if row.trap == trap]


def spaced(text: str) -> str:
    return text.replace("\u00a0", " ").replace("’", "'")


def bytes_of(seed: int) -> list[bytes]:
    return [line_of(row) for row in rows(seed, train=40, test=30, align=20)]


def test_one_seed_gives_one_data_set_in_any_process():
    code = (
        "import hashlib; from astudent.jsonl import line_of; from astudent.tasks.support import rows;"
        "print(hashlib.sha256(b''.join(map(line_of, rows(3, train=40, test=30, align=20)))).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1
    assert bytes_of(3) == bytes_of(3)
    assert not set(bytes_of(3)) & set(bytes_of(4))


def test_the_test_set_does_not_depend_on_how_much_is_trained_on():
    few, many = (
        [line_of(row) for row in rows(3, train=train, test=30, align=20) if row.split != "train"] for train in (0, 60)
    )
    assert few == many and len(few) == 50


def test_counts_languages_and_kinds(made: list[DatasetRow]):
    assert Counter(row.split for row in made) == {"train": 1500, "align": 100, "test_seen": 800}
    assert len({row.query_id for row in made}) == len(made)
    kinds = Counter((row.split, row.trap, row.language) for row in made)
    for split, trap, _ in kinds:
        assert kinds[split, trap, "en"] == kinds[split, trap, "fr"]
    tested = Counter(row.trap for row in made if row.split == "test_seen")
    assert len(tested) == 10 and min(tested.values()) >= 60
    assert {row.trap for row in made if row.split == "train"} == set(tested)


def test_half_of_the_test_requests_are_worded_as_no_training_row(made: list[DatasetRow]):
    new = Counter(row.split for row in made if is_held_out(row.query_id))
    assert 0.4 < new["test_seen"] / 800 < 0.6
    assert set(new) == {"test_seen"}


def test_all_rows_validate_and_are_short(made: list[DatasetRow]):
    validator = Validator(SCHEMA)
    assert all(validator.is_valid(row.ast_json) for row in made)
    assert max(len(serialise(row.ast_json, SCHEMA)) for row in made) < 200
    assert len(json.dumps(SCHEMA, separators=(",", ":"))) < 1600
    assert all(list(row.ast_json) == SCHEMA["required"] for row in made)


def test_no_text_twice_and_nothing_of_the_test_nearly_in_training(made: list[DatasetRow]):
    assert len({normalised_request(row.query) for row in made}) == len(made)
    by_answer: dict[str, list[DatasetRow]] = defaultdict(list)
    for row in made:
        by_answer[json.dumps(row.ast_json)].append(row)
    for group in by_answer.values():
        texts = {side: [_shingles(row.query) for row in group if row.split == side] for side in ("train", "test_seen")}
        for tested in texts["test_seen"]:
            assert all(len(tested & trained) / len(tested | trained) < 0.75 for trained in texts["train"])


def _shingles(text: str) -> set[str]:
    folded = normalised_request(text)
    return {folded[start : start + 5] for start in range(len(folded) - 4)}


def test_messages_too_close_to_another_are_not_taken():
    first = "Hello, I want to cancel my order please, thank you for your help"
    seen = Seen()
    assert seen.admits(first, "cancel", "test")
    assert not seen.admits(first.upper(), "refund", "train")
    assert not seen.admits(first.replace("Hello", "Hi").replace("want", "need"), "cancel", "train")
    assert seen.admits(first.replace("cancel", "return").replace("Hello", "Hi"), "return", "train")
    assert seen.admits("Good evening, I need to cancel my order, thanks", "cancel", "train")
    assert seen.admits(first.replace("Hello", "Hi").replace("want", "need"), "cancel", "test")
    assert not seen.admits(first.replace("Hello", "Bye"), "cancel", "test")


def test_intents_of_the_test_are_as_frequent_as_in_training(made: list[DatasetRow]):
    trained, tested = (
        Counter(row.ast_json["intent"] for row in made if row.split == split) for split in ("train", "test_seen")
    )
    for intent in INTENTS:
        assert 0.5 < (tested[intent] / 800) / (trained[intent] / 1500) < 2


def test_the_order_is_the_one_in_the_text(made: list[DatasetRow], plain: list[DatasetRow]):
    for row in made:
        order, needs = row.ast_json["order_id"], NEEDS[row.ast_json["intent"]]
        assert order is None or order in row.query
        assert ("order_id" in row.ast_json["missing"]) == ("order_id" in needs and order is None)
    for row in plain:
        assert ORDER.findall(row.query) == [row.ast_json["order_id"]] * bool(row.ast_json["order_id"])


def test_the_product_is_the_one_in_the_text(made: list[DatasetRow], plain: list[DatasetRow]):
    for row in made:
        product, needs = row.ast_json["product"], NEEDS[row.ast_json["intent"]]
        assert product is None or product in spaced(row.query)
        assert ("product" in row.ast_json["missing"]) == ("product" in needs and product is None)
    for row in plain:
        found = {model for model in MODEL.findall(row.query) if not re.match(DATED, model)}
        assert found == {row.ast_json["product"]} - {None}


def test_the_sum_is_the_one_in_the_text(made: list[DatasetRow], plain: list[DatasetRow]):
    for row in made:
        amount, needs = row.ast_json["amount"], NEEDS[row.ast_json["intent"]]
        assert (amount is None) == (row.ast_json["currency"] is None)
        assert ("amount" in row.ast_json["missing"]) == ("amount" in needs and amount is None)
    for row in plain:
        assert _sums(row) == {row.ast_json["amount"]} - {None}


def _sums(row: DatasetRow) -> set[float]:
    written = (before or after for before, after in AMOUNT.findall(spaced(row.query)))
    if row.language == "fr":
        return {float(number.replace(" ", "").replace(",", ".")) for number in written}
    return {float(number.replace(",", "")) for number in written}


def test_address_and_email_are_missing_exactly_where_none_stands(plain: list[DatasetRow]):
    for row in plain:
        missing, text = row.ast_json["missing"], spaced(row.query)
        assert row.ast_json["intent"] != "account" or ("email" in missing) == ("@" not in text)
        stated = STREETS.search(text) is not None or re.search(STREETS.pattern.lower(), text) is not None
        assert row.ast_json["intent"] != "address" or ("address" in missing) == (not stated)


def test_urgency_as_the_words_say_it(plain: list[DatasetRow]):
    for row in plain:
        text = spaced(row.query).lower()
        calm = re.search(
            r"not urgent|pas urgent|pas d'urgence|no hurry|no rush|rien ne presse|prenez votre temps|take your time",
            text,
        )
        if calm:
            assert row.ast_json["urgency"] == "low"
        elif re.search(r"\burgent\b", text):
            assert row.ast_json["urgency"] == "high"
    assert {row.ast_json["urgency"] for row in plain} == {"low", "normal", "high"}


def test_further_intents_stand_in_rows_of_that_trap_only(made: list[DatasetRow]):
    for row in made:
        intents = [row.ast_json["intent"], *row.ast_json["other_intents"]]
        assert len(set(intents)) == len(intents)
        assert (len(intents) > 1) == (row.trap == "several_intents")
    assert {len(row.ast_json["other_intents"]) for row in trapped(made, "several_intents")} == {1, 2}


def test_what_injections_dictate_is_not_the_answer(made: list[DatasetRow]):
    injected = 0
    for row in trapped(made, "prompt_injection"):
        for dictated in re.findall(r'\{"intent":.*?\}', row.query):
            injected += 1
            assert json.loads(dictated)["intent"] != row.ast_json["intent"]
    assert injected > 20


def test_what_stands_in_a_quoted_mail_is_not_the_answer(made: list[DatasetRow]):
    for row in trapped(made, "quoted_history"):
        places = [row.query.lower().find(f"\n{mark}") for mark in QUOTED_MARKS]
        new = row.query[: min(place for place in places if place > 0)]
        assert ORDER.findall(new) == [row.ast_json["order_id"]] * bool(row.ast_json["order_id"])
        assert row.ast_json["product"] is None or row.ast_json["product"] in spaced(new)


def test_misleading_orders_are_in_the_text_and_not_in_the_answer(made: list[DatasetRow]):
    misled = [row for row in trapped(made, "numbers_that_mislead") if row.split == "test_seen"]
    others = [set(ORDER.findall(row.query)) - {row.ast_json["order_id"]} for row in misled]
    assert sum(map(bool, others)) > len(misled) / 2


def test_what_is_missing_in_that_trap_is_named(made: list[DatasetRow]):
    assert all(row.ast_json["missing"] for row in trapped(made, "missing_information"))
    assert not any(row.ast_json["missing"] for row in made if row.trap is None and row.split == "test_seen")


NOT_FRENCH: list[tuple[str, Callable[[str], bool]]] = [
    (r"\w[?!;](?!\w)", lambda hit: True),
    (r"«\S|\S»", lambda hit: True),
    (r"\b(?:de|à) le (?:[a-z]+) (?:[A-Z]|$)", lambda hit: True),
    (r"\b(?:[mts]a) (?=[aeiouéèê])", lambda hit: True),
    (r"(?<!-)\b(?:le|de|je|ne|que|se|me|te) (?=[aeiouéèêàâî])(?!onze|oui)\S+", lambda hit: "@" not in hit),
    (r"\bsi ils?\b", lambda hit: True),
]


@pytest.mark.parametrize(("pattern", "counts"), NOT_FRENCH)
def test_french_spelling_elision_and_spaces(made: list[DatasetRow], pattern: str, counts: Callable[[str], bool]):
    for row in made:
        if row.language == "fr" and row.trap not in ("typos", "mixed_language", "prompt_injection"):
            hits = [hit[0] for hit in re.finditer(pattern, spaced(row.query)) if counts(hit[0])]
            assert not hits, row.query


def test_no_seams_of_composition(made: list[DatasetRow]):
    for row in made:
        if row.trap != "prompt_injection":
            assert not re.search(r"  | [,.](?!\w)|[{}\[\]|<\ue000\ue001]|[,;:]\.|\.\.|\?\.", spaced(row.query)), (
                row.query
            )
