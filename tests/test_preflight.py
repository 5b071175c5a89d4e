"""Which configuration is taken, and what a machine lacks for it, with every machine made up."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from astudent import machine, preflight
from astudent.config import load_config
from astudent.errors import Problems, RunError, UsageError, one_line
from astudent.machine import Gpu
from astudent.settings import Config

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No GPU, no Ollama, no hub; the repository's files in a folder without .llmrc."""
    for name in ("config", "data"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLM_MODEL", raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    have(monkeypatch)


def have(
    monkeypatch: pytest.MonkeyPatch,
    gpu: Gpu | None = None,
    models: list[str] | None = None,
    base: tuple[str, str] | None = None,
    packages: tuple[str, ...] = (),
) -> None:
    monkeypatch.setattr(preflight, "find_gpu", lambda: gpu)
    monkeypatch.setattr(preflight, "ollama_models", lambda host: models)
    monkeypatch.setattr(preflight, "base_model_problem", lambda name, revision: base)
    monkeypatch.setattr(preflight, "missing_gpu_packages", lambda: list(packages))


A100, T4 = Gpu(1, 8), Gpu(1, 7)
ALL = {"data", "training", "evals", "alignment"}


def config(path: str = "config/defaults.json", **flags: Any) -> Config:
    return load_config(path, {name.replace("__", "."): value for name, value in flags.items()})


def told(*given: Any, **named: Any) -> str:
    with pytest.raises((UsageError, RunError)) as error:
        preflight.check(*given, **named)
    return one_line(error.value)


def test_all_three_there_is_the_real_run(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, A100, ["gpt-oss:120b"])
    choice = preflight.choose(None, ALL)
    assert choice.path == Path("config/defaults.json") and "the real run" in choice.reason


@pytest.mark.parametrize(
    ("gpu", "models", "says"),
    [
        (None, ["gpt-oss:120b"], ["no CUDA GPU answers", "wants: a CUDA GPU"]),
        (
            A100,
            None,
            ["no Ollama server answers at http://127.0.0.1:9", "`ollama serve` and `ollama pull gpt-oss:120b`"],
        ),
        (A100, ["other"], ["lacks gpt-oss:120b", "`ollama pull gpt-oss:120b`"]),
        (None, None, ["no CUDA GPU answers; no Ollama server", "a CUDA GPU, `ollama serve`"]),
    ],
)
def test_one_missing_is_the_embedded_run_and_says_which(
    monkeypatch: pytest.MonkeyPatch, gpu: Gpu | None, models: list[str] | None, says: list[str]
) -> None:
    have(monkeypatch, gpu, models)
    choice = preflight.choose(None, ALL)
    assert choice.path == Path("config/embedded.json") and "\n" not in choice.reason
    assert all(text in choice.reason for text in says)


@pytest.mark.parametrize("source", ["--model", "LLM_MODEL", ".llmrc"])
def test_a_named_teacher_that_is_absent_is_an_error(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    have(monkeypatch, A100, ["gpt-oss:120b"])
    flag = "qwen3:4b" if source == "--model" else None
    if source == "LLM_MODEL":
        monkeypatch.setenv("LLM_MODEL", "qwen3:4b")
    if source == ".llmrc":
        Path(".llmrc").write_text("qwen3:4b\n")
    with pytest.raises(UsageError) as error:
        preflight.choose(flag, ALL)
    assert source in one_line(error.value) and "`ollama pull qwen3:4b`" in one_line(error.value)


def test_a_named_teacher_is_never_replaced_for_want_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, None, ["qwen3:latest"])
    with pytest.raises(UsageError, match="none answers"):
        preflight.choose("qwen3", ALL)
    assert preflight.choose("qwen3", {"data"}).path == Path("config/defaults.json")


def test_a_bare_machine_can_run_the_embedded_configuration() -> None:
    preflight.check(config("config/embedded.json"), ALL)


def test_every_lack_is_told_at_once_with_its_cure() -> None:
    with pytest.raises(Problems) as error:
        preflight.check(config(), ALL)
    text = "\n".join(error.value.problems)
    assert len(error.value.problems) == 5
    assert "`ollama pull gpt-oss:120b`" in text and "training.bf16" in text and "alignment.load_in_4bit" in text


def test_only_what_the_stages_need_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, None, ["gpt-oss:120b"])
    preflight.check(config(), {"data"})
    preflight.check(config(), set())
    off = config(training__load_in_4bit=False, training__bf16=False)
    preflight.check(off, {"training"})
    assert "alignment.bf16" in told(off, {"alignment"})


def test_a_gpu_wants_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, A100, packages=("unsloth", "bitsandbytes"))
    assert "`uv sync --frozen --extra gpu`" in told(config(), {"training"})
    have(monkeypatch, A100)
    preflight.check(config(), {"training"})


def test_bf16_wants_a_gpu_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, T4)
    assert "this GPU has no bfloat16" in told(config(), {"training"})
    preflight.check(config(training__bf16=False), {"training"})


def test_unsloth_wants_a_gpu() -> None:
    settings = {"training__load_in_4bit": False, "training__bf16": False, "training__backend": "unsloth"}
    assert "training.backend is unsloth" in told(config(**settings), {"training"})


def test_the_base_model_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, A100, ["gpt-oss:120b"], base=("google/x is gated", "Accept its licence."))
    assert told(config(), ALL) == "error: google/x is gated. Accept its licence."


def test_a_model_for_the_embedded_teacher_is_refused() -> None:
    assert "--model x: the configuration's teacher is embedded" in told(config("config/embedded.json"), ALL, model="x")
    assert "--teacher-model x" in told(config("config/embedded.json"), {"evals"}, judge="x")


def test_alignment_wants_a_judge() -> None:
    assert "evaluation.teacher is none" in told(
        config("config/embedded.json", evaluation__teacher="none"), {"alignment"}
    )
    preflight.check(config("config/embedded.json", evaluation__teacher="none"), {"evals"})


def test_disk_space_is_no_usage_error() -> None:
    with pytest.raises(RunError, match="GB free"):
        preflight.check(config("config/embedded.json", run__min_free_gb=1e9), {"data"})


def test_the_command_prints_a_line_and_the_path() -> None:
    result = CliRunner().invoke(preflight.app, ["--need", "data"])
    assert result.exit_code == 0
    first, path = result.output.splitlines()
    assert first.startswith("astudent: the embedded run") and path == "config/embedded.json"


def test_the_command_obeys_config_and_prints_settings() -> None:
    def say(*flags: str) -> tuple[int, str]:
        result = CliRunner().invoke(preflight.app, ["--config", "config/embedded.json", *flags])
        return result.exit_code, result.output.strip()

    assert say("--setting", "evaluation.base_out_dir") == (0, "outputs/embedded/student_runs/eval-base")
    assert say("--setting", "alignment.control") == (0, "true")
    assert say("--setting", "alignment.contro")[0] == 2
    assert say("--need", "evals", "--teacher", "none")[0] == 0
    assert say("--teacher", "nobody")[0] == 2


class FakeOllama(BaseHTTPRequestHandler):
    """Answers what the server answers: the list of models, and (recorded) the request to unload one, which takes a while."""

    posted: list[dict[str, Any]]  # of each server
    loaded: list[dict[str, Any]]  # what each look at the loaded models takes one from

    def do_GET(self) -> None:
        if self.path == "/api/ps":
            return self._reply({"models": [self.loaded.pop()] if self.loaded else []})
        self._reply({"models": [{"name": "gpt-oss:120b"}, {"name": "tiny:latest"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.posted.append(body)
        self._reply({"done": True, "response": ""})

    def _reply(self, value: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    FakeOllama.posted, FakeOllama.loaded = [], []
    with HTTPServer(("127.0.0.1", 0), FakeOllama) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_is_asked_for_its_models(server: str) -> None:
    models = machine.ollama_models(machine.ollama_hosts([server])[0])
    assert models == ["gpt-oss:120b", "tiny:latest"]
    assert models is not None and machine.holds_model(models, "tiny") and not machine.holds_model(models, "gpt-oss")


def test_a_model_is_unloaded_and_gone_when_the_command_ends(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server)
    FakeOllama.loaded = [{"model": "gpt-oss:120b"}] * 2
    assert CliRunner().invoke(preflight.app, ["--config", "config/defaults.json", "--unload"]).exit_code == 0
    (posted,) = FakeOllama.posted
    assert (posted["model"], posted["keep_alive"], FakeOllama.loaded) == ("gpt-oss:120b", 0, [])


def test_a_server_that_is_gone_has_nothing_to_unload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    assert CliRunner().invoke(preflight.app, ["--config", "config/defaults.json", "--unload"]).exit_code == 0


@pytest.mark.parametrize(
    ("hosts", "environment", "address"),
    [
        ([], "", "http://127.0.0.1:11434"),
        ([], "gpu-box", "http://gpu-box:11434"),
        ([], "gpu-box:1", "http://gpu-box:1"),
        (["https://x.example/"], "gpu-box", "https://x.example"),
    ],
)
def test_addresses_of_servers(
    monkeypatch: pytest.MonkeyPatch, hosts: list[str], environment: str, address: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", environment)
    assert machine.ollama_hosts(hosts)[0] == address


@pytest.mark.parametrize("host", ["htp:/127.0.0.1:1", "ftp://box", "http://", "http://:11434"])
def test_what_can_be_no_address_is_a_usage_error(host: str) -> None:
    with pytest.raises(UsageError, match="is no address of a server"):
        machine.ollama_hosts([host])


def test_settings_that_contradict_each_other_are_no_matter_for_after_the_training() -> None:
    config = load_config("config/embedded.json", {"evaluation.beams": 4, "evaluation.temperature": 0.7})
    with pytest.raises(UsageError, match="exclude each other"):
        preflight.check(config, {"evals"})


def test_who_told_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"evaluation\.student_hosts: 'a b' is no address"):
        machine.ollama_hosts(["a b"], "evaluation.student_hosts")
    monkeypatch.setenv("OLLAMA_HOST", "a b")
    with pytest.raises(UsageError, match="OLLAMA_HOST: 'a b' is no address"):
        machine.ollama_hosts([])


def test_no_server_is_none() -> None:
    assert machine.ollama_models("http://127.0.0.1:9") is None


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    problem = machine.base_model_problem(str(tmp_path), None)
    assert problem and "tokenizer_config.json, *.safetensors lacking" in problem[0]
    assert machine.base_model_problem("./nowhere", None) == (
        "./nowhere: no such folder",
        "Name a model folder, or an id such as unsloth/gemma-3-270m-it.",
    )


def test_a_hub_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    problem = machine.base_model_problem("someone/something", None)
    assert problem and "HF_HUB_OFFLINE" in problem[0]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(machine, "hub_address", lambda base, revision: "http://127.0.0.1:9/x")
    problem = machine.base_model_problem("someone/something", None)
    assert problem and "does not answer" in problem[0]


@pytest.mark.parametrize(
    ("reason", "status", "says"),
    [
        ("GatedRepo", 401, "is gated"),
        ("", 403, "is gated"),
        ("RepoNotFound", 401, "neither a folder here nor a model on the hub"),
        ("RevisionNotFound", 404, "has no revision v9"),
        ("", 500, "the model hub answers 500"),
    ],
)
def test_what_the_hub_refuses(reason: str, status: int, says: str) -> None:
    what, cure = machine.hub_refusal("someone/something", "v9", reason, status)
    assert says in what and cure


def test_a_task_needs_no_teacher_of_data(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, A100)
    recipe = "config/recipes/mistral-7b-support.json"
    preflight.check(config(recipe), ALL)
    assert "--model x: the task support asks no teacher for its data" in told(config(recipe), {"data"}, model="x")
