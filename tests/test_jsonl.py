"""Rows on disk: what a kill leaves, what a bad line says, what a replaced file looks like to a reader."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from astudent.errors import RunError
from astudent.jsonl import RowWriter, cut_half_line, line_of, read_objects, read_rows, sha256_of, write_atomic


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str
    count: int = 0


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = [Word(text='é\n"x" 🙂', count=1), Word(text="", count=-2)]
    write_atomic(tmp_path / "new" / "words.jsonl", rows)
    assert list(read_rows(tmp_path / "new" / "words.jsonl", Word)) == rows
    assert "é" in (tmp_path / "new" / "words.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"text": 3}', ":2:text: Input should be a valid string"),
        ('{"text": "a", "cuont": 1}', ":2:cuont: Extra inputs"),
        ("{'text'}", ":2: Invalid JSON"),
        ("[]", ":2: Input should be an object"),
        ("[" * 5000, ":2: Invalid JSON"),
        ("\udce9".encode("utf-8", "surrogateescape").decode("latin-1"), ":2: Invalid JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "words.jsonl"
    path.write_text(f'{{"text": "a"}}\n{line}\n{{"text": "b"}}\n', encoding="utf-8")
    with pytest.raises(RunError) as error:
        list(read_rows(path, Word))
    assert str(path) + says in error.value.message and error.value.hint


def test_bytes_that_are_no_text_are_a_bad_line(tmp_path: Path) -> None:
    (tmp_path / "w.jsonl").write_bytes(b'{"text": "\xff"}\n')
    with pytest.raises(RunError, match=r"w\.jsonl:1"):
        list(read_rows(tmp_path / "w.jsonl", Word))


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such file") as error:
        list(read_rows(tmp_path / "none.jsonl", Word))
    assert "Run the stage" in error.value.hint


@given(cut=st.integers(min_value=0, max_value=60))
def test_a_file_cut_anywhere_keeps_its_whole_rows(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "words.jsonl"
    rows = [Word(text="un café", count=1), Word(text="deux", count=2)]
    whole = b"".join(line_of(row) for row in rows)
    path.write_bytes(whole[:cut])
    kept = list(read_rows(path, Word, repair=True))
    assert kept == rows[: len(kept)]
    assert len(kept) == sum(len(b"".join(map(line_of, rows[: n + 1]))) - 1 <= cut for n in range(2))
    with RowWriter(path) as writer:  # writing on gives the same file as if nothing had happened
        for row in rows[len(kept) :]:
            writer.append(row)
    assert path.read_bytes() == whole


def test_reading_alone_leaves_the_half_line_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "words.jsonl"
    path.write_bytes(b'{"text":"a"}\n{"text":')
    assert len(list(read_rows(path, Word))) == 1
    assert path.read_bytes().endswith(b'{"text":')
    assert "words.jsonl:2: half-written last line" in capsys.readouterr().err


def test_a_half_line_longer_than_a_block_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "words.jsonl"
    path.write_bytes(b'{"text":"a"}\n{"text":"' + b"x" * 200_000)
    cut_half_line(path)
    assert path.read_bytes() == b'{"text":"a"}\n'


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "words.jsonl"
    write_atomic(path, [Word(text="old")])

    def rows():
        yield Word(text="new")
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        write_atomic(path, rows())
    assert [row.text for row in read_rows(path, Word)] == ["old"]
    assert os.listdir(tmp_path) == ["words.jsonl"]


def test_nan_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_atomic(tmp_path / "w.jsonl", [{"loss": float("nan")}])


def test_plain_objects_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_text('{"a":1}\n\n[1]\n')
    rows = read_objects(path)
    assert next(rows) == {"a": 1}
    with pytest.raises(RunError, match=r"w\.jsonl:3: expected a JSON object, found list"):
        next(rows)


def test_a_folder_hash_changes_with_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    first = sha256_of(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = sha256_of(tmp_path)
    (tmp_path / "b").write_text("y")
    assert len({first, second, sha256_of(tmp_path)}) == 3


def test_a_killed_writer_leaves_whole_rows(tmp_path: Path) -> None:
    path = tmp_path / "words.jsonl"
    script = (
        "import itertools, sys\nfrom astudent.jsonl import RowWriter\n"
        "with RowWriter(sys.argv[1]) as out:\n"
        "    for n in itertools.count():\n"
        "        out.append({'text': 'x' * 500, 'count': n})\n"
        "        n == 100 and print('going', flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout and writer.stdout.readline() == b"going\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    counts = [row.count for row in read_rows(path, Word, repair=True)]
    assert counts == list(range(len(counts))) and len(counts) > 100
