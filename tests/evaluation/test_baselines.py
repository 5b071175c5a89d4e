"""What the two cheap baselines answer."""

from collections.abc import Callable
from typing import Any

import pytest

from astudent.evaluation.baselines import write_baselines
from astudent.evaluation.nearest import KnownAnswer, NearestNeighbour
from astudent.evaluation.results import ResultRow
from astudent.evaluation.samples import choose_samples
from astudent.evaluation.word_copying import copy_words
from astudent.evaluation.words import words
from astudent.jsonl import read_rows
from astudent.language.validation import validator_for
from astudent.language.vocabulary import read_vocabulary
from astudent.records import DatasetRow


def test_words_keep_numbers_and_dates_whole():
    assert words("Prix > 12,5 après 2024-03-01, payé_en été") == [
        "prix",
        "12,5",
        "apres",
        "2024-03-01",
        "paye",
        "en",
        "ete",
    ]


def test_nearest_request_is_copied():
    rows = [KnownAnswer("a", "open orders", {"limit": 1}), KnownAnswer("a", "sum of all prices", {"limit": 2})]
    nearest = NearestNeighbour(rows)
    assert nearest.answer("the sum of prices", "b") == {"limit": 2}
    assert nearest.answer("xyz", "b") is None, "nothing in common"


def test_the_same_schema_is_asked_first():
    rows = [KnownAnswer("a", "open orders of today", {"limit": 1}), KnownAnswer("b", "the open ones", {"limit": 2})]
    assert NearestNeighbour(rows).answer("open orders of today", "b") == {"limit": 2}


def test_without_rows_there_is_no_answer():
    assert NearestNeighbour([]).answer("x", "a") is None


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("which orders are on hold?", {"field": "status", "operator": "eq", "value": "on_hold"}),
        ("les commandes en attente", {"field": "status", "operator": "eq", "value": "on_hold"}),
        ("price above 12.5", {"field": "price", "operator": "eq", "value": 12.5}),
        ("un prix de 12,5 euros", {"field": "price", "operator": "eq", "value": 12.5}),
        ('city named "Lyon"', {"field": "city", "operator": "eq", "value": "Lyon"}),
        ("sent on 2024-03-01", {"field": "sent_on", "operator": "eq", "value": "2024-03-01"}),
    ],
)
def test_shared_words_become_a_comparison(schema: dict[str, Any], query: str, where: dict[str, Any]):
    assert copy_words(query, read_vocabulary(schema)) == {"where": where}


def test_several_comparisons_are_joined_in_their_order(schema: dict[str, Any]):
    ast = copy_words("price 5, status open", read_vocabulary(schema))
    assert [node["field"] for node in ast["where"]["and"]] == ["price", "status"]


def test_nothing_shared_is_a_count(schema: dict[str, Any]):
    assert copy_words("how many?", read_vocabulary(schema)) == {"aggregate": {"function": "count"}}


def test_copied_words_fit_the_schema(schema: dict[str, Any]):
    for query in ("open orders, price 5, city 'Nice', paid, sent on 2024-01-02", "how many?", "status on hold"):
        assert validator_for(schema).problems(copy_words(query, read_vocabulary(schema))) == []


def test_baseline_files_hold_scored_rows(row: Callable[..., DatasetRow], tmp_path: Any):
    rows = [row(1, split="train"), row(2), row(3, query="how many", ast_json={"aggregate": {"function": "count"}})]
    write_baselines(rows, choose_samples(rows, ["test_unseen"], None, False), tmp_path)
    nearest = list(read_rows(tmp_path / "baseline_nearest_neighbour.jsonl", ResultRow))
    copying = list(read_rows(tmp_path / "baseline_word_copying.jsonl", ResultRow))
    assert [r.semantic_pass for r in nearest] == [True, False]
    assert [r.semantic_pass for r in copying] == [True, True]
