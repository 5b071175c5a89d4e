"""docs/serving.md does what it says: each snippet is run as it stands there, against the real server."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from exported import exported
from real_server import ROOT, RealServer

from astudent.export.write import create
from astudent.language.validation import validator_for

PAGE = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ASKS = re.findall(r"^\$ astudent (ask --ollama .*)$", PAGE, re.MULTILINE)
ADDRESS, NAME = "http://127.0.0.1:11434", "my-student"
SCHEMA = {
    "type": "object",
    "properties": {"status": {"enum": ["open", "closed"]}, "paid": {"type": "boolean"}},
    "required": ["status", "paid"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module", autouse=True)
def student(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The page's model, exported."""
    export = exported(tmp_path_factory.mktemp("export"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        create(export.package, export.record, NAME)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an application stands: a schema and the configurations."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    return tmp_path


def run(code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    words, kept = [sys.executable, "-c", code], os.environ | variables
    return subprocess.run(words, cwd=folder, env=kept, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("place", range(2))
def test_a_snippet_prints_an_ast_that_the_schema_accepts(server: RealServer, folder: Path, place: int):
    assert len(SNIPPETS) == 2 and SNIPPETS[place].count(ADDRESS) == 1
    before = len(server.chats()) + server.log.read_text(encoding="utf-8").count("/v1/chat/completions")
    done = run(SNIPPETS[place].replace(ADDRESS, server.url), folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert not validator_for(SCHEMA).problems(json.loads(done.stdout)), done.stdout
    assert len(server.chats()) + server.log.read_text(encoding="utf-8").count("/v1/chat/completions") == before + 1


def test_the_command_prints_an_ast_that_the_schema_accepts(server: RealServer, folder: Path):
    (line,) = ASKS
    code = f"import sys; sys.argv = {['astudent', *shlex.split(line)]}; from astudent.command import main; main()"
    done = run(code, folder, OLLAMA_HOST=server.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert not validator_for(SCHEMA).problems(json.loads(done.stdout)), done.stdout


def test_without_a_temperature_the_openai_endpoint_draws(server: RealServer, folder: Path):
    """As the page warns; at temperature 0 the same request has one answer."""
    import openai

    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none")

    def texts(**settings: float) -> set[str | None]:
        asked = [{"role": "user", "content": "some words"}]
        replies = [
            client.chat.completions.create(model=NAME, messages=asked, max_tokens=16, **settings)  # type: ignore[call-overload]
            for _ in range(4)
        ]
        return {reply.choices[0].message.content for reply in replies}

    assert len(texts(temperature=0)) == 1 < len(texts())
