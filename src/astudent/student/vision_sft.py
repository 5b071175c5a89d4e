"""Stage 06 with `training.modality` vision: chat rows with images -> a LoRA adapter on a vision-language base.

The trainer, its sums by role, its checkpoints and its resume are those of text; rows are collated one by one, by
Unsloth's collator or its stand-in inside the selective one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from transformers import set_seed

from astudent.errors import RunError
from astudent.generation import Generation
from astudent.roles.selective import TokenWeights
from astudent.settings import Config, Training
from astudent.stage import StageRun
from astudent.student import processes
from astudent.student.answer_check import AnswerCheck
from astudent.student.chat_rows import ChatRow, read_chat_rows
from astudent.student.rows import draw
from astudent.student.selfcheck import check_batches
from astudent.student.sft import NAME, add_lora, plan_of, run_plan, save_final
from astudent.student.vision import VisionBatcher, VisionStudent, load_vision_student
from astudent.student.vision_answers import answer_rows

GATE = "answers valid under their schemas"
"""What is known of a corpus of chat rows, since `read_chat_rows` refuses others."""


def train_vision(config: Config, run: StageRun) -> None:
    """Trains `training.output_dir/checkpoint-final` and finishes `run`; what an interrupted one left is gone on from."""
    settings = config.training
    out = Path(settings.output_dir)
    training, validation = split_chat_rows(
        read_chat_rows(Path(settings.training_corpus), settings.max_samples), settings
    )
    student = load_vision_student(settings, trainable=True)
    set_seed(settings.seed)
    student.model = add_lora(student, settings)
    batcher = VisionBatcher(student, TokenWeights.of(settings), settings.batch_size, settings.max_seq_length)
    units, held_out = [(row,) for row in training], [(row,) for row in validation]
    processes.say(f"{NAME}: {len(units)} rows with images, {len(held_out)} for validation")
    refuse_long(batcher, training)
    found = check_batches(student, units, batcher)
    processes.say(f"{NAME}: batches {found.mode}: {found.reason}")
    plan = plan_of(settings, units, held_out, batcher)
    result = run_plan(student, plan, settings, out, answer_check(student, validation, settings))
    save_final(student, out, result, found, gate=GATE)
    run.finish(**result, self_check=found.as_json(), gate=GATE, rows=len(units), validation_rows=len(held_out))


def split_chat_rows(rows: Sequence[ChatRow], settings: Training) -> tuple[list[ChatRow], list[ChatRow]]:
    """(training, validation) rows, by a draw that depends on the seed and the row's id alone; at most
    `eval_max_samples` of the latter are kept."""
    drawn = {id(row): draw(settings.seed, row.row_id) for row in rows}
    held_out = [row for row in rows if drawn[id(row)] < settings.val_split]
    training = [row for row in rows if drawn[id(row)] >= settings.val_split]
    if not training:
        raise RunError("no row is left to train on", "Lower training.val_split, or make more data.")
    return training, sorted(held_out, key=lambda row: drawn[id(row)])[: settings.eval_max_samples]


def refuse_long(batcher: VisionBatcher, rows: Sequence[ChatRow]) -> None:
    """RunError names a row that is longer than `max_seq_length`, before training and not in the midst of it."""
    for row in rows:
        batcher.batch([row])


def answer_check(student: VisionStudent, rows: Sequence[ChatRow], settings: Training) -> AnswerCheck | None:
    """Greedy answers on validation rows; None where the configuration asks for none."""
    asked = rows[: settings.generation_eval_samples]
    if settings.generation_eval_steps is None or not asked:
        return None
    how = Generation(settings.generation_eval_max_new_tokens)

    def answers() -> list[str]:
        return [answer.text for answer in answer_rows(student, asked, how, settings.batch_size)]

    known = [(row.schema_id, row.schema_json, json.loads(row.answer)) for row in asked]
    return AnswerCheck(known, answers, settings.generation_eval_steps, settings.max_steps)
