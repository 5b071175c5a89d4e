"""Stages 07 and 09 with a student that answers from a list: what they write, keep, redo and refuse."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from astudent.cli import Options
from astudent.errors import RunError, UsageError
from astudent.evaluation.answers import Answer
from astudent.evaluation.pairs import PairRow
from astudent.evaluation.results import ResultRow
from astudent.evaluation.samples import Sample
from astudent.jsonl import read_rows, write_atomic
from astudent.records import DatasetRow
from astudent.settings import Config
from astudent.stages import evaluate, pairs

RIGHT = '{"where":{"field":"status","operator":"eq","value":"open"}}'
STRANGERS = Path(__file__).resolve().parents[2] / "data/strangers.jsonl"
WRONG = '{"where":{"field":"status","operator":"eq","value":"on_hold"}}'


class Scripted:
    """Right on three of four requests; the base model never. Counts its answers; may be stopped after some."""

    def __init__(self) -> None:
        self.answered = 0
        self.stop_after = 10**9
        self.adapter = ""

    def answer(self, samples: Sequence[Sample]) -> Iterator[Answer]:
        for sample in samples:
            if self.answered >= self.stop_after:
                raise KeyboardInterrupt
            self.answered += 1
            yield Answer(f"prompt {sample.query_id}", self._text(sample), 9, 4, "stop", 0.1)

    def facts(self) -> dict[str, Any]:
        return {}

    def _text(self, sample: Sample) -> str:
        return "{" if self.adapter == "none" else WRONG if sample.query_id.endswith("3") else RIGHT


@pytest.fixture
def student(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    scripted = Scripted()

    @contextmanager
    def make(config: Config, adapter: str, decoding: str) -> Iterator[Scripted]:
        scripted.adapter = adapter
        yield scripted

    monkeypatch.setattr(evaluate, "make_student", make)
    return scripted


@pytest.fixture
def ready(config: Config, row: Callable[..., DatasetRow]) -> Config:
    """A dataset of 4 rows in each split, and an adapter's folder."""
    splits = ("train", "align", "test_seen", "test_unseen")
    rows = [row(10 * s + n, split=split, schema_id=f"shop-{s}") for s, split in enumerate(splits) for n in range(4)]
    write_atomic(config.evaluation.dataset, rows)
    adapter = Path(config.evaluation.adapter)
    write_atomic(adapter / "adapter_config.json", "{}")
    write_atomic(adapter / "adapter_model.safetensors", "weights")
    return config


def with_evaluation(config: Config, **changed: Any) -> Config:
    return config.model_copy({"evaluation": config.evaluation.model_copy(changed)})


def summary_of(folder: str) -> dict[str, Any]:
    return json.loads((Path(folder) / "evaluation_summary.json").read_text(encoding="utf-8"))


def snapshot(folder: Path) -> dict[str, bytes]:
    kept = [p for p in folder.rglob("*") if p.is_file() and ".previous" not in p.parts and ".run." not in p.name]
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def test_the_adapter_and_the_base_model_are_evaluated_side_by_side(ready: Config, student: Scripted):
    evaluate.run(ready, Options())
    tuned, base = summary_of(ready.evaluation.out_dir), summary_of(ready.evaluation.base_out_dir)
    assert tuned["split"] == "test_unseen" and set(tuned["splits"]) == {"test_unseen", "test_seen"}
    names = ("parsed_rate", "schema_valid_rate", "exact_match_rate", "teacher_accept_rate", "semantic_pass_rate")
    assert [tuned[name] for name in names] == [1, 1, 0.75, 0.75, 0.75]
    assert [tuned["splits"]["test_seen"][name] for name in names] == [1, 1, 0.75, 0.75, 0.75]
    assert [base[name] for name in names] == [0, 0, 0, 0, 0]
    assert tuned["run"]["judge"]["provider"] == "embedded" and base["run"]["adapter"] == "none"
    assert tuned["baselines"]["nearest_neighbour"]["test_seen"]["semantic_pass_rate"] == 1
    rows = list(read_rows(Path(ready.evaluation.out_dir) / "evaluation_results.jsonl", ResultRow))
    assert [r.query_id for r in rows] == ["q30", "q31", "q32", "q33", "q20", "q21", "q22", "q23"]


def test_the_same_again_does_nothing(ready: Config, student: Scripted, tmp_path: Path, capsys: Any):
    evaluate.run(ready, Options())
    before, answered = snapshot(tmp_path), student.answered
    capsys.readouterr()
    evaluate.run(ready, Options())
    assert student.answered == answered and snapshot(tmp_path) == before
    assert capsys.readouterr().out.count("complete, nothing to do") == 1


@pytest.mark.parametrize("stop_after", [0, 2, 7, 8, 12])
def test_a_stopped_run_ends_with_the_same_files(ready: Config, student: Scripted, tmp_path: Path, stop_after: int):
    ready = with_evaluation(ready, batch_size=2)
    student.stop_after = stop_after
    with pytest.raises(KeyboardInterrupt):
        evaluate.run(ready, Options())
    student.stop_after = 10**9
    evaluate.run(ready, Options())
    wave = 8  # all that one student is asked
    assert student.answered == 16 + stop_after % wave, "only a wave that was cut in two is answered twice"
    stopped = snapshot(tmp_path)
    for adapter, folder in (("none", "base_out_dir"), (ready.evaluation.adapter, "out_dir")):
        changed = {"adapter": adapter, "out_dir": getattr(ready.evaluation, folder)}
        evaluate.run(with_evaluation(ready, **changed), Options(fresh=True))
    assert snapshot(tmp_path) == stopped


def test_a_beam_search_answers_anew_and_one_beam_is_what_it_was_before_there_were_any(ready: Config, student: Scripted):
    evaluate.run(ready, Options())
    answered, record = student.answered, Path(ready.evaluation.out_dir) / "answers.jsonl.run.json"
    assert "evaluation.beams" not in json.loads(record.read_text())["settings"]
    assert summary_of(ready.evaluation.out_dir)["run"]["beams"] == 1
    evaluate.run(with_evaluation(ready, beams=4), Options())
    assert student.answered == 2 * answered
    assert json.loads(record.read_text())["settings"]["evaluation.beams"] == 4


def test_another_judge_keeps_the_answers(ready: Config, student: Scripted):
    evaluate.run(ready, Options())
    answered = student.answered
    evaluate.run(with_evaluation(ready, teacher="none"), Options())
    summary = summary_of(ready.evaluation.out_dir)
    assert student.answered == answered
    assert summary["teacher_accept_rate"] is None and summary["semantic_pass_rate"] is None
    assert summary["equivalent_rate"] == 0.75 and summary["run"]["judge"] is None


def test_more_samples_extend(ready: Config, student: Scripted):
    evaluate.run(with_evaluation(ready, max_samples=2), Options())
    assert student.answered == 8
    evaluate.run(with_evaluation(ready, max_samples=3), Options())
    assert student.answered == 8 + 12 - 8 + 8, "the batch of each schema is asked again as a whole"
    assert summary_of(ready.evaluation.out_dir)["samples"] == 3


def test_constrained_stands_beside_free(ready: Config, student: Scripted):
    evaluate.run(with_evaluation(ready, constrained=True), Options())
    summary = summary_of(ready.evaluation.out_dir)
    assert summary["run"]["decoding"] == "free" and summary["constrained"]["run"]["decoding"] == "constrained"
    beside = summary["constraint"]["splits"]["test_seen"]
    assert beside["outcomes"]["right"]["right"] == 3 and beside["outcomes"]["valid_but_wrong"]["valid_but_wrong"] == 1
    assert beside["time_ratio"] == 1 and summary["constraint"]["left_out"] == summary["constraint"]["refused"] == {}
    evaluate.run(ready, Options())
    assert student.answered == 32


def test_requests_without_a_grammar_are_left_out_of_constrained_decoding(
    ready: Config, row: Callable[..., DatasetRow], student: Scripted, capsys: Any
):
    rows = list(read_rows(ready.evaluation.dataset, DatasetRow))
    schema = {"type": "object", "properties": {"a": False}, "required": ["a"]}
    strange = row(90, split="test_seen", schema_id="strange", schema_json=schema, ast_json={"a": 1})
    write_atomic(ready.evaluation.dataset, [*rows, strange])
    evaluate.run(with_evaluation(ready, constrained=True, baselines=False), Options())
    summary = summary_of(ready.evaluation.out_dir)
    assert summary["splits"]["test_seen"]["samples"] == 5 and list(summary["constraint"]["refused"]) == ["strange"]
    assert summary["constrained"]["splits"]["test_seen"]["samples"] == 4
    assert "07: strange: not decoded under a grammar: " in capsys.readouterr().out


def test_the_base_model_alone(ready: Config, student: Scripted):
    evaluate.run(with_evaluation(ready, adapter="none", out_dir=ready.evaluation.base_out_dir), Options())
    assert student.answered == 8 and not Path(ready.evaluation.out_dir).exists()
    evaluate.run(ready, Options())
    assert student.answered == 16, "the base model's answers are there already"


def test_strangers_schemas_are_evaluated_as_json(ready: Config, student: Scripted, monkeypatch: pytest.MonkeyPatch):
    known = {row.query_id: row for row in read_rows(STRANGERS, DatasetRow)}

    def text(sample: Sample) -> str:
        answer = {} if sample.row.schema_id == "stranger-cheese" else known[sample.query_id].ast_json
        return json.dumps(dict(reversed(answer.items())))

    monkeypatch.setattr(student, "_text", text)
    asked = {"dataset": str(STRANGERS), "splits": ("test_unseen",), "baselines": False}
    evaluate.run(with_evaluation(ready, **asked), Options())
    summary = summary_of(ready.evaluation.out_dir)
    assert (summary["samples"], summary["schemas"], summary["semantic_pass_rate"]) == (40, 4, 0.75)


def test_a_folder_without_adapter_is_one_line(ready: Config, student: Scripted):
    with pytest.raises(UsageError, match="no adapter there"):
        evaluate.run(with_evaluation(ready, adapter="/nowhere"), Options())


def test_a_split_without_rows_is_one_line(ready: Config, row: Callable[..., DatasetRow], student: Scripted):
    write_atomic(ready.evaluation.dataset, [row(1, split="train")])
    with pytest.raises(RunError, match="no valid row of split 'test_unseen'"):
        evaluate.run(ready, Options())


def aligned(config: Config, student: Scripted) -> Config:
    """The align split evaluated, and stage 09 pointed at it."""
    evaluate.run(with_evaluation(config, splits=("align",), out_dir=config.evaluation.align_out_dir), Options())
    source = str(Path(config.evaluation.align_out_dir) / "evaluation_results.jsonl")
    return config.model_copy({"alignment": config.alignment.model_copy({"eval_results": source})})


def test_the_align_split_has_nothing_beside_it(ready: Config, student: Scripted):
    aligned(ready, student)
    assert student.answered == 4 and not Path(ready.evaluation.base_out_dir).exists()
    assert summary_of(ready.evaluation.align_out_dir)["baselines"] == {}


def test_pairs_come_from_the_align_split(ready: Config, student: Scripted, capsys: Any):
    config = aligned(ready, student)
    pairs.run(config, Options())
    (pair,) = read_rows(config.alignment.pairs_out, PairRow)
    assert (pair.query_id, pair.prompt, pair.chosen, pair.rejected) == ("q13", "prompt q13", RIGHT, WRONG)
    capsys.readouterr()
    pairs.run(config, Options())
    assert "complete, nothing to do" in capsys.readouterr().out


def test_a_second_round_adds_its_pairs(ready: Config, student: Scripted, monkeypatch: pytest.MonkeyPatch):
    config = aligned(ready, student)
    monkeypatch.setattr(student, "_text", lambda sample: RIGHT if sample.query_id == "q13" else WRONG)
    sampled = Path(config.evaluation.align_out_dir).parent / "sampled"
    evaluate.run(with_evaluation(config, splits=("align",), out_dir=str(sampled)), Options())
    more = (str(sampled / "evaluation_results.jsonl"),)
    config = config.model_copy({"alignment": config.alignment.model_copy({"more_eval_results": more})})
    pairs.run(config, Options())
    assert [pair.query_id for pair in read_rows(config.alignment.pairs_out, PairRow)] == ["q13", "q10", "q11", "q12"]


def test_rows_of_a_test_split_make_no_pairs(ready: Config, student: Scripted):
    evaluate.run(ready, Options())
    source = str(Path(ready.evaluation.out_dir) / "evaluation_results.jsonl")
    config = ready.model_copy({"alignment": ready.alignment.model_copy({"eval_results": source})})
    with pytest.raises(UsageError, match="of split 'test_unseen'"):
        pairs.run(config, Options())
    assert not Path(config.alignment.pairs_out).exists()


def test_no_pair_left_is_a_clear_message(ready: Config, student: Scripted):
    rows = [r for r in read_rows(ready.evaluation.dataset, DatasetRow) if r.query_id != "q13"]
    write_atomic(ready.evaluation.dataset, rows)
    config = aligned(ready, student)
    with pytest.raises(RunError, match=r"no row makes a pair \(3 accepted by the teacher\)") as caught:
        pairs.run(config, Options())
    assert "the SFT adapter stands" in caught.value.hint and not Path(config.alignment.pairs_out).exists()


def test_pairs_without_an_evaluation(ready: Config):
    with pytest.raises(UsageError, match="no such file"):
        pairs.run(ready, Options())
