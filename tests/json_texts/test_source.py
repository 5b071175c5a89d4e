"""Which texts a file, or stdin, holds."""

import io
import sys
from pathlib import Path

import pytest

from astudent.errors import AstudentError
from astudent.json_texts.source import Reading, Text, read_texts


def read(path: Path, content: str | bytes, reading: Reading | None = None) -> list[Text]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_texts([str(path)], reading))


def test_a_file_is_one_text_and_a_jsonl_one_in_each_line(tmp_path: Path) -> None:
    lines = '{"a":1}\n\n[2]\r\n'
    assert [text.text for text in read(tmp_path / "x.txt", lines)] == [lines]
    texts = read(tmp_path / "x.jsonl", lines)
    assert [(text.text, text.line) for text in texts] == [('{"a":1}', 1), ("[2]", 3)]
    assert len(read(tmp_path / "x.txt", lines, Reading(jsonl=True))) == 2
    assert len(read(tmp_path / "x.jsonl", lines, Reading(jsonl=False))) == 1


def test_a_known_field_is_taken_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = read(tmp_path / "x.jsonl", '{"id":"r1","output":"{\\"a\\":1}"}')
    assert (text.text, text.id, text.where) == ('{"a":1}', "r1", f"{tmp_path}/x.jsonl:1")
    assert "'output'" in capsys.readouterr().err


def test_a_field_may_hold_the_value_itself_and_lie_deep(tmp_path: Path) -> None:
    line = '{"choices": [{"message": {"content": {"b": 1.0, "b": 2}}}]}'
    (text,) = read(tmp_path / "x.jsonl", line, Reading(field="choices.0.message.content"))
    assert text.text == '{"b": 1.0, "b": 2}'


def test_rows_are_texts_themselves(tmp_path: Path) -> None:
    (text,) = read(tmp_path / "x.jsonl", '{"output": "x"}', Reading(rows=True))
    assert text.text == '{"output": "x"}'


@pytest.mark.parametrize(
    ("content", "reading", "says", "code"),
    [
        (b'{"a":1}\n\xff', Reading(), "x.jsonl:2: byte 0 is not UTF-8", 1),
        (b'{"output":1}\n{"output":', Reading(), "x.jsonl:2: not JSON", 1),
        (b'{"output":"x"}\n{"a":1}', Reading(), "x.jsonl:2:output: no such field", 1),
        (b"{}", Reading(field="a", rows=True), "not both", 2),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes, reading: Reading, says: str, code: int) -> None:
    with pytest.raises(AstudentError, match=says) as caught:
        read(tmp_path / "x.jsonl", content, reading)
    assert caught.value.exit_code == code


def test_stdin_is_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf{}\n[]")))
    assert [text.text for text in read_texts([])] == ["{}\n[]"]
