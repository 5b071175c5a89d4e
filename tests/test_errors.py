"""An error is one line that says what, where and what to do."""

import errno

import pytest

from astudent.errors import AstudentError, Problems, RunError, UsageError, one_line, report


def test_what_where_and_what_to_do_in_one_line() -> None:
    assert one_line(UsageError("a.json:3: bad\nvalue.", "Mend it.")) == "error: a.json:3: bad value. Mend it."
    assert one_line(RunError("no rows")) == "error: no rows"


def test_exit_codes() -> None:
    assert (UsageError("x").exit_code, RunError("x").exit_code, AstudentError("x").exit_code) == (2, 1, 1)


def test_a_full_disk_says_so() -> None:
    line = one_line(OSError(errno.ENOSPC, "No space left on device", "out.jsonl"))
    assert line == "error: no space left on the disk (out.jsonl). Free some, then run again."


def test_other_system_errors_name_the_file() -> None:
    assert one_line(PermissionError(errno.EACCES, "Permission denied", "x")) == "error: Permission denied (x)"


def test_problems_found_at_once_stand_in_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    report(Problems("c.json: 2 problems", "See --help.", ["a is missing", "b is missing"]))
    assert capsys.readouterr().err.splitlines() == [
        "error: c.json: 2 problems. See --help.",
        "  a is missing",
        "  b is missing",
    ]
