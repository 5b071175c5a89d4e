"""What `astudent ask` reads and prints: one request, or one after the other at a terminal; only valid ASTs go to stdout."""

import json
import sys
from typing import Any

from astudent.asking.reply import Answering, checked
from astudent.commands.output import note, safe
from astudent.errors import RunError, UsageError

MAX_REQUEST = 20_000
"""Characters; nobody asks for more in one request."""
SHOWN = 2_000
"""Characters of an answer that cannot be used."""
PROMPT = "request> "


def print_answer(answer: Answering, request: str, schema: dict[str, Any]) -> None:
    """The AST on stdout. RunError, with each problem on stderr, where the answer is none that the schema accepts."""
    reply = answer(request)
    found = checked(reply, schema)
    if found.ast is None:
        note(f"the student said: {reply.text[:SHOWN]}")
        for problem in found.problems:
            note(f"no valid AST: {problem}")
        raise RunError("the answer is no AST that the schema accepts", "Word the request differently, or constrain it.")
    print(shown(found.ast), flush=True)


def shown(ast: str) -> str:
    """The AST as it is. On a terminal one with control or direction characters, which may steer it, is spelled in ASCII:
    the same value."""
    return ast if safe(ast) == ast else json.dumps(json.loads(ast), separators=(",", ":"))


def converse(answer: Answering, schema: dict[str, Any]) -> None:
    """Asks for requests until the input ends; an answer that is no valid AST is explained, and the next one asked for."""
    while True:
        print(PROMPT, end="", file=sys.stderr, flush=True)
        try:
            request = input().strip()
        except EOFError:
            print(file=sys.stderr)
            return
        except UnicodeDecodeError:
            note("the request is not UTF-8")
            continue
        if not request:
            continue
        try:
            print_answer(answer, sized(request), schema)
        except (RunError, UsageError) as error:
            note(f"{error.message}. {error.hint}")


def read_request() -> str:
    """The request on stdin, whole. UsageError for an empty one or bytes that are no UTF-8."""
    try:
        return sized(sys.stdin.buffer.read(4 * MAX_REQUEST + 1).decode("utf-8-sig").strip())
    except UnicodeDecodeError as error:
        raise UsageError(f"stdin: byte {error.start} is not UTF-8", "Write the request as UTF-8.") from None


def sized(request: str) -> str:
    """The request. UsageError where it is empty, endless or no text."""
    if not request.strip():
        raise UsageError("the request is empty", "Say what is wanted, as an argument or on stdin.")
    if len(request) > MAX_REQUEST:
        raise UsageError(f"a request of more than {MAX_REQUEST:,} characters", "Say it shorter.")
    try:
        request.encode()
    except UnicodeEncodeError as error:  # half a character: a byte of the command line that is no UTF-8
        raise UsageError(f"the request: character {error.start} is not UTF-8", "Write it as UTF-8.") from None
    return request
