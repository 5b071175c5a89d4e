"""Answers against the shared prefix equal transformers' own generate."""

import json
from dataclasses import fields
from itertools import islice
from typing import Any

import jsonschema
import pytest
import torch
from tiny_models import FAMILIES, SCHEMA, add_lora, make_model, make_tokenizer

from astudent.errors import RunError
from astudent.generation import Generation
from astudent.student.decoding import SharedPrefixDecoder
from astudent.student.generate import Answer, Batch, generate
from astudent.student.lean import make_lean
from astudent.student.load import Student, assemble
from astudent.student.prompt import render
from astudent.student.requests import requests_of
from astudent.student.selfcheck import check_answers

GENERATION = [field.name for field in fields(Generation)]
REQUESTS = ["find it", "find that and more", "x", "where price is lots and lots of money"]


def prompts() -> dict[str, list[str]]:
    tokenizer = make_tokenizer()
    schema = json.dumps(SCHEMA)[:150]
    return {
        "a": [render(tokenizer, f"Answer.\n{schema}\n{request}") for request in REQUESTS],
        "b": [render(tokenizer, "one alone")],
    }


def answers_of(student: Student, asked: dict[str, list[str]], **options: Any) -> dict[str, list[Answer]]:
    """The answers by schema id."""
    how = Generation(**{key: options.pop(key) for key in GENERATION if key in options})
    answers = generate(student, asked, how, **options)
    return {schema_id: list(islice(answers, len(texts))) for schema_id, texts in asked.items()}


WINDOWS = [8, 60, 64, 100]
"""Shorter than a request, about as long as one, the widest that is kept apart, wider."""


@pytest.mark.parametrize(
    ("family", "window"), [*((name, 8) for name in FAMILIES), *(("gemma3", size) for size in WINDOWS[1:])]
)
@pytest.mark.usefixtures("in_double")
def test_greedy_answers_are_transformers_own(family: str, window: int) -> None:
    student = assemble(add_lora(make_model(family, window=window, dtype=torch.float64)), make_tokenizer())
    shared = answers_of(student, prompts(), max_new_tokens=20)
    plain = answers_of(student, prompts(), max_new_tokens=20, plain=True)
    for schema_id in plain:
        pairs = list(zip(shared[schema_id], plain[schema_id], strict=True))
        assert [(a.text, a.tokens, a.truncated) for a, _ in pairs] == [
            (b.text, b.tokens, b.truncated) for _, b in pairs
        ]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.usefixtures("in_double")
def test_states_are_those_of_a_plain_forward(window: int) -> None:
    """Greedy answers may hide a small fault; a prefix shorter and one longer than the window, side by side."""
    student = assemble(make_model("gemma3", window=window, dtype=torch.float64), make_tokenizer())
    batch = Batch(student, Generation(100))
    asked = [request for texts in prompts().values() for request in requests_of(student, texts, None)]
    batch.admit(dict(enumerate(asked)))
    for _ in range(4):
        batch.step()
    assert batch.size == len(asked)
    for row, last in zip(batch.rows, batch.last, strict=True):
        ids = torch.tensor([row.asked.request.ids + row.tokens])
        plain = student.model.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[0, -1]
        assert torch.allclose(last, plain, atol=1e-10)


@pytest.mark.usefixtures("in_double")
def test_a_sample_depends_on_seed_and_prompt_alone() -> None:
    student = assemble(make_model("gemma3", dtype=torch.float64), make_tokenizer())
    options = {"max_new_tokens": 12, "temperature": 1.2, "top_p": 0.9}
    together = answers_of(student, prompts(), seed=3, **options)["a"]
    apart = [answers_of(student, {"a": [text]}, seed=3, **options)["a"][0] for text in prompts()["a"]]
    assert [a.text for a in together] == [a.text for a in apart]
    assert [a.text for a in answers_of(student, prompts(), seed=4, **options)["a"]] != [a.text for a in together]


def test_finished_rows_are_dropped_and_keep_their_answers() -> None:
    """With the end of turn made likely, rows end at different steps; the rest must not notice."""
    model = make_model("gemma3", seed=5)
    student = assemble(model, make_tokenizer())
    options = {"max_new_tokens": 30, "temperature": 3.0, "seed": 1}
    with torch.no_grad():
        model.model.norm.weight.fill_(-0.9)  # nearly uniform over the vocabulary: ends come early and unevenly
    many = {"b": prompts()["b"], "a": prompts()["a"] * 7, "c": ["<bos>another schema\n" + text for text in REQUESTS]}
    answers = answers_of(student, many, **options)
    for schema_id, texts in many.items():
        alone = [answers_of(student, {schema_id: [text]}, **options)[schema_id][0] for text in texts[:4]]
        assert [a.text for a in answers[schema_id][:4]] == [a.text for a in alone]
        assert all(a.truncated == (a.tokens == 30) for a in answers[schema_id])


@pytest.mark.usefixtures("in_double")
def test_requests_that_wait_take_the_places_of_answers_that_end(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model("gemma3", seed=5, dtype=torch.float64)
    student = assemble(model, make_tokenizer())
    options = {"max_new_tokens": 30, "temperature": 3.0, "seed": 1}
    with torch.no_grad():
        model.model.norm.weight.fill_(-0.9)
    many = {"a": prompts()["a"] * 5, "b": prompts()["b"], "c": ["<bos>another schema\n" + text for text in REQUESTS]}
    at_once = answers_of(student, many, batch_size=100, **options)
    sizes, plain_step = [], Batch.step

    def step(batch: Batch) -> dict[int, Answer]:
        sizes.append((batch.size, len({len(row.tokens) for row in batch.rows})))
        return plain_step(batch)

    monkeypatch.setattr(Batch, "step", step)
    refilled = answers_of(student, many, batch_size=4, **options)
    for schema_id, answers in at_once.items():
        assert [(a.text, a.tokens) for a in refilled[schema_id]] == [(a.text, a.tokens) for a in answers]
    assert max(size for size, _ in sizes) == 4
    assert any(ages > 1 for _, ages in sizes), "rows of different age were decoded together"
    longest = max(a.tokens for answers in at_once.values() for a in answers)
    assert len(sizes) < 25 / 4 * longest, "fewer steps than batch after batch could take"


def test_constrained_answers_fit_their_schema() -> None:
    student = assemble(make_model("gemma3"), make_tokenizer())
    schema = {**SCHEMA, "properties": {k: v for k, v in SCHEMA["properties"].items() if k != "text"}}
    schema["properties"]["value"] = {"type": "integer", "minimum": 0, "maximum": 99}
    options = {"max_new_tokens": 80, "temperature": 1.0, "schemas": {"a": schema, "b": schema}}
    answers = answers_of(student, prompts(), **options)
    for answer in answers["a"] + answers["b"]:
        assert not answer.truncated
        jsonschema.validate(json.loads(answer.text), schema)


def test_a_schema_that_cannot_be_enforced_is_an_error() -> None:
    student = assemble(make_model("gemma3"), make_tokenizer())
    with pytest.raises(RunError, match="cannot be enforced"):
        schemas = {"a": {"type": "string", "pattern": "(?=a)b"}}
        list(generate(student, {"a": prompts()["a"]}, Generation(4), schemas=schemas))


def test_the_self_check_accepts_shared_prefixes() -> None:
    student = assemble(make_model("gemma3"), make_tokenizer())
    make_lean(student.model)
    result = check_answers(student, prompts())
    assert result.mode == "shared" and student.decodes_packed
    assert result.difference is not None and result.difference < 1e-4
    norms = [module for module in student.model.modules() if type(module).__name__ == "Gemma3RMSNorm"]
    assert norms and all("forward" in vars(norm) for norm in norms), "the leaner forwards are in again"


@pytest.mark.parametrize("fault", ["ring", "error", "nan"])
def test_the_self_check_catches_wrong_states(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring that forgets its oldest place, a backend that does not take a layout, one row that is no number: answers come one by one, and it is said."""
    student = assemble(make_model("gemma3"), make_tokenizer())
    wanted = answers_of(student, prompts(), max_new_tokens=8, plain=True)
    if fault == "ring":
        monkeypatch.setattr(SharedPrefixDecoder, "_empty", lambda self, tail: self.prefixes * 0 + 3)
    elif fault == "error":
        monkeypatch.setattr(SharedPrefixDecoder, "attend", lambda *_: torch.zeros(1).view(7))
    else:
        admit = Batch.admit

        def admit_and_spoil(batch: Batch, requests: Any) -> None:
            admit(batch, requests)
            batch.last[-1] = float("nan")

        monkeypatch.setattr(Batch, "admit", admit_and_spoil)
    result = check_answers(student, prompts())
    assert result.mode == "plain" and not student.decodes_packed
    assert ("fails here: RuntimeError" in result.reason) == (fault == "error")
    monkeypatch.undo()
    answers = answers_of(student, prompts(), max_new_tokens=8)
    assert [a.text for a in answers["a"]] == [a.text for a in wanted["a"]]
