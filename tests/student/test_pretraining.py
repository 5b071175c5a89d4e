"""The tiny student's pre-training: dialects are sound, keep their distance, and a run that is stopped goes on as if it had not been."""

import json
from pathlib import Path
from random import Random

import pytest
import torch
from jsonschema import Draft202012Validator

from astudent.language.notation import parse_compact, render_compact
from astudent.student.pretraining.muon import BatchedMuon
from astudent.student.pretraining.requests import TASKS
from astudent.student.pretraining.separation import load, problems
from astudent.student.pretraining.words import WordMaker

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("task", TASKS)
def test_answers_fit_their_dialect_and_schemas_have_a_short_form(task):
    for seed in range(40):
        rng = Random(seed)
        drawn = TASKS[task](rng, WordMaker())
        text = render_compact(drawn.schema)
        assert "`" not in text and parse_compact(text) == drawn.schema
        validator = Draft202012Validator(drawn.schema)
        for language in ("en", "fr"):
            validator.validate(json.loads(drawn.example(language).answer))


def test_pretraining_shares_no_language_with_the_pipeline():
    template, catalog = load(ROOT / "data/base_schema_template.json"), load(ROOT / "data/operator_catalog.json")
    assert problems(template, catalog, dialects=200) == []


def test_what_is_shared_is_found():
    template, catalog = load(ROOT / "data/base_schema_template.json"), load(ROOT / "data/operator_catalog.json")
    said = {
        "name": "over",
        "phrasings": {"en": ["the {f} goes beyond {v}", "{f} beyond {v}", "{f} higher than {v}"], "fr": []},
    }
    found = problems(template, [*catalog, said], dialects=1)
    assert any("'over'" in problem for problem in found)
    assert any("'higher than'" in problem for problem in found)


def test_batched_muon_moves_as_torch_does():
    torch.manual_seed(0)
    shapes = [(12, 12), (6, 12), (12, 30), (30, 12), (12, 12)]
    ours = [torch.nn.Parameter(torch.randn(shape) * 0.02) for shape in shapes]
    theirs = [torch.nn.Parameter(matrix.detach().clone()) for matrix in ours]
    start = [matrix.detach().clone() for matrix in ours]
    batched = BatchedMuon(ours, lr=0.01)
    reference = torch.optim.Muon(theirs, lr=0.01, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        batched.step()
        reference.step()
    for mine, other, before in zip(ours, theirs, start, strict=True):
        assert (mine - other).norm() / (other - before).norm() < 0.03  # torch's own works in bfloat16


@pytest.mark.slow
def test_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch):
    from astudent.student.pretraining import train

    monkeypatch.setattr(train, "SHORT", train.Leg(320, 1, {"pick": 1.0}))
    monkeypatch.setattr(train, "FULL", train.Leg(1024, 1, {"query": 1.0}))
    runs = {}
    for name, legs in {"whole": (4,), "stopped": (2, 4)}.items():
        for steps in legs:
            run = train.Pretraining(
                train.Plan(tmp_path / name, steps, 0, short_steps=3, report_every=2), compiled=False
            )
            run.run()
        runs[name] = run.model.state_dict()
    for key, weights in runs["whole"].items():
        assert torch.equal(weights, runs["stopped"][key]), key


@pytest.mark.slow
def test_a_run_may_begin_with_published_weights(tmp_path, monkeypatch):
    from astudent.student.pretraining import train
    from astudent.student.pretraining.publish import publish

    monkeypatch.setattr(train, "SHORT", train.Leg(320, 1, {"pick": 1.0}))
    first = train.Pretraining(train.Plan(tmp_path / "first", 1, 0), compiled=False)
    first.save()
    publish(tmp_path / "first", tmp_path / "published")
    plan = train.Plan(tmp_path / "second", 900, 0, seed=5, start=tmp_path / "published")
    second = train.Pretraining(plan, compiled=False)
    assert second.step == plan.short_steps and plan.rate(second.step, second.born) < 0.1
    for key, weights in first.model.state_dict().items():
        assert torch.equal(weights.bfloat16(), second.model.state_dict()[key].bfloat16()), key
