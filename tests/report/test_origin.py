"""What the report says of where a run comes from and what it cost."""

import json
from collections.abc import Callable
from pathlib import Path

from astudent.evaluation.results import ResultRow
from astudent.jsonl import write_atomic
from astudent.report.document import Document
from astudent.report.markdown import render_markdown
from astudent.report.origin import costs, provenance
from astudent.report.runs import EvaluatedRun
from astudent.settings import Config

Make = Callable[..., ResultRow]


def test_hashes_settings_gate_and_versions_are_told(config: Config, make_result: Make):
    folder = Path(config.evaluation.out_dir)
    record = {"settings": {"evaluation.seed": 7}, "inputs": {"rows.jsonl": "c0ffee"}, "facts": {"seconds": 90}}
    write_atomic(folder / "answers.jsonl.run.json", json.dumps(record))
    metadata = {
        "verdict": "pass",
        "corpus_rows": 6035,
        "dataset_sha256": "beef",
        "gate": {"counts": {"split": {"train": 9}}},
    }
    write_atomic(Path(config.training.training_corpus).with_name("training_corpus_metadata.json"), json.dumps(metadata))
    about = {
        "config": "config/x.json",
        "adapter": "a",
        "adapter_sha256": "fade",
        "judge": {"provider": "ollama", "model": "m"},
    }
    served = {"adapter": "ollama:a", "served_digest": "5e12ed"}
    runs = [
        EvaluatedRun("SFT", folder, [make_result(0, True)], {"run": about}),
        EvaluatedRun("Ollama", folder, [], {"run": served}),
    ]
    text = render_markdown(Document([*provenance(config, runs), *costs(config, runs)]), Path())
    for line in (
        "| data | quality gate | pass |",
        "| data | rows trained on | 6,035 |",
        "| data | rows of train | 9 |",
        "| data | dataset sha256 | beef |",
        "| SFT | config | config/x.json |",
        "| SFT | adapter sha256 | fade |",
        "| Ollama | served digest | 5e12ed |",
        "| SFT | judge | ollama, m |",
        "| astudent | 0.1.0 |",
        "### Settings of the answers of SFT",
        "| evaluation.seed | 7 |",
        "| input rows.jsonl | c0ffee |",
        "| answers, SFT | 90 s | 20.0 | 0.2 s |",
    ):
        assert line in text.replace("\\", ""), line
    assert "The teacher, stage by stage" not in text


def test_the_teachers_costs_are_told_by_stage(config: Config):
    counts = {"calls": 12, "hits": 3, "prompt_tokens": 4000, "reply_tokens": 500, "seconds": 240.0}
    write_atomic(Path(config.run.outputs_root) / "teacher_usage.json", json.dumps({"stages": {"01": counts}}))
    text = render_markdown(Document([*costs(config, [])]), Path())
    assert "| stage 01 | 12 | 3 | 4,000 | 500 | 4 min |" in text
