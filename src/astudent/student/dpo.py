"""Stage 10: pairs -> an aligned adapter, by TRL's DPOTrainer; and the control that sees the chosen answers alone.

Both start from the SFT adapter, which is also the reference. Chosen and rejected share one prefix in a pack; the
reference's token losses are computed once, before the first step, in packs too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from astudent.student import load, processes  # load first: on a GPU it imports unsloth, which patches what follows

# isort: split

from transformers import set_seed
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.utils import disable_dropout_in_model

from astudent.errors import RunError
from astudent.evaluation.pairs import PairRow
from astudent.jsonl import read_rows
from astudent.launch import is_first
from astudent.quality.clearance import pairs_clearance
from astudent.roles.selective import TokenWeights
from astudent.settings import Alignment, Config
from astudent.stage import StageRun
from astudent.student.batching import Batcher, StepBatch, TokenBatch, Unit
from astudent.student.checkpoint import adapter_gate
from astudent.student.held_out_pairs import HeldOutPairs, split_pairs, unit_losses
from astudent.student.load import Student
from astudent.student.loss import row_log_probabilities, token_losses
from astudent.student.selfcheck import CheckResult, check
from astudent.student.sft import StudentSFTTrainer, callbacks, common_arguments, save_final, train_to_the_end
from astudent.student.supervision import Source, encode_rows
from astudent.student.trainer import PackTrainer, Plan, index_dataset, token_budget, unset_collator

NAME = "10"
LOSSES = {
    "sigmoid": lambda margin, beta: -F.logsigmoid(beta * margin),
    "hinge": lambda margin, beta: torch.relu(1 - beta * margin),
    "ipo": lambda margin, beta: (margin - 1 / (2 * beta)) ** 2,
}
"""Preference losses of the margin (chosen minus rejected log-ratio) of each pair, by TRL's names."""


PAIR_COLUMNS = (
    "loss",
    "preference_loss",
    "rewards/chosen",
    "rewards/rejected",
    "rewards/margins",
    "rewards/accuracies",
    "logps/chosen",
    "logps/rejected",
)


class StudentDPOTrainer(PackTrainer, DPOTrainer):
    """TRL's DPOTrainer over packs of (chosen, rejected).

    `reference` holds, for each pair, the reference's losses of the chosen answer's tokens, then the rejected one's.
    """

    reference: Sequence[Tensor]
    settings: Alignment
    pair_sums: Tensor

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset  # the pairs stand tokenised in the plan

    def step_norm(self, step: StepBatch) -> float:
        return float(len(step.units))

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """A micro-batch's share of the step: preference loss plus `sft_coef` times the chosen answers' token means."""
        batch: TokenBatch = inputs["batch"]
        losses = token_losses(model, batch)
        reference = torch.cat([self.reference[unit] for unit in inputs["units"]]).to(losses.device)
        ours = row_log_probabilities(losses, batch, batch.weights).view(-1, 2)
        theirs = row_log_probabilities(reference, batch, batch.weights).view(-1, 2)
        ratio = ours - theirs
        if self.settings.loss_type == "ipo":
            ratio = ratio / self._weight_of_rows(batch).view(-1, 2)
        preference = LOSSES[self.settings.loss_type](ratio[:, 0] - ratio[:, 1], self.settings.beta)
        chosen = -(ours / self._weight_of_rows(batch).view(-1, 2))[:, 0]
        objective = preference + self.settings.sft_coef * chosen
        loss = objective.sum() / num_items_in_batch * max(1, self.args.world_size)
        self._note(losses, batch, objective, preference, ratio * self.settings.beta, ours)
        return (loss, losses) if return_outputs else loss

    @staticmethod
    def _weight_of_rows(batch: TokenBatch) -> Tensor:
        """(R,): the sum of each row's token weights."""
        zeros = torch.zeros(batch.row_count, device=batch.weights.device)
        return zeros.index_add(0, batch.rows, batch.weights).clamp(min=1e-12)

    def _note(
        self, losses: Tensor, batch: TokenBatch, objective: Tensor, preference: Tensor, rewards: Tensor, ours: Tensor
    ) -> None:
        """Adds a micro-batch to the sums of the next line; roles are those of the chosen answers."""
        self.train_sums.add(losses, batch, where=batch.rows % 2 == 0)
        margin = rewards[:, 0] - rewards[:, 1]
        columns = [
            objective,
            preference,
            rewards[:, 0],
            rewards[:, 1],
            margin,
            (margin > 0).float(),
            ours[:, 0],
            ours[:, 1],
        ]
        sums = torch.stack([column.detach().double().sum() for column in columns]).cpu()
        self.pair_sums = self.pair_sums + torch.cat([sums, torch.tensor([len(margin)], dtype=torch.float64)])

    def train_line(self) -> dict[str, Any]:
        """Means over the pairs since the last line, and the chosen answers' losses by role."""
        roles = self.train_sums.over_processes()
        *sums, pairs = processes.total(self.pair_sums).tolist()
        self.pair_sums = torch.zeros_like(self.pair_sums)
        means = {name: value / pairs for name, value in zip(PAIR_COLUMNS, sums, strict=True)}
        return {**means, "chosen_loss": roles.mean(), **roles.by_role()}

    def extra_state(self) -> dict[str, Any]:
        return super().extra_state() | {"pairs": processes.total(self.pair_sums).tolist()}

    def restore(self, extra: dict[str, Any]) -> None:
        super().restore(extra)
        if is_first():
            self.pair_sums = torch.tensor(extra["pairs"], dtype=torch.float64)


def train_dpo(config: Config, run: StageRun, *, control: bool) -> None:
    """Trains the aligned adapter, or the control beside it, and finishes `run`."""
    settings = config.alignment
    out, job = run.outputs[0], train_control if control else align
    clearance = pairs_clearance(Path(settings.pairs_out), Path(config.training.training_corpus))
    verdict = clearance.require(config.quality.require_pass)
    if verdict == "pass":
        verdict = adapter_gate(settings.adapter) or "unknown"  # what the SFT adapter learned stays in the aligned one
    student = load.load_student(settings, settings.adapter, trainable=True)
    pairs = encode_pairs(student, read_pairs(Path(settings.pairs_out)), settings)
    units, held_out = split_pairs(pairs, settings.val_split, settings.seed)
    facts, check_result = job(student, units, held_out, settings, out)
    save_final(student, out, facts, check_result, method=job.__name__, sft_adapter=settings.adapter, gate=verdict)
    prompt = config.prompt.model_dump()
    run.finish(**facts, self_check=check_result.as_json(), gate=verdict, prompt=prompt, pairs=len(units))


def read_pairs(path: Path) -> list[PairRow]:
    """The pairs. RunError when there is none."""
    pairs = list(read_rows(path, PairRow))
    if not pairs:
        raise RunError(f"{path}: no pair to align with", "The SFT adapter stands; run stage 09 again, or with --all.")
    return pairs


def encode_pairs(student: Student, pairs: Sequence[PairRow], settings: Alignment) -> list[Unit]:
    """(chosen, rejected) in tokens, under the prompt as it was rendered in the evaluation."""
    sources = [
        Source(pair.query_id, pair.schema_id, pair.schema_json, answer, prompt_text=pair.prompt)
        for pair in pairs
        for answer in (pair.chosen, pair.rejected)
    ]
    weights = TokenWeights(role_weights=settings.role_weights)
    rows = encode_rows(student.tokenizer, sources, weights, settings.max_seq_length)
    return list(zip(rows[::2], rows[1::2], strict=True))


def align(
    student: Student, units: Sequence[Unit], held_out: Sequence[Unit], settings: Alignment, out: Path
) -> tuple[dict[str, Any], CheckResult]:
    """Preference tuning in `out`; `held_out` pairs are only measured. The reference is the adapter that `student` holds now."""
    set_seed(settings.seed)
    batcher, check_result = check(student, units, token_budget(student), shared=settings.shared_prefixes)
    processes.say(f"{NAME}: {len(units)} pairs; {check_result.mode}: {check_result.reason}")
    reference, others = unit_losses(student, units, batcher), HeldOutPairs.of(student, held_out, batcher)
    trainer = StudentDPOTrainer(
        model=student.model,
        args=DPOConfig(
            **common_arguments(settings, out, first_line=True),
            max_steps=settings.max_steps,
            eval_strategy="no",
            beta=settings.beta,
            max_length=None,
            disable_dropout=True,
        ),
        train_dataset=index_dataset(units),
        processing_class=student.tokenizer,
        data_collator=unset_collator,
        callbacks=callbacks(NAME, out, settings.batch_size * settings.grad_accum),
    )
    student.model.delete_adapter("ref")  # TRL's copy of the adapter; the reference's losses are known already
    trainer.prepare(_plan(units, batcher, settings))
    trainer.reference, trainer.settings = reference, settings
    trainer.pair_sums = torch.zeros(len(PAIR_COLUMNS) + 1, dtype=torch.float64)
    return train_to_the_end(trainer, out) | measured(student, others), check_result


def train_control(
    student: Student, units: Sequence[Unit], held_out: Sequence[Unit], settings: Alignment, out: Path
) -> tuple[dict[str, Any], CheckResult]:
    """The SFT-only control in `out`: the same rows in the same steps, the chosen answer as completion."""
    set_seed(settings.seed)
    disable_dropout_in_model(student.model)  # as DPO does: the two differ in their loss alone
    chosen = [(unit[0],) for unit in units]
    batcher, check_result = check(student, chosen, token_budget(student), shared=settings.shared_prefixes)
    others = HeldOutPairs.of(student, held_out, batcher)
    processes.say(f"{NAME}: control: {len(chosen)} chosen answers; {check_result.mode}: {check_result.reason}")
    trainer = StudentSFTTrainer(
        model=student.model,
        args=SFTConfig(
            **common_arguments(settings, out),
            max_steps=settings.max_steps,
            eval_strategy="no",
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=index_dataset(chosen),
        processing_class=student.tokenizer,
        data_collator=unset_collator,
        callbacks=callbacks(NAME, out, settings.batch_size * settings.grad_accum),
    )
    trainer.prepare(_plan(chosen, batcher, settings))
    return train_to_the_end(trainer, out) | measured(student, others), check_result


def measured(student: Student, held_out: HeldOutPairs) -> dict[str, Any]:
    """What the held-out pairs say of the trained adapter."""
    found = held_out.margins(student)
    if found:
        low, high = found["interval"]
        shares = f"margin {found['margin']:+.2f} nats ({low:+.2f} to {high:+.2f}), above 0 in {found['preferred']:.0%}"
        processes.say(f"{NAME}: {found['pairs']} pairs held out: {shares}")
    return {"held_out": found}


def _plan(units: Sequence[Unit], batcher: Batcher, settings: Alignment) -> Plan:
    return Plan(
        units=units,
        eval_units=(),
        batcher=batcher,
        rows_per_step=settings.batch_size * settings.grad_accum,
        rows_per_schema=settings.rows_per_schema,
        seed=settings.seed,
        keep_rate=settings.keep_rate,
    )
