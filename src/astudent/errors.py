"""Errors that end a command with one line: what went wrong, where, and what to do about it."""

import errno
import sys


class AstudentError(Exception):
    """Something the user can mend. `message` says what and where, `hint` what to do (both one line)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AstudentError):
    """Wrong flags, or a configuration that cannot be used: exit 2."""

    exit_code = 2


class Problems(UsageError):
    """Several problems found at once, each a line of its own below the first."""

    def __init__(self, message: str, hint: str, problems: list[str]) -> None:
        super().__init__(message, hint)
        self.problems = problems


class RunError(AstudentError):
    """The run failed, or the thing that was checked is bad: exit 1."""


def one_line(error: BaseException) -> str:
    """`error: WHAT (WHERE). HINT` for any error that a command may end with; `Problems` add a line for each."""
    if isinstance(error, AstudentError):
        message, hint = error.message, error.hint
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        message, hint = f"no space left on the disk ({error.filename or 'while writing'})", "Free some, then run again."
    elif isinstance(error, OSError):
        message, hint = f"{error.strerror or error} ({error.filename or type(error).__name__})", ""
    else:
        message, hint = f"{type(error).__name__}: {error}", ""
    text = f"{message.rstrip('. ')}. {hint}" if hint else message
    details = error.problems if isinstance(error, Problems) else []
    return "\n  ".join(["error: " + " ".join(text.split()), *details])


def first_line(error: BaseException) -> str:
    """`TYPE: WHAT` of a library's error, whose text may go on for pages."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def report(error: BaseException) -> None:
    """Prints the error as one line on stderr."""
    print(one_line(error), file=sys.stderr, flush=True)
