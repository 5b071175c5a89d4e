"""Stages 01 to 05 while servers and stages die: the rows of a run without faults, and no reply paid for twice."""

import asyncio
import json
import multiprocessing
import os
import random
import runpy
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import pytest
from scripted_server import text_for

from astudent.config import load_config
from astudent.in_order import in_order
from astudent.records import MadeBy, QueryRow
from astudent.teacher import ollama_hosts
from astudent.teacher.factory import ollama_teacher
from astudent.teacher.model_id import ModelId
from astudent.teacher.protocol import AnswerOutcome
from astudent.teacher.replies import DescriptionReply, JudgeReply, fits, queries_format, spec_format

ROOT = Path(__file__).parents[2]
STAGES = {
    "01_generate_domain_specs": "d_01_domain_specs",
    "02_build_schemas": "d_02_final_schemas",
    "03_generate_example_queries": "d_03_schema_queries",
    "04_generate_dataset": "d_04_dataset",
    "05_build_training_corpus": "d_05_training_corpus",
}
forks = multiprocessing.get_context("forkserver")  # what the stages import is imported once, not at each start
forks.set_forkserver_preload(["astudent.config", "astudent.stages.corpus", "astudent.teacher.ollama"])

MOST_IN_FLIGHT = 6
REPLY_SECONDS = 0.05
LOST_ON_THE_WAY = "busy=0.1,drop=0.04,half=0.03,broken=0.02,crash=0.01,hang=0.02"
A_MODEL_THAT_ERRS = "misfit=0.12,prose=0.06,cut=0.06,again=0.5"

SMALL: dict[str, Any] = {
    "max_domains": 4,
    "schemas_per_domain": 2,
    "examples_per_schema": 4,
    "per_schema_queries": 24,
    "positives_per_schema": 12,
    "test_seen_share": 0.2,
    "test_unseen_share": 0.25,
}


class Server:
    """The scripted server in a process of its own, which may be killed and started again on the same port."""

    def __init__(self, folder: Path, faults: str, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log, self._faults, self._seed = folder / "server.log", faults, seed
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        options = {"--port": self._port, "--log": self.log, "--faults": self._faults, "--seed": self._seed}
        options |= {"--slots": 8, "--reply-ms": 1000 * REPLY_SECONDS}
        words = [str(word) for option in options.items() for word in option]
        command = [sys.executable, str(Path(__file__).with_name("scripted_server.py")), *words]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline().split()[-1])

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def lines(self) -> list[list[str]]:
        """What happened so far (`got`, `sent` or a fault's name) and the key of the request, in order."""
        return [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def calls(self) -> int:
        return sum(what == "got" for what, _ in self.lines())


@dataclass(frozen=True)
class Death:
    """Of a stage or the server, when the server has got so many calls more than at the last one."""

    of: Literal["stage", "server"]
    calls: int


@dataclass
class Run:
    """Stages 01 to 05 in a folder. `stored` is what the cache held at each start of a stage, with the log's length."""

    folder: Path
    server: Server
    deaths: list[Death] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(5))
    kills: int = 0
    stored: list[tuple[int, set[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seen = 0

    @property
    def cache(self) -> Path:
        return self.folder / "cache.sqlite"

    def write_config(self, **changes: Any) -> None:
        teacher = {
            "provider": "ollama",
            "model": "tiny",
            "hosts": [self.server.url],
            "think": None,
            "timeout_seconds": 2.0,
            "patience_seconds": 60.0,
            "max_in_flight": MOST_IN_FLIGHT,
            "cache_path": str(self.cache),
        }
        out = self.folder / "out"
        sections = {
            "extends": str(ROOT / "config" / "embedded.json"),
            "run": {"outputs_root": str(out), "pretty_dir": str(out / "pretty")},
            "dataset_generation": SMALL | changes,
            "teacher": teacher,
        }
        (self.folder / "config.json").write_text(json.dumps(sections))

    def finish(self) -> None:
        """Runs every stage to its end; one that was killed is started again."""
        for script in STAGES:
            while (code := self._started(script)) == -signal.SIGKILL:
                self.kills += 1
            assert code == 0, (self.folder / "said.txt").read_text()[-2000:]

    def _started(self, script: str) -> int:
        """The exit code of one start of a stage; meanwhile those die whose time has come."""
        self.stored.append((len(self.server.lines()), keys_in(self.cache)))
        stage = forks.Process(target=run_script, args=(script, self.folder))
        stage.start()
        while stage.is_alive():
            if self.deaths and self.server.calls() >= self._seen + self.deaths[0].calls:
                time.sleep(self.rng.uniform(0, 2 * REPLY_SECONDS))
                self._end(self.deaths.pop(0), stage)
                self._seen = self.server.calls()
            stage.join(0.02)
        assert stage.exitcode is not None
        return stage.exitcode

    def _end(self, death: Death, stage: Any) -> None:
        if death.of == "stage":
            stage.kill()
            stage.join()
            if stage.exitcode != -signal.SIGKILL:  # it was done before: the next stage dies instead
                self.deaths.insert(0, death)
        else:
            self.server.kill()
            time.sleep(self.rng.uniform(0, 0.5))
            self.server.start()

    def rows(self, name: str) -> list[dict[str, Any]]:
        return rows_of(self.folder / "out" / f"{name}.jsonl")


def run_script(script: str, folder: Path) -> None:
    """The script as its command line runs it, in a process of its own."""
    os.chdir(ROOT)
    os.environ.pop("LLM_MODEL", None)
    ollama_hosts.LONGEST_PAUSE = 0.3  # these servers are back at once
    said = os.open(folder / "said.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    sys.argv = [f"scripts/{script}.py", "--config", str(folder / "config.json")]
    runpy.run_path(sys.argv[0], run_name="__main__")


class Finished(Protocol):
    """What the fixture of that name is called with."""

    def __call__(self, faults: str = "", deaths: Sequence[Death] = (), seed: int = 0, **changes: Any) -> Run: ...


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keys_in(cache: Path) -> set[str]:
    """The keys of all stored replies, in hex."""
    if not cache.exists():
        return set()
    with closing(sqlite3.connect(cache)) as file, suppress(sqlite3.OperationalError):  # killed before the first table
        return {key.hex() for (key,) in file.execute("SELECT key FROM replies")}
    return set()


def deaths_of(stages: int, servers: int, calls: Sequence[int], seed: int) -> list[Death]:
    """So many deaths in random order, each some `calls` (from, to) after the one before."""
    rng = random.Random(seed)
    mixed: list[Literal["stage", "server"]] = ["stage"] * stages + ["server"] * servers  # pyright: ignore
    rng.shuffle(mixed)
    return [Death(which, rng.randint(*calls)) for which in mixed]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """`finished(faults, deaths, seed=0, **counts)`: a run that has come to its end; `seed` is of the faults."""

    def run(faults: str = "", deaths: Sequence[Death] = (), seed: int = 0, **changes: Any) -> Run:
        folder = tmp_path_factory.mktemp("run")
        with Server(folder, faults, seed) as server:
            made = Run(folder, server, list(deaths))
            made.write_config(**changes)
            made.finish()
        return made

    return run


@pytest.fixture(scope="module")
def whole(finished: Finished) -> Run:
    """A run that nothing went wrong with."""
    return finished()


def assert_the_same_rows(one: Run, other: Run) -> None:
    for name in STAGES.values():
        assert one.rows(name) == other.rows(name), name
        assert one.rows(name), name
    answers = [sorted(run.rows("d_04_dataset.answers"), key=lambda row: row["query_id"]) for run in (one, other)]
    assert answers[0] == answers[1]
    for name in ("d_01_domain_specs.failures", "d_03_schema_queries.failures"):
        assert one.rows(name) == other.rows(name)


def assert_none_twice(run: Run) -> None:
    ids = {"d_01_domain_specs": "schema_id", "d_02_final_schemas": "schema_id"}
    ids |= dict.fromkeys(("d_03_schema_queries", "d_04_dataset.answers"), "query_id")
    for name, id_name in ids.items():
        counts = Counter(row[id_name] for row in run.rows(name))
        assert not counts or max(counts.values()) == 1, name
    rows = Counter(json.dumps(row, sort_keys=True) for row in run.rows("d_04_dataset"))
    assert max(rows.values()) == 1


def assert_no_stored_reply_was_asked_for_again(run: Run) -> None:
    lines = run.server.lines()
    for length, keys in run.stored:
        again = {key for what, key in lines[length:] if what == "got"} & keys
        assert not again
    sent = Counter(key for what, key in lines if what == "sent")
    assert keys_in(run.cache) == set(sent)  # the server's keys are the client's: the check above means something
    assert sum(sent.values()) - len(sent) <= run.kills * MOST_IN_FLIGHT


def assert_all_costs_are_counted(run: Run) -> None:
    counted = json.loads((run.folder / "out" / "teacher_usage.json").read_text())
    assert counted["total"]["calls"] == len(keys_in(run.cache))


def assert_unharmed(broken: Run, whole: Run, deaths: int) -> None:
    assert (broken.kills, broken.deaths) == (deaths, [])  # all that were to die did
    assert_the_same_rows(broken, whole)
    assert_none_twice(broken)
    assert_no_stored_reply_was_asked_for_again(broken)
    assert_all_costs_are_counted(broken)


def assert_full(run: Run, schemas: int, positives: int) -> None:
    accepted = Counter(row["schema_id"] for row in run.rows("d_04_dataset") if row["is_valid"])
    assert set(accepted.values()) == {positives} and len(accepted) == schemas


@pytest.mark.parametrize(
    "format",
    [
        spec_format(3),
        queries_format(["en", "fr"]),
        JudgeReply.model_json_schema(),
        DescriptionReply.model_json_schema(),
    ],
    ids=["propose", "write_queries", "judge", "describe"],
)
def test_the_scripted_model_keeps_to_every_format(format: dict[str, Any]):
    body = {"format": format, "messages": [{"role": "user", "content": 'plan:\n["en simple","fr nested"]\n'}]}
    assert fits(format, text_for(body, "one")) and text_for(body, "one") == text_for(body, "one")
    assert text_for(body, "one") != text_for(body, "two")


def test_answers_over_a_lossy_way_are_those_of_a_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ollama_hosts, "LONGEST_PAUSE", 0.01)
    schema = {"properties": {"query": {"type": "string", "minLength": 3}}, "required": ["query"]}
    made_by = MadeBy(provider="ollama", model="tiny")
    shared: dict[str, Any] = {"schema_id": "s-00", "language": "en", "source": "generated", "made_by": made_by}
    queries = [QueryRow(query_id=f"s-00-q{n:06d}", query=f"request {n}", **shared) for n in range(40)]

    async def answers(folder: Path, faults: str) -> list[AnswerOutcome]:
        with Server(folder, faults, 1) as server:
            changes = {"cache_path": str(folder / "cache"), "hosts": [server.url], "think": None}
            teacher = {f"teacher.{key}": value for key, value in changes.items()}
            config = load_config(ROOT / "config" / "defaults.json", teacher | {"run.outputs_root": str(folder)})
            async with ollama_teacher(config, ModelId("tiny", "--model"), "04") as asked:
                return [row async for row in in_order(lambda query: asked.answer(schema, query), queries, asked.ahead)]

    lossy = asyncio.run(answers(tmp_path / "lossy", "busy=0.1,drop=0.1,half=0.1,broken=0.1,crash=0.05"))
    assert lossy == asyncio.run(answers(tmp_path / "good", ""))
    assert all(outcome.ast for outcome in lossy)


@pytest.mark.slow
@pytest.mark.smoke
def test_one_death_of_each_and_a_lossy_way_change_no_row(finished: Finished):
    small: dict[str, Any] = {
        "max_domains": 2,
        "schemas_per_domain": 1,
        "per_schema_queries": 8,
        "positives_per_schema": 6,
    }
    broken = finished(LOST_ON_THE_WAY, [Death("stage", 1), Death("server", 6)], **small)
    assert_unharmed(broken, finished(**small), deaths=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_five_deaths_of_stages_and_two_of_the_server_change_no_row(finished: Finished, whole: Run, seed: int):
    broken = finished(LOST_ON_THE_WAY, deaths_of(5, 2, (3, 22), seed), seed)
    assert_full(broken, 8, 12)
    assert_unharmed(broken, whole, deaths=5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4])
def test_a_model_that_errs_gives_every_row_all_the_same_and_its_failures_are_kept(finished: Finished, seed: int):
    whole = finished(A_MODEL_THAT_ERRS, seed=seed)
    schemas = len(whole.rows("d_02_final_schemas"))
    assert_full(whole, schemas, 12)
    failed = [row for row in whole.rows("d_04_dataset.answers") if row["ast_json"] is None]
    assert failed and all(row["error"] and row["raw"] for row in failed)
    proposed, written = (whole.rows(f"{name}.failures") for name in ("d_01_domain_specs", "d_03_schema_queries"))
    assert len(proposed) == 8 - schemas and all(row["problem"] and row["raw"] for row in proposed + written)
    broken = finished(f"{A_MODEL_THAT_ERRS},{LOST_ON_THE_WAY}", deaths_of(5, 2, (3, 22), seed), seed)
    assert_unharmed(broken, whole, deaths=5)
