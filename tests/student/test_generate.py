"""Answers against the shared prefix equal transformers' own generate."""

import json

import jsonschema
import pytest
import torch
from tiny_models import SCHEMA, add_lora, make_model, make_tokenizer

from astudent.errors import RunError
from astudent.student.generate import generate
from astudent.student.load import assemble
from astudent.student.prompt import render

FAMILIES = ["gemma3", "llama", "qwen2", "qwen3", "mistral"]
REQUESTS = ["find it", "find that and more", "x", "where price is lots and lots of money"]


def prompts() -> dict[str, list[str]]:
    tokenizer = make_tokenizer()
    schema = json.dumps(SCHEMA)[:150]
    return {
        "a": [render(tokenizer, f"Answer.\n{schema}\n{request}") for request in REQUESTS],
        "b": [render(tokenizer, "one alone")],
    }


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.usefixtures("in_double")
def test_greedy_answers_are_transformers_own(family: str) -> None:
    student = assemble(add_lora(make_model(family, dtype=torch.float64)), make_tokenizer())
    shared = generate(student, prompts(), max_new_tokens=20)
    plain = generate(student, prompts(), max_new_tokens=20, plain=True)
    for schema_id in plain:
        pairs = list(zip(shared[schema_id], plain[schema_id], strict=True))
        assert [(a.text, a.tokens, a.truncated) for a, _ in pairs] == [
            (b.text, b.tokens, b.truncated) for _, b in pairs
        ]


@pytest.mark.usefixtures("in_double")
def test_a_sample_depends_on_seed_and_prompt_alone() -> None:
    student = assemble(make_model("gemma3", dtype=torch.float64), make_tokenizer())
    options = {"max_new_tokens": 12, "temperature": 1.2, "top_p": 0.9}
    together = generate(student, prompts(), seed=3, **options)["a"]
    apart = [generate(student, {"a": [text]}, seed=3, **options)["a"][0] for text in prompts()["a"]]
    assert [a.text for a in together] == [a.text for a in apart]
    assert [a.text for a in generate(student, prompts(), seed=4, **options)["a"]] != [a.text for a in together]


def test_finished_rows_are_dropped_and_keep_their_answers() -> None:
    """With the end of turn made likely, rows end at different steps; the rest must not notice."""
    model = make_model("gemma3", seed=5)
    student = assemble(model, make_tokenizer())
    options = {"max_new_tokens": 30, "temperature": 3.0, "seed": 1}
    with torch.no_grad():
        model.model.norm.weight.fill_(-0.9)  # nearly uniform over the vocabulary: ends come early and unevenly
    many = {"b": prompts()["b"], "a": prompts()["a"] * 7, "c": ["<bos>another schema\n" + text for text in REQUESTS]}
    answers = generate(student, many, **options)
    for schema_id, texts in many.items():
        alone = [generate(student, {schema_id: [text]}, **options)[schema_id][0] for text in texts[:4]]
        assert [a.text for a in answers[schema_id][:4]] == [a.text for a in alone]
        assert all(a.truncated == (a.tokens == 30) for a in answers[schema_id])


def test_constrained_answers_fit_their_schema() -> None:
    student = assemble(make_model("gemma3"), make_tokenizer())
    schema = {**SCHEMA, "properties": {k: v for k, v in SCHEMA["properties"].items() if k != "text"}}
    schema["properties"]["value"] = {"type": "integer", "minimum": 0, "maximum": 99}
    options = {"max_new_tokens": 80, "temperature": 1.0, "schemas": {"a": schema, "b": schema}}
    answers = generate(student, prompts(), **options)
    for answer in answers["a"] + answers["b"]:
        assert not answer.truncated
        jsonschema.validate(json.loads(answer.text), schema)


def test_a_schema_that_cannot_be_enforced_is_an_error() -> None:
    student = assemble(make_model("gemma3"), make_tokenizer())
    with pytest.raises(RunError, match="cannot be enforced"):
        generate(student, {"a": prompts()["a"]}, max_new_tokens=4, schemas={"a": {"not": {"type": "string"}}})
