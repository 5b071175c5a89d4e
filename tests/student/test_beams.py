"""Beam search: the answers of transformers' own, and the likeliest one where all can be counted."""

import json
from collections import Counter
from itertools import islice
from typing import Any

import pytest
import torch
from tiny_models import FAMILIES, make_model, make_tokenizer

from astudent.errors import UsageError
from astudent.generation import Generation
from astudent.student.constrain import Constraint, SchemaGrammar
from astudent.student.generate import Answer, generate
from astudent.student.load import Student, assemble
from astudent.student.prompt import chat_format, render

WORDS = ["open", "opened", "closed", "on hold", "owed", "overdue", "paid", "late"]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"enum": WORDS}, "urgent": {"type": "boolean"}},
    "required": ["status", "urgent"],
    "additionalProperties": False,
}
ALL = [{"status": word, "urgent": urgent} for word in WORDS for urgent in (True, False)]
REQUESTS = ["find it", "find that and more", "x", "where price is lots and lots of money", "the late ones", "owed"]


def prompts(requests: list[str] = REQUESTS) -> dict[str, list[str]]:
    tokenizer = make_tokenizer()
    of_a = [render(tokenizer, f"Answer.\n{json.dumps(SCHEMA)[:150]}\n{request}") for request in requests]
    return {"a": of_a, "b": [render(tokenizer, "one alone")]}


def student_of(family: str, seed: int, window: int = 8) -> Student:
    return assemble(make_model(family, seed=seed, window=window, dtype=torch.float64), make_tokenizer())


def let_answers_end(student: Student) -> None:
    """Makes the end of turn nearly as likely as the token that the student says most."""
    said = Counter(token for answer in answers_of(student, prompts(), Generation(6)) for token in answer.ids)
    embeddings = student.model.get_input_embeddings().weight
    (most, _), *_ = said.most_common(1)
    with torch.no_grad():
        for share, stop in zip((0.97, 0.94), sorted(chat_format(student.tokenizer).stop_ids), strict=True):
            embeddings[stop] = share * embeddings[most]


def answers_of(student: Student, asked: dict[str, list[str]], how: Generation, **options: Any) -> list[Answer]:
    return list(islice(generate(student, asked, how, **options), sum(map(len, asked.values()))))


def spelled(answers: list[Answer]) -> list[tuple[str, tuple[int, ...], bool]]:
    return [(answer.text, answer.ids, answer.truncated) for answer in answers]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.usefixtures("in_double")
def test_under_a_grammar_it_is_transformers_own_search(family: str):
    student, schemas = student_of(family, seed=3), {"a": SCHEMA, "b": SCHEMA}
    for beams in (2, 5):
        how = Generation(60, beams=beams)
        ours = answers_of(student, prompts(), how, schemas=schemas)
        theirs = answers_of(student, prompts(), how, schemas=schemas, plain=True)
        assert spelled(ours) == spelled(theirs)
        assert all(json.loads(answer.text) in ALL and not answer.truncated for answer in ours)


@pytest.mark.parametrize("window", [8, 100])
@pytest.mark.usefixtures("in_double")
def test_free_it_is_transformers_own_search(window: int):
    ended = 0
    for seed in range(4):
        student = student_of("gemma3", seed, window)
        let_answers_end(student)
        how = Generation(8, beams=4)
        ours, theirs = (answers_of(student, prompts(), how, plain=plain) for plain in (False, True))
        for mine, reference in zip(ours, theirs, strict=True):
            assert spelled([mine]) == spelled([reference])
            ended += not reference.truncated
    assert ended > 5


@pytest.mark.usefixtures("in_double")
def test_it_finds_the_likeliest_answer_of_all_and_greedy_does_not():
    """Every way to spell an allowed answer is scored by a plain forward; a beam as wide as their number can miss none."""
    missed, schema = 0, {"enum": ["ab", "ac", "dead", "ha", 7]}
    for seed in range(6):
        student = student_of("gemma3", seed)
        ways = spellings(student, schema)
        assert 50 < len(ways) <= 200
        asked = prompts()["a"][:3]
        wide, greedy = (
            answers_of(student, {"a": asked}, Generation(20, beams=beams), schemas={"a": schema}) for beams in (200, 1)
        )
        for prompt, found, first in zip(asked, wide, greedy, strict=True):
            scores = {way: score(student, prompt, way) for way in ways}
            assert found.ids == max(scores, key=scores.__getitem__)
            missed += scores[first.ids] < max(scores.values())
    assert missed > 3, "greedy decoding under a grammar cannot turn back"


def spellings(student: Student, schema: dict[str, Any]) -> list[tuple[int, ...]]:
    """All token sequences that the grammar lets pass, each with its end of turn."""
    rows = student.model.get_input_embeddings().weight.shape[0]
    grammar, stops = SchemaGrammar(student.tokenizer, schema, rows), set(chat_format(student.tokenizer).stop_ids)
    found, open_ones = [], [()]
    while open_ones:
        way = open_ones.pop()
        constraint = Constraint()
        constraint.add([grammar])
        for token in way:
            constraint.advance([token])
        allowed = (constraint.mask(torch.zeros(1, rows))[0] == 0).nonzero()[:, 0].tolist()
        found += [(*way, token) for token in allowed if token in stops]
        open_ones += [(*way, token) for token in allowed if token not in stops]
    return found


@torch.no_grad()
def score(student: Student, prompt: str, ids: tuple[int, ...]) -> float:
    """The log-probability of an answer's tokens after the prompt."""
    before = list(student.tokenizer(prompt, add_special_tokens=False)["input_ids"])  # pyright: ignore
    logits = student.model(input_ids=torch.tensor([before + list(ids)])).logits[0, len(before) - 1 : -1]
    return float(torch.log_softmax(logits, -1).gather(1, torch.tensor(ids)[:, None]).sum())


@pytest.mark.usefixtures("in_double")
def test_what_else_is_in_the_batch_changes_nothing():
    student, schemas = student_of("gemma3", seed=2), {"a": SCHEMA, "b": SCHEMA}
    how, asked = Generation(60, beams=3), prompts(REQUESTS * 3)
    at_once = answers_of(student, asked, how, schemas=schemas, batch_size=300)
    for batch_size in (1, 7, 12):
        assert spelled(answers_of(student, asked, how, schemas=schemas, batch_size=batch_size)) == spelled(at_once)


@pytest.mark.usefixtures("in_double")
def test_free_answers_that_end_early_make_room_for_others():
    student = student_of("gemma3", seed=1)
    let_answers_end(student)
    how, asked = Generation(8, beams=3), prompts(REQUESTS * 3)
    at_once = answers_of(student, asked, how, batch_size=300)
    assert len({answer.tokens for answer in at_once}) > 1
    assert spelled(answers_of(student, asked, how, batch_size=12)) == spelled(at_once)


@pytest.mark.usefixtures("in_double")
def test_a_limit_cuts_what_has_not_ended():
    student = student_of("gemma3", seed=2)
    for answer in answers_of(student, prompts(), Generation(5, beams=4), schemas={"a": SCHEMA, "b": SCHEMA}):
        assert answer.truncated and answer.tokens == 5


def test_one_state_goes_on_in_two_ways():
    student = assemble(make_model("gemma3"), make_tokenizer())
    rows = student.model.get_input_embeddings().weight.shape[0]
    constraint = Constraint()
    constraint.add([SchemaGrammar(student.tokenizer, {"enum": ["ab", "cd"]}, rows)])
    (quote,) = student.tokenizer('"', add_special_tokens=False)["input_ids"]  # pyright: ignore
    constraint.advance([quote])
    constraint.keep([0, 0])
    a, c = (student.tokenizer(letter, add_special_tokens=False)["input_ids"][0] for letter in "ac")  # pyright: ignore
    constraint.advance([a, c])
    allowed = constraint.mask(torch.zeros(2, rows)) == 0
    b, d = (student.tokenizer(letter, add_special_tokens=False)["input_ids"][0] for letter in "bd")  # pyright: ignore
    assert allowed[:, b].tolist() == [True, False] and allowed[:, d].tolist() == [False, True]


def test_a_search_draws_nothing():
    with pytest.raises(UsageError, match="exclude each other"):
        Generation(10, temperature=0.5, beams=2)
