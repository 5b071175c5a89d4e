"""Files of records: however an array is written, cut into buffers or packed, the same records come out."""

import csv
import datetime
import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astudent.errors import RunError, UsageError
from astudent.importing import array_window, sources
from astudent.importing.sources import read_records

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=6)


def contents(path: Path) -> list[Any]:
    return [record.content for record in read_records(path)]


@settings(max_examples=60)
@given(RECORDS, st.sampled_from([None, 0, 2]), st.booleans(), st.integers(1, 40))
def test_an_array_is_read_in_any_dress(records: Any, indent: int | None, escaped: bool, buffer: int):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_window, "BUFFER", buffer)
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps(records, indent=indent, ensure_ascii=escaped) + "\n", encoding="utf-8")
        read = list(read_records(path))
        assert [record.content for record in read] == records
        lines = path.read_text(encoding="utf-8").split("\n")
        assert all(lines[record.line - 1].lstrip().startswith(("{", "[")) for record in read)


def test_the_same_rows_in_every_kind_of_file(tmp_path: Path):
    rows = [{"a": 'x, "y"', "b": "é"}, {"a": "2\n3", "b": ""}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text("\ufeff" + lines, encoding="utf-8")
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "rows.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    with (tmp_path / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["a", "b"])
        writer.writeheader()
        writer.writerows(rows)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    for path in sorted(tmp_path.iterdir()):
        assert contents(path) == rows, path.name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "a list where an object is needed"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "nested deeper than 64 levels"),
        (b'{"a": ' + b"[" * 100_000 + b"}", "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": "' + b"x" * 300 + b'"}', "longer than 200 bytes"),
    ],
)
def test_a_bad_line_is_named_and_the_next_one_read(
    line: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if reason.startswith("longer"):
        monkeypatch.setattr(sources, "MAX_RECORD", 200)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n\n' + line + b'\n{"a": 2}\n')
    first, bad, last = read_records(path)
    assert (first.line, bad.line, last.line) == (1, 3, 4) and last.content == {"a": 2}
    assert bad.content is None and reason in bad.reason


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"a": 1}\n {"a": 2}]', "2: ',' expected"),
        ('[{"a": 1},\n', "2: not JSON"),
        ('[\n{"a": 1},\n{"a": tru}]', "3: not JSON"),
        ("[{}] {}", "1: more after the array's end"),
        ("[" * 100_000, "1: nested too deeply"),
    ],
)
def test_a_broken_array_is_named_by_line(text: str, problem: str, tmp_path: Path):
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(RunError) as caught:
        contents(path)
    assert f"rows.json:{problem}" in caught.value.message


def test_what_cannot_be_opened_or_unpacked(tmp_path: Path):
    packed = gzip.compress(b'{"a": 1}\n' * 9999)
    (tmp_path / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "no.jsonl.gz").write_bytes(b"plain")
    (tmp_path / "no.parquet").write_bytes(b"plain")
    (tmp_path / "no.csv").write_bytes(b"a,b\n1,\xff\n")
    for name in ("cut.jsonl.gz", "no.jsonl.gz", "no.parquet", "no.csv"):
        with pytest.raises(RunError, match=name):
            contents(tmp_path / name)
    with pytest.raises(UsageError, match=r"absent\.json"):
        contents(tmp_path / "absent.json")


def test_columns_that_json_has_not(tmp_path: Path):
    rows = [{"day": datetime.date(2024, 2, 29), "raw": None}, {"day": None, "raw": b"x"}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    dated, raw = read_records(tmp_path / "rows.parquet")
    assert dated.content == {"day": "2024-02-29", "raw": None}
    assert raw.content is None and "bytes" in raw.reason


def test_a_csv_row_of_another_length(tmp_path: Path):
    (tmp_path / "rows.csv").write_text("a,b\n1\n1,2\n1,2,3\n")
    short, whole, long = read_records(tmp_path / "rows.csv")
    assert whole.content == {"a": "1", "b": "2"} and short.content is long.content is None and "cells" in short.reason
