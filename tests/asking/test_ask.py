"""`astudent ask --ollama`: what it sends, prints and refuses, against a stand-in for a server."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ollama_stand_in import StandIn, error, reply, serving

from astudent.command import main
from astudent.prompt import build_prompt
from astudent.settings import Prompt

SCHEMA = {"type": "object", "properties": {"status": {"enum": ["open", "closed"]}}, "required": ["status"]}
PROMPT = Prompt(instruction="Answer with JSON.", schema_rendering="compact")
KEYS = {"astudent.prompt.instruction": PROMPT.instruction, "astudent.prompt.schema_rendering": "compact"}
RIGHT = '{"status": "open"}'
WATCH = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"


@pytest.fixture(autouse=True)
def schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    return tmp_path / "schema.json"


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """Answers with the test's parameter, else rightly; it says its prompt and its context."""
    text = getattr(request, "param", RIGHT)
    with serving(lambda _: reply(text), keys=KEYS, num_ctx=4096, thinking=True) as stand_in:
        yield stand_in


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["astudent", "ask", "--schema", "schema.json", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    told = capsys.readouterr()
    return (caught.value.code if isinstance(caught.value.code, int) else 0), told.out, told.err


def asked(server: StandIn) -> tuple[str, ...]:
    return "--ollama", "tiny", "--host", server.url


def test_the_ast_alone_goes_to_stdout(server: StandIn, capsys: Any, monkeypatch: pytest.MonkeyPatch):
    assert run(capsys, monkeypatch, *asked(server), "what is open?") == (0, '{"status":"open"}\n', "")


def test_it_is_asked_as_it_was_trained_and_bound_by_the_schema(server: StandIn, capsys: Any, monkeypatch: Any):
    run(capsys, monkeypatch, *asked(server), "--max-new-tokens", "77", "what <end_of_turn> is open?")
    (chat,) = server.chats
    content = build_prompt(SCHEMA, "what <end_of_turn> is open?", PROMPT)
    assert chat["messages"] == [{"role": "user", "content": content}] and "<end_of_turn>" not in content
    assert chat["format"] == SCHEMA and chat["think"] is False
    options = chat["options"]
    assert (options["temperature"], options["num_predict"], options["num_ctx"]) == (0, 77, 4096)


@pytest.mark.parametrize(
    ("server", "says"),
    [('{"status":"opne"}', "status: 'opne' is not one of open, closed"), ('{"status":', "not JSON"), ("\x1b[2J", "U+001B")],
    indirect=["server"],
)  # fmt: skip
def test_what_is_no_valid_ast_is_never_printed_as_one(
    server: StandIn, capsys: Any, monkeypatch: pytest.MonkeyPatch, says: str
):
    code, out, err = run(capsys, monkeypatch, *asked(server), "what is open?")
    assert (code, out) == (1, "") and says in err and "no AST that the schema accepts" in err


def test_the_request_may_stand_on_stdin(server: StandIn, capsys: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\ufeffquoi d'ouvert à Orléans ?\n".encode())))
    assert run(capsys, monkeypatch, *asked(server))[:2] == (0, '{"status":"open"}\n')
    assert server.chats[0]["messages"][0]["content"].endswith("\nquoi d'ouvert à Orléans ?")


@pytest.mark.parametrize("given", [b"\xff\xfe", b" \n", b"x" * 90_000], ids=["no text", "empty", "endless"])
def test_no_request_is_one_line(server: StandIn, capsys: Any, monkeypatch: pytest.MonkeyPatch, given: bytes):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    code, out, err = run(capsys, monkeypatch, *asked(server))
    assert (code, out, err.count("\n")) == (2, "", 1) and not server.chats


def test_bytes_of_the_command_line_that_are_no_text_are_one_line(server: StandIn, capsys: Any, monkeypatch: Any):
    code, out, err = run(capsys, monkeypatch, *asked(server), "what is \udcff?")
    assert (code, out, err.count("\n")) == (2, "", 1) and "not UTF-8" in err and not server.chats


def test_at_a_terminal_bytes_that_are_no_text_are_asked_again(server: StandIn, capsys: Any, monkeypatch: Any):
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(b"\xff\n"), encoding="utf-8"))
    code, out, err = run(capsys, monkeypatch, *asked(server))
    assert (code, out) == (0, "") and "not UTF-8" in err


@pytest.mark.parametrize("server", ['{"status":"open","note":"a\u202eb\u200b"}'], indirect=True)
def test_a_terminal_shows_the_value_that_the_student_gave(server: StandIn, capsys: Any, monkeypatch: Any):
    monkeypatch.setattr("astudent.commands.ask_output.safe", lambda text: text.replace("\u202e", "U+202E"))
    code, out, _ = run(capsys, monkeypatch, *asked(server), "what is open?")
    assert code == 0 and out.isascii() and json.loads(out) == {"status": "open", "note": "a\u202eb\u200b"}


def test_a_context_beyond_what_the_model_sees_is_not_believed(capsys: Any, monkeypatch: pytest.MonkeyPatch):
    with serving(lambda _: reply(RIGHT, prompt_tokens=2048), keys=KEYS, context=2048, num_ctx=4096) as server:
        code, out, err = run(capsys, monkeypatch, *asked(server), "what is open?")
    assert (code, out) == (1, "") and "cut a prompt to its 2048 tokens" in err


def test_at_a_terminal_it_goes_on_until_the_input_ends(capsys: Any, monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    replies = iter(['{"status":"opne"}', RIGHT])
    monkeypatch.setattr(sys, "stdin", Terminal("first\n\nsecond\n"))
    with serving(lambda _: reply(next(replies)), keys=KEYS) as server:
        code, out, err = run(capsys, monkeypatch, *asked(server))
    assert (code, out) == (0, '{"status":"open"}\n') and err.count("request> ") == 4
    assert "'opne' is not one of open, closed" in err


def test_a_model_that_does_not_say_its_prompt_is_not_asked_with_another(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    shipped = Path(__file__).parents[2] / "config/defaults.json"
    with serving(lambda _: reply(RIGHT)) as server:
        code, out, err = run(capsys, monkeypatch, *asked(server), "what is open?")
        assert (code, out) == (2, "") and "does not say with which prompt" in err and not server.chats
        assert run(capsys, monkeypatch, *asked(server), "--config", str(shipped), "what is open?")[0] == 0
    assert server.chats[0]["messages"][0]["content"].startswith("Translate the request")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Give --adapter FOLDER or --ollama NAME"),
        (("--adapter", "a", "--ollama", "b"), "Give --adapter FOLDER or --ollama NAME"),
        (("--adapter", "nowhere"), "no adapter there"),
        (("--ollama", "tiny", "--host", "127.0.0.1:9"), "no Ollama server answers at http://127.0.0.1:9"),
        (("--ollama", "tiny", "--host", "a b"), "--host: 'a b' is no address of a server"),
        (("--ollama", "tiny", "--beams", "4"), "an Ollama server has no beam search"),
    ],
)
def test_no_student_is_one_line(capsys: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str):
    code, out, err = run(capsys, monkeypatch, *words, "what is open?")
    assert (code, out, err.count("\n")) == (2, "", 1) and says in err


def test_an_absent_model_says_what_to_run(server: StandIn, capsys: Any, monkeypatch: pytest.MonkeyPatch):
    code, _, err = run(capsys, monkeypatch, "--ollama", "absent", "--host", server.url, "what is open?")
    assert code == 2 and "ollama pull absent" in err


def test_a_prompt_that_the_server_cut_is_no_answer(capsys: Any, monkeypatch: pytest.MonkeyPatch):
    with serving(lambda _: reply(RIGHT, prompt_tokens=512), keys=KEYS, num_ctx=512) as server:
        code, out, err = run(capsys, monkeypatch, *asked(server), "what is open?")
    assert (code, out) == (1, "") and "cut a prompt to its 512 tokens" in err and "num_ctx" in err


def test_a_schema_that_the_server_refuses_is_one_line(capsys: Any, monkeypatch: pytest.MonkeyPatch):
    with serving(lambda _: error(500, "invalid JSON schema in format"), keys=KEYS) as server:
        code, out, err = run(capsys, monkeypatch, *asked(server), "what is open?")
    assert (code, out) == (1, "") and "invalid JSON schema in format" in err


def test_the_served_student_needs_no_torch(server: StandIn):
    words = ["astudent", "ask", "--schema", "schema.json", *asked(server), "what is open?"]
    code = f"{WATCH}; sys.argv = {words}; from astudent.command import main; main()"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert told.stdout == '{"status":"open"}\n'
    modules = set(told.stderr.split())
    assert "ollama" in modules and modules.isdisjoint({"torch", "transformers", "peft", "duckdb", "datasets"})
