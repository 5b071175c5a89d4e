"""What becomes a row, and what is said of the rest."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sets import MAPPINGS, SAMPLES, SETS

from astudent.errors import RunError
from astudent.importing.lookups import Lookups
from astudent.importing.mapping import Lookup, read_mapping
from astudent.importing.rows import Rejection, RowMaker
from astudent.importing.scope import RejectedError
from astudent.importing.sources import read_records
from astudent.jsonl import line_of
from astudent.records import DatasetRow

GOOD = {"text": "one", "answer": {"n": 1}}


@pytest.mark.parametrize(
    ("record", "changed", "reason"),
    [
        ({}, {}, "nothing stands at /row/text"),
        (GOOD | {"text": "  "}, {}, "an empty request"),
        (GOOD | {"text": "x" * 20_001}, {}, "more than 20,000 characters"),
        (GOOD | {"text": ["x"]}, {}, "a list where a text is needed"),
        (GOOD | {"text": "\ud800"}, {}, "half a character"),
        (GOOD | {"answer": {"n": "1"}}, {}, "the answer breaks its schema: n"),
        (GOOD | {"answer": {"n": float("inf")}}, {}, "an answer that is no JSON"),
        (GOOD | {"answer": {"n": 2**60}}, {}, "the answer: integer"),
        (GOOD | {"answer": "{"}, {}, "not JSON"),
        (GOOD | {"answer": [1]}, {}, "a list where an answer is needed"),
        (GOOD, {"schema": {"constant": {"$ref": "http://example.org/x"}}}, "schema refers outside itself"),
        (GOOD, {"schema": {"constant": {"type": "no"}}}, "not a JSON Schema"),
        (GOOD, {"split": {"constant": "holdout"}}, "split: Input should be"),
        (GOOD, {"language": {"constant": "de"}}, "language: Input should be"),
        (GOOD, {"query_id": {"constant": "a\nb"}}, "an id that is no line"),
        (GOOD, {"each": [{"name": "part", "in": "/row/parts"}]}, "nothing where a list is needed (/row/parts)"),
        (GOOD | {"parts": [0] * 2001}, {"each": [{"name": "part", "in": "/row/parts"}]}, "more than 2,000 rows"),
    ],
)
def test_a_reject_says_why(make: Callable[..., Any], record: Any, changed: Any, reason: str):
    rejected = make(record, **changed)[-1]
    assert isinstance(rejected, Rejection) and reason in rejected.reason


def test_ids_come_from_content_and_never_twice(make: Callable[..., Any]):
    first, again, other = make(GOOD, GOOD, GOOD | {"text": "two"})
    assert first.query_id != other.query_id and first.schema_id == other.schema_id
    assert again == Rejection("request, schema and answer are there already")
    assert make(GOOD | {"text": "two"}, GOOD)[1].query_id == first.query_id, "whatever stands before it"


def test_one_schema_id_never_stands_for_two_schemas(make: Callable[..., Any]):
    schemas = [{"type": "object"}, {"type": "object", "maxProperties": 9}]
    records = [GOOD | {"schema": schema} for schema in schemas]
    made = make(*records, schema={"at": "/row/schema"}, schema_id={"constant": "s"})
    assert made[0].schema_id == "s" and "stands for another schema" in made[1].reason


def test_members_renames_defaults_and_templates(make: Callable[..., Any]):
    schema = {"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "b": {}, "c": {}}, "required": ["a", "b"]}
    members = {
        "a": {"at": "/row/a~1b", "renames": {"ex": "x"}},
        "b": {"at": "/row/none", "default": None},
        "c": {"at": "/row/none", "optional": True},
    }
    request = {"template": "{/row/who} {asks} {/row/many/1}"}
    record = {"a/b": "ex", "who": "Ann", "many": [1, 2.5]}
    [row] = make(record, schema={"constant": schema}, answer={"members": members}, request=request)
    assert (row.query, row.ast_json) == ("Ann {asks} 2.5", {"a": "x", "b": None})


TALK: dict[str, Any] = {
    "at": "/row/talk",
    "speaker": "/who",
    "text": "/says",
    "speakers": {"u": "U: ", "s": None, "a": ""},
}


@pytest.mark.parametrize(
    ("changed", "requests"),
    [
        ({}, ["U: one\ntwo\nU: three"] * 4),
        ({"until": "turn"}, ["U: one", "U: one", "U: one\ntwo", "U: one\ntwo\nU: three"]),
        ({"until": "turn", "last": 1}, ["U: one", "an empty request", "two", "U: three"]),
        ({"speakers": {"u": ""}}, ["the mapping does not name the speaker 's'"] * 4),
    ],
)
def test_turns_become_one_request(make: Callable[..., Any], changed: Any, requests: list[str]):
    talk = [{"who": who, "says": says} for who, says in zip("usau", ("one", "none", "two ", "three"), strict=True)]
    record = {"talk": [turn | {"n": n} for n, turn in enumerate(talk)]}
    made = make(
        record,
        request={"turns": TALK | changed},
        each=[{"name": "turn", "in": "/row/talk"}],
        answer={"members": {"n": {"at": "/turn/n"}}},
    )
    assert [row.query if isinstance(row, DatasetRow) else row.reason for row in made] == requests
    assert all(row.item == f"turn {place}" for place, row in enumerate(made) if isinstance(row, Rejection))


def maker_of(name: str) -> RowMaker:
    mapping, digest = read_mapping(MAPPINGS / f"{name}.json")
    second = {lookup: SAMPLES / file for lookup, file in SETS[name][1].items()}
    return RowMaker(mapping, Lookups(mapping.lookups, second), digest)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a value."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else [])
    return [place for key, inner in items for place in [(value, key), *places(inner)]]


STRANGE = st.one_of(
    st.sampled_from(
        [None, True, -1, 99, 10**30, float("nan"), "", "x", "\ud800", [], [[]], {}, {"a": {}}, {"name": "x"}]
    ),
    st.sampled_from(["<tool_call>{</tool_call>", "[1]", '{"name": {}}', "List[", [["table_unit", 9]], [0, 1, 2]]),
    st.text(max_size=9),
)


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=60)
@given(data=st.data())
def test_whatever_stands_in_a_record_ends_in_a_row_or_a_reason(name: str, data: st.DataObject):
    """Records of the samples with two values replaced by any others."""
    records = [record.content for record in read_records(SAMPLES / SETS[name][0])]
    record = copy.deepcopy(data.draw(st.sampled_from(records)))
    assert record is not None
    for _ in range(2):
        container, key = data.draw(st.sampled_from(places(record) or [(record, "x")]))
        container[key] = copy.deepcopy(data.draw(STRANGE))
    for made in maker_of(name).rows(record):
        assert made.reason if isinstance(made, Rejection) else line_of(made)


def test_a_lookup_that_leads_nowhere_is_a_reject():
    maker = maker_of("xlam")
    with pytest.raises(RejectedError, match="is not in the file of truth"):
        maker_of("bfcl").lookups.found({"row": {"id": "simple_9"}})
    assert maker.lookups.found({"row": {}}) == {}


def test_an_id_twice_in_a_second_file(tmp_path: Path):
    (tmp_path / "twice.jsonl").write_text('{"id": 1}\n{"id": "1"}\n')
    with pytest.raises(RunError, match=r"twice\.jsonl:2: the id '1' is there twice"):
        Lookups({"x": Lookup(key="/id", at="/row/x")}, {"x": tmp_path / "twice.jsonl"})
