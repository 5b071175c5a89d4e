"""What the rows of a finished offline run hold."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from astudent.language.canonical import canonical_text
from astudent.language.splits import SIDES, normalised_request
from astudent.settings import Config

Rows = Callable[[str | Path], list[dict[str, Any]]]


@pytest.fixture
def data(made: Config, rows: Rows) -> list[dict[str, Any]]:
    """d_04."""
    return rows(made.dataset_generation.dataset_out)


def test_there_is_one_spec_and_one_schema_for_each_domain_and_variant(made: Config, rows: Rows):
    specs = rows(made.dataset_generation.schema_specs_out)
    schemas = rows(made.dataset_generation.final_schemas_out)
    assert len({spec["schema_id"] for spec in specs}) == len(specs) == 12
    assert [spec["variant"] for spec in specs] == sorted(spec["variant"] for spec in specs)
    assert [row["schema_id"] for row in schemas] == [spec["schema_id"] for spec in specs]
    for row in schemas:
        jsonschema.Draft202012Validator.check_schema(row["schema_json"])
        assert 4 <= len(row["operators"]) <= 7


def test_requests_alternate_between_the_languages(made: Config, rows: Rows):
    queries = [row for row in rows(made.dataset_generation.schema_queries_out) if row["source"] == "generated"]
    assert len(queries) == 12 * 4
    assert Counter(row["language"] for row in queries) == {"en": 24, "fr": 24}
    assert [row["language"] for row in queries[:4]] == ["en", "fr", "en", "fr"]


def test_each_schema_has_exactly_n_distinct_positives(data: list[dict[str, Any]]):
    requests = defaultdict(list)
    for row in data:
        if row["is_valid"]:
            requests[row["schema_id"]].append(normalised_request(row["query"]))
    assert {len(texts) for texts in requests.values()} == {10}
    assert all(len(set(texts)) == 10 for texts in requests.values())
    assert len(requests) == 12


def test_topups_fill_what_examples_and_d_03_lack(made: Config, rows: Rows, data: list[dict[str, Any]]):
    topups = {row["query_id"] for row in rows(made.dataset_generation.schema_queries_out) if row["source"] == "topup"}
    used = {row["query_id"] for row in data if row["is_valid"] and row["source"] == "topup"}
    assert used and used <= topups
    examples = Counter(row["source"] for row in data if row["is_valid"])["example"]
    assert 12 * 3 - 2 <= examples <= 12 * 3  # one whose AST stands on another side waits for a slot that may hold it


def test_every_positive_validates_and_every_negative_fails(data: list[dict[str, Any]]):
    positives = {row["query_id"]: row for row in data if row["is_valid"]}
    for row in data:
        valid = jsonschema.Draft202012Validator(row["schema_json"]).is_valid(row["ast_json"])
        is_really_valid = valid and row["mutation"] != "bad_date"  # a bad date breaks its format only
        assert is_really_valid == row["is_valid"], row
    for row in (row for row in data if not row["is_valid"]):
        positive = positives[row["positive_id"]]
        assert row["mutation"] and row["validator_message"]
        assert (row["query"], row["split"]) == (positive["query"], positive["split"])
        assert row["ast_json"] != positive["ast_json"]


def test_negatives_have_their_ratio(data: list[dict[str, Any]]):
    per_schema = Counter(row["schema_id"] for row in data if not row["is_valid"])
    assert set(per_schema.values()) == {5}


def test_unseen_schemas_belong_to_unseen_domains_and_the_others_have_their_shares(data: list[dict[str, Any]]):
    splits = defaultdict(Counter)
    for row in (row for row in data if row["is_valid"]):
        splits[row["schema_id"]][row["split"]] += 1
    unseen = {schema_id for schema_id, counts in splits.items() if "test_unseen" in counts}
    assert len(unseen) == 3
    assert len({schema_id.rpartition("-")[0] for schema_id in unseen}) == 1
    for schema_id, counts in splits.items():
        expected = {"test_unseen": 10} if schema_id in unseen else {"train": 7, "test_seen": 2, "align": 1}
        assert counts == expected


def test_no_request_and_no_ast_stands_on_two_sides(data: list[dict[str, Any]]):
    sides = defaultdict(set)
    for row in (row for row in data if row["is_valid"]):
        side = SIDES[row["split"]]
        sides["request", normalised_request(row["query"])].add(side)
        sides["ast", canonical_text(row["ast_json"])].add(side)
    assert all(len(found) == 1 for found in sides.values())


def test_names_say_whether_all_names_of_a_schema_occur_in_training(
    made: Config, rows: Rows, data: list[dict[str, Any]]
):
    specs = {spec["schema_id"]: spec for spec in rows(made.dataset_generation.schema_specs_out)}

    def names_of(schema_id: str) -> set[str]:
        fields = specs[schema_id]["fields"]
        return {field["name"] for field in fields} | {v["value"] for field in fields for v in field["values"]}

    known = set().union(*(names_of(row["schema_id"]) for row in data if row["split"] == "train"))
    for row in data:
        assert row["names"] == ("seen" if names_of(row["schema_id"]) <= known else "new")


def test_the_corpus_holds_training_rows_with_a_right_completion(made: Config, rows: Rows, data: list[dict[str, Any]]):
    corpus = rows(made.dataset_generation.training_corpus_out)
    trained = {row["query_id"]: row for row in data if row["split"] == "train"}
    assert {row["query_id"] for row in corpus} == set(trained)
    for row in corpus:
        source = trained[row["query_id"]]
        right = source if source["is_valid"] else trained[source["positive_id"]]
        assert row["ast_json"] == right["ast_json"] == json.loads(row["completion"])
        assert row["kind"] == ("plain" if source["is_valid"] else "repair")
        assert row["query"] in row["prompt"]
        assert (source["validator_message"] or "") in row["prompt"]


def test_the_metadata_carry_the_verdict_and_the_counts(made: Config, rows: Rows):
    path = Path(made.dataset_generation.training_corpus_out)
    metadata = json.loads((path.parent / "training_corpus_metadata.json").read_text())
    assert metadata["verdict"] == metadata["gate"]["verdict"] == "pass"
    assert metadata["corpus_rows"] == len(rows(path))
    assert metadata["gate"]["counts"]["split"].keys() == {"train", "align", "test_seen", "test_unseen"}


def test_prettified_copies_hold_the_same_rows(made: Config, rows: Rows):
    folder = Path(made.run.pretty_dir)
    settings = made.dataset_generation
    for out in (
        settings.schema_specs_out,
        settings.final_schemas_out,
        settings.schema_queries_out,
        settings.dataset_out,
    ):
        assert json.loads((folder / f"{Path(out).stem}.json").read_text()) == rows(out)


def test_every_row_says_who_made_it(made: Config, rows: Rows, data: list[dict[str, Any]]):
    assert {row["made_by"]["provider"] for row in data} == {"embedded", "mutation"}
    assert all(row["made_by"]["seed"] == made.dataset_generation.seed for row in data)
