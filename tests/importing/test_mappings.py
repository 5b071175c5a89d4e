"""The shipped mappings on hand-written rows in the formats of public sets: what each row must become."""

import json
from pathlib import Path
from typing import Any

import pytest
from sample_sets import MAPPINGS, SETS, arguments
from typer.testing import CliRunner

from astudent.command import app
from astudent.errors import Problems
from astudent.importing.mapping import read_mapping
from astudent.jsonl import read_rows
from astudent.language.validation import validator_for
from astudent.records import DatasetRow


def imported(name: str, folder: Path) -> list[DatasetRow]:
    out = folder / "rows.jsonl"
    result = CliRunner().invoke(app, arguments(name, out))
    assert result.exit_code == 0, result.output
    return list(read_rows(out, DatasetRow))


def test_every_shipped_mapping_has_a_sample():
    assert {path.stem for path in MAPPINGS.glob("*.json")} == set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_rows_are_whole_and_passed_by_the_gate(name: str, tmp_path: Path):
    rows = imported(name, tmp_path)
    for row in rows:
        assert validator_for(row.schema_json).problems(row.ast_json) == []
        assert (row.is_valid, row.source, row.made_by.provider) == (True, "imported", "import")
    assert len({row.query_id for row in rows}) == len(rows)
    assert CliRunner().invoke(app, ["gate", "--quiet", str(tmp_path / "rows.jsonl")]).exit_code == 0
    first = (tmp_path / "rows.jsonl").read_bytes()
    imported(name, tmp_path)
    assert (tmp_path / "rows.jsonl").read_bytes() == first, "the same files, the same rows"


def test_a_dialogue_is_asked_turn_by_turn(tmp_path: Path):
    first, third, idle, taxi = imported("dialogue_states", tmp_path)
    assert first.query == "User: I'd like a table for two at the Blue Fig."
    assert third.query.splitlines()[1:] == [
        "System: At what time?",
        "User: At half past 7. Do they have a terrace, and what is the address?",
    ]
    slots = {"place": "Blue Fig", "time": "half past 7", "seats": "2"}
    assert third.ast_json == {"intent": "ReserveTable", "slots": slots, "requested": ["terrace", "address"]}
    assert idle.ast_json == {"intent": "NONE", "slots": {}, "requested": []}
    assert taxi.ast_json["slots"] == {"taxi-destination": "the station", "taxi-type": "dontcare"}
    assert (first.schema_id, first.domain_id, taxi.domain_id) == (third.schema_id, "Tables_1", "taxi")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"intent": "ReserveTable", "slots": {"seats": "5"}, "requested": []}, "seats"),
        ({"intent": "Fly", "slots": {}, "requested": []}, "intent"),
        ({"intent": "NONE", "slots": {"colour": "red"}, "requested": []}, "colour"),
        ({"intent": "NONE", "slots": {}, "requested": ["colour"]}, "requested"),
    ],
)
def test_a_services_schema_takes_its_own_words_only(answer: Any, problem: str, tmp_path: Path):
    schema = imported("dialogue_states", tmp_path)[0].schema_json
    assert problem in "; ".join(validator_for(schema).problems(answer))


def test_parsed_sql_gets_its_names_back(tmp_path: Path):
    count, oldest, nested = (row.ast_json for row in imported("spider", tmp_path))
    older = {"left": {"column": "singer.Age"}, "operator": ">", "value": 40}
    ann = {"left": {"column": "singer.Name"}, "operator": "=", "value": "Ann"}
    assert count == {
        "select": [{"function": "count", "of": {"column": "*"}}],
        "from": ["singer"],
        "where": {"or": [older, ann]},
    }
    assert oldest["distinct"] is True and oldest["from"] == ["singer", "concert"] and oldest["limit"] == 3
    assert oldest["join_on"]["value"] == {"column": "concert.Singer_ID"}
    assert oldest["order_by"] == {"direction": "desc", "by": [{"column": "singer.Age"}]}
    no_concert, between = nested["where"]["and"]
    assert no_concert["not"]["value"] == {"query": {"select": [{"column": "concert.Singer_ID"}], "from": ["concert"]}}
    assert (between["operator"], between["value"]) == ("between", [20, 30])
    assert nested["select"][1]["operator"] == "-" and nested["having"]["left"]["distinct"] is True


def test_calls_take_the_first_acceptable_values(tmp_path: Path):
    weather, food = imported("bfcl", tmp_path)
    arguments = {"location": "Oslo, Norway", "unit": "celsius"}
    assert (weather.query_id, weather.ast_json) == (
        "simple_0",
        {"calls": [{"name": "weather.now", "arguments": arguments}]},
    )
    first, second = food.ast_json["calls"]
    assert first["arguments"] == {"food": "mango", "amount": 8, "where": {"lat": 46.5, "lon": 7.25}}
    assert second["arguments"] == {"food": "toast", "amount": 2}
    assert food.query.startswith("You help a cook.\nLog 8 pieces")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("xlam", {"name": "live_games", "arguments": {"sport": "hockey", "limit": 10}}),
        ("hermes", {"name": "camera_feed", "arguments": {"camera_id": "front_door", "quality": "1080p"}}),
    ],
)
def test_calls_that_stand_in_texts(name: str, call: Any, tmp_path: Path):
    [row] = imported(name, tmp_path)
    assert row.ast_json == {"calls": [call]}
    missing = {"calls": [{"name": call["name"], "arguments": {}}]}
    assert "missing key" in validator_for(row.schema_json).problems(missing)[0]


def test_a_plain_row_is_taken_as_it_stands(tmp_path: Path):
    [row] = imported("plain", tmp_path)
    assert (row.split, row.language, row.ast_json) == ("test_seen", "fr", {"name": "Zoé", "age": 31})
    assert row.query == "Donne le nom et l'âge de la personne.\nZoé a 31 ans." and "$schema" not in row.schema_json


def changed(**given: Any) -> dict[str, Any]:
    return {"name": "m", "request": {"at": "/row/q"}, "schema": {"at": "/row/s"}, "answer": {"at": "/row/a"}} | given


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        (
            changed(request={"at": "/row/q", "template": "x"}),
            "request: give exactly one of at, template, constant, turns",
        ),
        (changed(request={"at": "row"}), "request.at: String should match"),
        (changed(answer={}), "answer: give exactly one of at, members, calls, state, sql; given: none"),
        (changed(answer={"calls": "/row/c"}), "the file: answer.calls needs schema.functions"),
        (changed(each=[{"name": "row", "in": "/row/x"}]), "the file: a name of each or lookups is there twice"),
        (changed(lookups={"x": {"key": "/id"}}), "lookups.x: give both key and at"),
        (changed(colour="red"), "colour: Extra inputs are not permitted"),
        ({"name": "m"}, "schema: Field required"),
        ([], "the file: Input should be an object"),
    ],
)
def test_a_mapping_says_what_is_wrong_with_it(mapping: Any, problem: str, tmp_path: Path):
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps(mapping))
    with pytest.raises(Problems) as caught:
        read_mapping(path)
    assert any(each.startswith(problem) for each in caught.value.problems), caught.value.problems
