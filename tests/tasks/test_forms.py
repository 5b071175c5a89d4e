"""Rendered forms: what is drawn follows from seed and answers, and the command that writes them."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import ImageChops
from typer.testing import CliRunner

from astudent.command import app
from astudent.language.validation import validator_for
from astudent.student.chat_rows import read_chat_rows
from astudent.tasks.forms import chat_rows
from astudent.tasks.forms.drawing import CARD, draw_form
from astudent.tasks.forms.kinds import KINDS, Answers


def test_forms_are_a_function_of_the_seed_and_their_answers_fit() -> None:
    made = list(chat_rows(40, 3, "train"))
    assert made == list(chat_rows(40, 3, "train"))
    assert not {line["messages"][1]["content"][1]["image_url"]["url"] for line in made} & {
        line["messages"][1]["content"][1]["image_url"]["url"] for line in chat_rows(40, 3, "test")
    }
    for line in made:
        assert (
            validator_for(line["response_format"]["json_schema"]["schema"]).problems(
                json.loads(line["messages"][2]["content"])
            )
            == []
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_another_answer_changes_its_card_alone(kind: Any) -> None:
    """One stroke of ink for each answer, and in its own card: nothing else on the paper tells it."""
    answers: Answers = {name: kind.options[0] for name in kind.choices} | {kind.count: 1}
    answers |= {name: True for name in kind.ticks}
    cards = Random(5).sample(kind.cards, len(kind.cards))
    whole = draw_form(kind, answers, Random(5))
    last = cards[-1]
    answers[last] = kind.boxes(last)[-1] if len(kind.boxes(last)) > 1 else False
    other = draw_form(kind, answers, Random(5))
    left, top, right, bottom = ImageChops.difference(whole, other).getbbox() or (0, 0, 0, 0)
    place = len(cards) - 1
    corner = (place % 3 * CARD, place // 3 * CARD)
    assert right > left and bottom > top
    assert corner[0] - 2 <= left and right <= corner[0] + CARD + 2 and corner[1] <= top and bottom <= corner[1] + CARD


def test_the_command_writes_forms_that_can_be_learned(tmp_path: Path) -> None:
    flags = ["--out-dir", str(tmp_path), "--train", "6", "--test", "2", "--seed", "5"]
    assert CliRunner().invoke(app, ["forms", *flags]).exit_code == 0
    train, test = (read_chat_rows(tmp_path / f"{part}.jsonl") for part in ("train", "test"))
    assert (len(train), len(test)) == (6, 2)
    assert [row.schema_id for row in train] == ["stay", "repas"] * 3
    assert [image.size for image in train[0].opened()] == [(3 * CARD, 2 * CARD)]
