"""The rows of the documents task: how many, for whom, valid, reproducible, balanced, and nothing of the tests in training."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from astudent.jsonl import line_of, write_atomic
from astudent.language.canonical import canonical_text
from astudent.language.serialise import parse_ast, serialise
from astudent.language.splits import SIDES, normalised_request
from astudent.language.validation import check_schema
from astudent.quality.check import GateOptions
from astudent.quality.gate import run_gate
from astudent.records import DatasetRow
from astudent.tasks.documents import SCHEMAS, VERSION, rows
from astudent.tasks.documents.draw import HELD_OUT_LISTS, held_out, words

# of the rows that VERSION stands for; a change of any row needs another version, and then another digest here
FINGERPRINTS = {"1.0.0": "3dc5d61ca5a925a58862682941580dec1cfd037c0c6c6aff2fdb62d5fcf22f27"}
SCHEMA_CHARACTERS = {"simple": 500, "medium": 1200, "complex": 2500}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar with its path; all items of an array share one."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, f"{path}[]")
    else:
        yield path, value


def enumerated(schema: dict[str, Any]) -> set[str]:
    """Paths of the members that are enumerations or booleans."""

    def walk(node: dict[str, Any], path: str) -> Iterator[str]:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else node
        if "enum" in node or node.get("type") == "boolean":
            yield path
        for name, member in node.get("properties", {}).items():
            yield from walk(member, f"{path}.{name}")
        if "items" in node:
            yield from walk(node["items"], f"{path}[]")

    return set(walk(schema, ""))


def test_there_are_eight_schemas_of_each_grade_and_they_are_short() -> None:
    assert Counter(kind.grade for kind in SCHEMAS.values()) == {"simple": 8, "medium": 8, "complex": 8}
    for kind in SCHEMAS.values():
        check_schema(kind.schema)
        assert kind.schema["additionalProperties"] is False
        assert len(json.dumps(kind.schema, separators=(",", ":"))) < SCHEMA_CHARACTERS[kind.grade]


def test_every_schema_has_the_rows_that_were_asked_for_in_both_languages(dataset: list[DatasetRow]) -> None:
    counts = Counter((row.domain_id, row.split, row.language) for row in dataset)
    for name in SCHEMAS:
        for split, half in {"train": 75, "test_seen": 10, "align": 5}.items():
            assert counts[name, split, "en"] == counts[name, split, "fr"] == half
    assert len(dataset) == 24 * 180
    assert len({row.query_id for row in dataset}) == len(dataset)


def test_a_row_says_what_it_is(dataset: list[DatasetRow]) -> None:
    for row in dataset:
        kind = SCHEMAS[row.domain_id]
        assert (row.schema_id, row.grade, row.schema_json) == (f"{kind.name}-v1", kind.grade, kind.schema)
        assert (row.made_by.provider, row.made_by.model, row.made_by.digest) == ("program", "documents", VERSION)
        assert row.is_valid and row.names == "seen" and row.source == "generated"


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    first, again, other = (list(rows(seed, 4, 2, 2)) for seed in (3, 3, 4))
    assert first == again
    assert not {row.query for row in first} & {row.query for row in other}


def test_the_rows_of_the_tests_do_not_depend_on_the_number_of_training_rows() -> None:
    few, many = ([row for row in rows(1, count, 3, 2) if row.split != "train"] for count in (2, 9))
    assert few == many


def test_a_change_of_the_rows_needs_a_new_version() -> None:
    text = b"".join(line_of(row) for row in rows(0, 10, 2, 2))
    assert hashlib.sha256(text).hexdigest() == FINGERPRINTS[VERSION]


def test_every_answer_is_valid_under_its_schema_by_another_validator(dataset: list[DatasetRow]) -> None:
    checker = jsonschema.FormatChecker(("date", "email"))
    validators = {
        name: jsonschema.Draft202012Validator(kind.schema, format_checker=checker) for name, kind in SCHEMAS.items()
    }
    for row in dataset:
        assert not list(validators[row.domain_id].iter_errors(row.ast_json)), row.query_id


def test_answers_survive_serialisation_and_are_short(dataset: list[DatasetRow]) -> None:
    for row in dataset:
        text = serialise(row.ast_json, row.schema_json)
        assert parse_ast(text) == (row.ast_json, None)
        assert len(text) <= {"simple": 160, "medium": 500, "complex": 800}[row.grade or ""]


def test_the_gate_passes(dataset: list[DatasetRow], tmp_path: Path) -> None:
    write_atomic(tmp_path / "rows.jsonl", dataset)
    report = run_gate([tmp_path / "rows.jsonl"], GateOptions(near_duplicate_similarity=0.9))
    assert (report.verdict, report.suspicions) == ("pass", [])


def test_no_text_and_no_answer_comes_twice_even_with_other_names_for_its_members(dataset: list[DatasetRow]) -> None:
    assert len({normalised_request(row.query) for row in dataset}) == len(dataset)
    assert len({canonical_text(row.ast_json) for row in dataset}) == len(dataset)
    sides = defaultdict[str, set[str]](set)
    for row in dataset:
        sides[json.dumps(sorted(str(value) for _, value in leaves(row.ast_json)))].add(SIDES[row.split])
    assert all(len(among) == 1 for among in sides.values())


def test_held_out_words_stand_in_tests_only(dataset: list[DatasetRow]) -> None:
    parts = {"train": Counter[str](), "align": Counter[str](), "test": Counter[str]()}
    for row in dataset:
        strings = [value for _, value in leaves(row.ast_json) if isinstance(value, str)]
        parts[SIDES[row.split]].update({row.language + string for string in strings})
    for language in ("en", "fr"):
        for name in HELD_OUT_LISTS - {"first", "last", "firm", "street"}:  # those are parts of composed values
            kept = {language + word for word in held_out(language, name)}
            assert len(kept) >= 2 and len(kept) < len(words(language, name)) / 3
            assert not kept & (parts["train"].keys() | parts["align"].keys()), name
            assert kept & parts["test"].keys(), name


def test_held_out_last_names_are_of_nobody_in_training(dataset: list[DatasetRow]) -> None:
    for language in ("en", "fr"):
        people: dict[str, set[str]] = {"train": set(), "align": set(), "test": set()}
        for row in dataset:
            names = [
                value.split(" ", 1) for _, value in leaves(row.ast_json) if isinstance(value, str) and " " in value
            ]
            found = {last for first, last in names if first in words(language, "first")}
            people[SIDES[row.split]] |= found if row.language == language else set()
        kept = held_out(language, "last")
        assert not kept & (people["train"] | people["align"])
        assert len(kept & people["test"]) > len(kept) / 2


def test_enumerated_values_are_as_frequent_in_tests_as_in_training(dataset: list[DatasetRow]) -> None:
    for name, kind in SCHEMAS.items():
        shares: dict[str, Counter[Any]] = {"train": Counter(), "test_seen": Counter()}
        paths = enumerated(kind.schema)
        for row in dataset:
            if row.domain_id == name and row.split in shares:
                shares[row.split].update((path, value) for path, value in leaves(row.ast_json) if path in paths)
        assert shares["train"].keys() == shares["test_seen"].keys()
        for (path, value), count in shares["train"].items():
            ratio = _share(shares["test_seen"], path, value) / _share(shares["train"], path, value)
            assert 0.5 <= ratio <= 2, (name, path, value, count, ratio)


def _share(counts: Counter[Any], path: str, value: Any) -> float:
    return counts[path, value] / sum(count for (where, _), count in counts.items() if where == path)


def test_optional_members_are_as_frequent_in_tests_as_in_training(dataset: list[DatasetRow]) -> None:
    for name, kind in SCHEMAS.items():
        for member in set(kind.schema["properties"]) - set(kind.schema["required"]):
            there = {
                split: [member in row.ast_json for row in dataset if (row.domain_id, row.split) == (name, split)]
                for split in ("train", "test_seen")
            }
            shares = {split: sum(found) / len(found) for split, found in there.items()}
            assert 0.5 <= shares["test_seen"] / shares["train"] <= 2, (name, member, shares)
            assert 0.1 < shares["train"] < 0.9, (name, member, shares)
