"""An export on a real server answers as its adapter does, and faults that only a server shows are found and named."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from exported import IN_GGUF, copied, exported, leave_unmerged, rewritten, verified
from real_server import RealServer

from astudent.errors import UsageError
from astudent.export.modelfile import Turn
from astudent.export.package import Package
from astudent.export.served import Server
from astudent.export.verify import Verification
from astudent.export.write import WINDOW_SHIFT, create
from astudent.prompt import prompt_of_keys

NAME = "exported"


@pytest.fixture(scope="module")
def here(server: RealServer) -> Iterator[RealServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        yield server


@pytest.fixture(scope="module")
def right(here: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Verification:
    return exported(tmp_path_factory.mktemp("export"))


def served(verification: Verification, turn: Turn | None = None) -> Server:
    """The export's own GGUF on the server, with its template or another one."""
    record = replace(verification.record, turn=turn or verification.record.turn)
    return create(Package(verification.package.folder), record, NAME)


def failed(verification: Verification, server: Server) -> tuple[set[str], list[str]]:
    """The ways that failed, and the causes."""
    proof = verified(verification, server)
    return {text.partition(":")[0] for text in proof.failures}, list(proof.causes)


def test_a_right_export_answers_as_its_adapter(right: Verification):
    proof = verified(right, served(right))
    assert proof.failures == [] and list(proof.causes) == [], proof.as_table()
    assert [way.name for way in proof.ways[-2:]] == ["Ollama raw", "Ollama chat"]
    assert all(way.figures["equal_prompts"] == way.figures["prompts"] == right.count for way in proof.ways)


def test_the_server_says_with_which_prompt_the_model_was_trained(right: Verification):
    keys, _ = served(right).facts()
    assert prompt_of_keys(keys) == right.origin.prompt


def test_the_modelfile_makes_the_same_model(right: Verification, here: RealServer):
    here.run("create", "by-hand", "-f", "Modelfile", cwd=right.package.modelfile.parent)
    served(right)
    assert Server("by-hand").facts() == Server(NAME).facts()


@pytest.mark.parametrize("fault", IN_GGUF)
def test_a_fault_of_the_gguf_is_found_and_named(right: Verification, tmp_path: Path, fault: str):
    damaged = copied(right, tmp_path / "out")
    change, shift, cause = IN_GGUF[fault]
    rewritten(damaged, damaged.package.served("f16", True), change, WINDOW_SHIFT + shift)
    ways, causes = failed(damaged, served(damaged))
    assert ways == {"Ollama raw", "Ollama chat"}
    if fault in (
        "BOS missing",
        "RoPE bases lost",
        "window of one more",
    ):  # the others are not among what a server tells
        assert any(text.startswith(f"Ollama: {cause}") for text in causes), causes


def test_one_newline_more_in_the_template_is_found_and_named(right: Verification):
    turn = right.record.turn
    ways, causes = failed(right, served(right, replace(turn, after=turn.after + "\n")))
    assert ways == {"Ollama chat"}
    assert any(text.startswith("Ollama: another template") and "+1 newlines" in text for text in causes)


def test_an_adapter_that_was_not_merged_is_found(right: Verification, tmp_path: Path):
    damaged = copied(right, tmp_path / "out")
    leave_unmerged(damaged, damaged.package.served("f16", True), WINDOW_SHIFT)
    ways, _ = failed(damaged, served(damaged))
    assert ways == {"merged fp32", "Ollama raw", "Ollama chat"}


def test_another_pattern_of_layers_is_found_and_named(here: RealServer, tmp_path: Path):
    kinds = ["full_attention" if place % 3 == 2 else "sliding_attention" for place in range(6)]
    wrong = exported(tmp_path, kinds)
    for path, shift in ((wrong.package.gguf("f16"), 0), (wrong.package.served("f16", True), WINDOW_SHIFT)):
        rewritten(wrong, path, lambda contents: contents, shift)
    server = Server(NAME)
    server.create(wrong.package.served("f16", True), wrong.record.turn, wrong.record.parameters)
    ways, causes = failed(wrong, server)
    assert ways == {"GGUF F16", "Ollama raw", "Ollama chat"}
    assert any("global layers are not every sixth" in text for text in causes)


def test_a_name_that_the_server_refuses_is_one_line(here: RealServer, right: Verification):
    with pytest.raises(UsageError, match="no name!"):
        create(right.package, right.record, "no name!")


def test_without_a_server_one_line_says_so(monkeypatch: pytest.MonkeyPatch, right: Verification):
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    with pytest.raises(UsageError, match="no Ollama server answers"):
        Server(NAME).chat("a", 1)
