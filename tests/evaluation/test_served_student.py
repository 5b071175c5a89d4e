"""Stage 07 with a student on a server: what it is asked, what it keeps, and whose place it may not take."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ollama_stand_in import StandIn, error, reply, serving

from astudent.cli import Options
from astudent.errors import RunError, UsageError
from astudent.evaluation.results import AnswerRow, ResultRow
from astudent.evaluation.samples import choose_samples, content_of
from astudent.evaluation.served_student import make_served
from astudent.jsonl import read_rows, write_atomic
from astudent.records import DatasetRow
from astudent.settings import Config
from astudent.stage import record_path
from astudent.stages import evaluate

RIGHT = '{"where":{"field":"status","operator":"eq","value":"open"}}'
WRONG = '{"where":{"field":"status","operator":"eq","value":"opne"}}'


def answering(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Right where the schema binds; free, every fourth request is answered outside it."""
    is_wrong = "(3" in body["messages"][0]["content"] and body.get("format") is None
    return reply(WRONG if is_wrong else RIGHT)


@pytest.fixture
def ready(config: Config, row: Callable[..., DatasetRow], tmp_path: Path) -> Config:
    rows = [row(10 * s + n, split=split, schema_id=f"shop-{s}", query=f"open orders ({n} of {split})")
            for s, split in enumerate(("train", "test_unseen")) for n in range(4)]  # fmt: skip
    write_atomic(config.evaluation.dataset, rows)
    return config


def served(config: Config, server: StandIn, **changed: Any) -> Config:
    asked = {"student": "ollama:tiny", "student_hosts": (server.url,), "splits": ("test_unseen",), **changed}
    return config.model_copy({"evaluation": config.evaluation.model_copy(asked)})


def summary_of(config: Config) -> dict[str, Any]:
    return json.loads((Path(config.evaluation.out_dir) / "evaluation_summary.json").read_text(encoding="utf-8"))


def test_free_and_bound_stand_side_by_side(ready: Config):
    with serving(answering) as server:
        evaluate.run(served(ready, server, constrained=True), Options())
    summary = summary_of(ready)
    assert (summary["semantic_pass_rate"], summary["schema_valid_rate"]) == (0.75, 0.75)
    assert summary["constrained"]["semantic_pass_rate"] == 1
    about = summary["run"]
    assert (about["adapter"], about["served_digest"]) == ("ollama:tiny", "digest-of-tiny:latest")
    assert about["adapter_sha256"] is None and summary["baselines"]
    assert not (Path(ready.evaluation.base_out_dir) / "evaluation_results.jsonl").exists()


def test_it_gets_the_prompts_of_training(ready: Config):
    with serving(answering, num_ctx=2048) as server:
        evaluate.run(served(ready, server), Options())
    samples = choose_samples(read_rows(ready.evaluation.dataset, DatasetRow), ["test_unseen"], None, False)
    contents = {content_of(sample, ready.prompt) for sample in samples}
    assert {chat["messages"][0]["content"] for chat in server.chats} == contents
    assert {(chat["options"]["num_ctx"], chat["options"]["num_predict"]) for chat in server.chats} == {(2048, 192)}
    rows = read_rows(Path(ready.evaluation.out_dir) / "evaluation_results.jsonl", ResultRow)
    assert {row.prompt_text for row in rows} == contents


def test_the_same_again_asks_nothing_and_another_version_of_the_model_everything(ready: Config):
    with serving(answering) as server:
        evaluate.run(served(ready, server), Options())
        evaluate.run(served(ready, server), Options())
        assert len(server.chats) == 4
    with serving(answering, digest="newer-") as server:
        evaluate.run(served(ready, server), Options())
        assert len(server.chats) == 4
    assert summary_of(ready)["run"]["served_digest"] == "newer-tiny:latest"


def test_answers_that_came_before_an_end_are_kept(ready: Config):
    def fails(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        is_late = "(2" in body["messages"][0]["content"] or "(3" in body["messages"][0]["content"]
        return error(400, "out of order") if is_late else reply(RIGHT)

    answers = Path(ready.evaluation.out_dir) / "answers.jsonl"
    with serving(fails) as server, pytest.raises(RunError, match="out of order"):
        evaluate.run(served(ready, server), Options())
    before = answers.read_bytes()
    assert [row.query_id for row in read_rows(answers, AnswerRow)] == ["q10", "q11"]
    with serving(lambda _: reply(WRONG)) as server:
        evaluate.run(served(ready, server), Options())
    assert answers.read_bytes().startswith(before) and summary_of(ready)["semantic_pass_rate"] == 0.5


def test_many_are_asked_at_once(ready: Config):
    together = threading.Barrier(4, timeout=20)

    def all_here(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        together.wait()
        return answering(body)

    with serving(all_here) as server:
        evaluate.run(served(ready, server), Options())
    assert len(server.chats) == 4


def test_a_busy_server_is_asked_again(ready: Config):
    first = iter([error(503, "server busy")])
    with serving(lambda body: next(first, None) or answering(body)) as server:
        evaluate.run(served(ready, server), Options())
    assert len(server.chats) == 5 and summary_of(ready)["samples"] == 4


def test_what_the_server_cut_is_marked(ready: Config):
    with serving(lambda _: reply(RIGHT[:20], done_reason="length")) as server:
        evaluate.run(served(ready, server), Options())
    assert summary_of(ready)["truncated_rate"] == 1 and summary_of(ready)["parsed_rate"] == 0


def test_the_adapters_results_stay_where_they_are(ready: Config):
    with serving(answering, models=("tiny:latest", "other:latest")) as server:
        evaluate.run(served(ready, server), Options())
        with pytest.raises(UsageError, match="holds the answers of ollama:tiny") as caught:
            evaluate.run(served(ready, server, student="ollama:other"), Options())
    assert "--out-dir" in caught.value.hint and summary_of(ready)["run"]["adapter"] == "ollama:tiny"


def test_the_base_models_place_is_not_taken(ready: Config):
    with serving(answering) as server, pytest.raises(UsageError, match="is the base model's place"):
        evaluate.run(served(ready, server, out_dir=ready.evaluation.base_out_dir), Options())
    assert not server.chats


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"student": "tiny"}, "names no served student"),
        ({"student": "ollama:"}, "names no served student"),
        ({"student": "ollama:absent"}, "model absent is not on"),
        ({"splits": ("align",)}, "pairs are built from the adapter's own answers"),
        ({"beams": 4}, "an Ollama server has no beam search"),
        ({"beams": 4, "temperature": 0.5, "student": None}, "exclude each other"),
        ({"student": None, "adapter": "ollama:tiny", "splits": ("align",)}, "pairs are built"),
        ({"student_hosts": ("127.0.0.1:9",)}, "no Ollama server answers"),
    ],
)
def test_what_cannot_be_asked_is_one_line(ready: Config, changed: dict[str, Any], says: str):
    with serving(answering) as server, pytest.raises(UsageError, match=says):
        evaluate.run(served(ready, server, **changed), Options())
    assert not server.chats


def test_a_model_of_another_prompt_is_refused(ready: Config):
    keys = {"astudent.prompt.instruction": "Otherwise.", "astudent.prompt.schema_rendering": "json"}
    with (
        serving(answering, keys=keys) as server,
        pytest.raises(UsageError, match="another prompt"),
        make_served(served(ready, server), "ollama:tiny", "free"),
    ):
        pass
    assert not server.chats


def test_a_broken_record_is_one_line(ready: Config):
    with serving(answering) as server:
        evaluate.run(served(ready, server), Options())
        record_path(Path(ready.evaluation.out_dir) / "answers.jsonl").write_text("{}")
        with pytest.raises(RunError, match="no record of a run"):
            evaluate.run(served(ready, server), Options())
