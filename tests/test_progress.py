"""How far long work is said to be, where there is no terminal."""

import pytest

from astudent import progress
from astudent.progress import followed


def test_what_is_followed_comes_through_and_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    assert list(followed("work", iter("abc"), 3)) == ["a", "b", "c"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["work: 1/3", "work: 2/3", "work: 3/3"]


def test_what_fails_is_not_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    with pytest.raises(ZeroDivisionError):
        list(followed("work", (1 / number for number in (1, 0)), 2))
    assert "1/2" in (told := capsys.readouterr().out) and "2/2" not in told
