"""The real student behind phase one: the shipped tiny base, with a fresh adapter."""

from collections.abc import Callable
from pathlib import Path

import pytest

from astudent.evaluation.samples import Sample, choose_samples, content_of
from astudent.evaluation.student_answers import BASE, make_student
from astudent.records import DatasetRow
from astudent.settings import Config

TINY = Path(__file__).resolve().parents[2] / "data/tiny_student"


def test_a_repair_prompt_shows_the_broken_ast_and_the_message(config: Config, row: Callable[..., DatasetRow]):
    sample = Sample("r1", "repair", row(1), {"limit": 0}, "limit: too small")
    plain = content_of(Sample("q1", "plain", row(1)), config.prompt)
    assert content_of(sample, config.prompt) == plain + '\n{"limit":0}\nlimit: too small'


@pytest.mark.slow
@pytest.mark.skipif(not (TINY / "model.safetensors").is_file(), reason="the tiny student's weights are not there")
@pytest.mark.parametrize(("decoding", "beams"), [("free", 1), ("constrained", 1), ("constrained", 3)])
def test_the_base_model_answers(config: Config, row: Callable[..., DatasetRow], decoding: str, beams: int):
    config = config.model_copy(
        {
            "training": config.training.model_copy({"base_model": str(TINY)}),
            "evaluation": config.evaluation.model_copy({"max_new_tokens": 12, "beams": beams}),
        }
    )
    samples = choose_samples([row(1), row(2)], ["test_unseen"], None, False)
    with make_student(config, BASE, decoding) as student:  # type: ignore[arg-type]
        both = list(student.answer(samples))
        (alone,) = student.answer(samples[1:])
    assert [answer.prompt_text.count("open orders") for answer in both] == [1, 1]
    assert all(answer.completion_tokens <= 12 and answer.prompt_tokens > 50 for answer in both)
    assert alone.text == both[1].text
    if decoding == "constrained":
        assert both[0].text.startswith("{")
