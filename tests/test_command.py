"""The command `astudent`: what it prints, its exit codes, a help that costs nothing, and documents that are up to date."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from astudent.command import app, main

REPOSITORY = Path(__file__).parents[1]
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
SCHEMA = {"properties": {"s": {"enum": ["x", "y"]}}, "required": ["s"]}
WATCH = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command line."""
    monkeypatch.setattr(sys, "argv", ["astudent", *line.split()])
    with pytest.raises(SystemExit) as caught:
        main()
    told = capsys.readouterr()
    code = caught.value.code
    return (code if isinstance(code, int) else 0), told.out, told.err


@pytest.mark.parametrize(
    ("content", "line", "code", "out", "err"),
    [
        ('so {"a": 1}', "extract f.txt", 0, '{"a":1}\n', ""),
        ('so {"a": 1', "extract f.txt", 1, "", "the text ends within the value"),
        ("so", "extract f.txt", 1, "", "no JSON object or array"),
        ('{"a":1} {"a":2} [{"a":3},', "extract --pick last f.txt", 1, '{"a":2}\n', "ends within"),
        ('{"s":"x"}', "validate --schema schema.json f.txt", 0, "valid: 1", ""),
        ('{"s":"z"}', "validate --schema schema.json f.txt", 1, "f.txt: s: 'z' is not one of x, y", "1 of 1"),
        ('{"s": "x"}', "repair --schema schema.json f.txt", 0, '{"s": "x"}', ""),
        ("{'s': 'X'}\n", "repair --schema schema.json f.txt", 0, '{"s": "x"}\n', "spelling of the schema"),
        ('{"s": "z",}', "repair --schema schema.json f.txt", 1, '{"s": "z"}\n', "still wrong: s: 'z'"),
        ('{"s":"x"}', "anatomy --schema schema.json f.txt", 0, '{"s":"x"}\nsqKqsqEqs\n', ""),
        ('{"s":', "anatomy f.txt", 1, "", "line 1, column 6"),
        ('{"s":', "anatomy --lenient f.txt", 0, '{"s":\nsqKqs\n', ""),
        ('{"s":"x"}', "diff f.txt f.txt", 0, "1 pairs aligned by order", ""),
        ("{}", "extract --field a --rows f.txt", 2, "", "not both"),
        ("{}", "extract nowhere.txt", 2, "", "nowhere.txt: No such file"),
        ("{}", "validate --schema f.txt --schema nowhere.json f.txt", 2, "", "nowhere.json"),
        ("[]", "validate --schema f.txt f.txt", 2, "", "f.txt: not a JSON Schema"),
        ("{}", "diff f.txt", 2, "", "Missing argument"),
        ('{"query":"q","ast_json":{"s":"x"}}', "gate --schema schema.json f.txt", 0, "pass: 1 rows", ""),
        ('{"query":"q","ast_json":{"s":"z"}}', "gate --schema schema.json f.txt", 1, "/s: 'z' is not", "1 violations"),
        ("{", "gate f.txt --json -", 1, '"kind": "not_json"', "1 violations in 1 rows"),
        ("{}", "gate nowhere.jsonl", 2, "", "nowhere.jsonl: No such file"),
        ("{}", "gate --schema nowhere.json f.txt", 2, "", "nowhere.json"),
        ("{}", "nosuch f.txt", 2, "", "nosuch"),
    ],
)
def test_what_it_prints_and_its_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    content: str, line: str, code: int, out: str, err: str,
) -> None:  # fmt: skip
    (folder / "f.txt").write_text(content)
    told = run(capsys, monkeypatch, line)
    assert (told[0], out in told[1], err in told[2]) == (code, True, True), told


@pytest.mark.parametrize("command", ["extract", "validate", "repair", "anatomy"])
def test_json_is_one_object_for_each_text(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    rows = [{"id": number, "output": text} for number, text in enumerate(['{"s": "x"}', '{"s": "\ud800', "no"])]
    (folder / "f.jsonl").write_text("\n".join(map(json.dumps, rows)))
    code, out, _ = run(capsys, monkeypatch, f"{command} --json f.jsonl")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and [(row["line"], row["id"]) for row in told] == [(1, 0), (2, 1), (3, 2)]


def test_a_difference_can_fail_a_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.jsonl").write_text('{"s":"x"}\n{"s":"y"}\n')
    (folder / "b.jsonl").write_text('{"s":"x"}\n{"s":"[red]\\u001b[31m"}\n')
    code, out, err = run(capsys, monkeypatch, "diff a.jsonl b.jsonl --schema schema.json --fail-above 0.4 --json")
    assert code == 1 and "ENUM_VALUE 50.0%" in err
    assert json.loads(out)["roles"]["ENUM_VALUE"]["share"] == 0.5
    code, out, _ = run(capsys, monkeypatch, "diff a.jsonl b.jsonl --schema schema.json --fail-above 0.5")
    assert code == 0 and '"[red]\\u001b[31m"' in out


def test_sound_json_passes_byte_for_byte(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    content = '{ "é" : [1.0,\n\t1e5] }  \n'.encode()
    (folder / "f.json").write_bytes(content)
    subprocess.run([sys.executable, "-c", "from astudent.command import main; main()", "repair", "f.json"], check=True)
    assert capfdbinary.readouterr().out == content


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_neither_torch_nor_pydantic(command: str) -> None:
    words = ["astudent", *command.split(), "--help"]
    run = [sys.executable, "-c", f"{WATCH}; sys.argv = {words}; from astudent.command import main; main()"]
    told = subprocess.run(run, capture_output=True, text=True, check=True)
    assert "Usage: astudent" in told.stdout
    modules = set(told.stderr.split())
    assert "typer" in modules
    assert modules.isdisjoint({"torch", "transformers", "pydantic.main", "rich.console", "jsonschema", "duckdb"})


def test_the_documents_are_what_the_command_says() -> None:
    run = [sys.executable, str(REPOSITORY / "scripts/write_cli_docs.py"), "--check"]
    told = subprocess.run(run, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_the_documents_name_functions_that_exist() -> None:
    text = (REPOSITORY / "docs/json_tools.md").read_text(encoding="utf-8")
    named = re.findall(r"`astudent\.json_texts\.(\w+)\.(\w+)\(", text)
    assert len(named) == 5
    for module, function in named:
        assert f"\ndef {function}(" in (REPOSITORY / f"src/astudent/json_texts/{module}.py").read_text()


def test_the_gate_writes_its_report(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    (folder / "f.jsonl").write_text('{"query": "q", "ast_json": {"s": "<script>"}, "id": 3}\n')
    line = "gate --schema schema.json f.jsonl --json out.json --html out.html --quiet"
    assert run(capsys, monkeypatch, line)[:2] == (1, "")
    report = json.loads((folder / "out.json").read_text())
    assert (report["verdict"], report["rows"]) == ("fail", 1)
    (violation,) = report["violations"]
    assert violation | {"found": "", "expected": ""} == {
        "file": "f.jsonl", "line": 1, "id": "3", "kind": "invalid_positive", "path": "/s", "found": "", "expected": ""
    }  # fmt: skip
    page = (folder / "out.html").read_text()
    assert "invalid_positive" in page and "<script>" not in page
