"""What supervised and preference training share: steps made of packs, exact sums, durable checkpoints.

`PackTrainer` is mixed into TRL's trainers. One item of the data loader is one whole optimizer step; it is computed in
micro-batches by a budget of tokens, and normalised once over the step.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate.utils import DistributedType
from datasets import Dataset
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from astudent.errors import RunError, UsageError
from astudent.jsonl import write_atomic
from astudent.launch import is_first
from astudent.roles.regression import regressed
from astudent.student import checkpoint as files
from astudent.student import processes
from astudent.student.batching import SchemaSampler, StepBatch, TokenBatch, own_stretch
from astudent.student.best import Best
from astudent.student.load import Student
from astudent.student.loss import LossSums, base_of, token_losses

PLAIN = slice(0, 1)
CPU_MEMORY = 4 * 2**30
"""Bytes that the activations of one micro-batch may take on a CPU; on a GPU it is half of what is free."""
FEWEST_TOKENS, MOST_TOKENS = 2048, 65536


class Row(Protocol):
    """What the trainer knows of a row; the batcher knows the rest."""

    @property
    def schema_id(self) -> str: ...
    def as_saved(self) -> dict[str, Any]: ...


class Batches(Protocol):
    """Makes micro-batches of units; see `Batcher.micro_batches`."""

    def micro_batches(self, units: Sequence[Any]) -> tuple[Sequence[TokenBatch], list[int]]: ...


@dataclass(frozen=True)
class Plan:
    """How a run visits its rows. `keep_rate` is the chance that a token of weight 0 counts all the same."""

    units: Sequence[tuple[Row, ...]]
    eval_units: Sequence[tuple[Row, ...]]
    batcher: Batches
    rows_per_step: int
    rows_per_schema: int
    seed: int
    keep_rate: float = 0.0


class EndOfRun(TrainerCallback):
    """The last step is logged, evaluated and saved whatever the intervals are."""

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_log = control.should_save = True
            control.should_evaluate = args.eval_strategy != "no"


class BaseLosses(TrainerCallback):
    """Before the first step the validation rows are measured: an adapter that has learned nothing is the base model."""

    def __init__(self, trainer: PackTrainer) -> None:
        self._trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step == 0 and self._trainer.plan.eval_units:
            line = self._trainer.evaluation_line()
            self._trainer.base_roles = line["loss_by_role"]
            self._trainer.log(line)


def unset_collator(items: list[Any]) -> dict[str, Any]:
    """Stands in while TRL's trainers are built; `PackTrainer.prepare` puts the plan's own collator in."""
    return {"items": items}


def token_budget(student: Student) -> int:
    """Tokens of one micro-batch, from the activations that a token keeps for the backward pass."""
    config = base_of(student.model).config.get_text_config()
    width = 10 * config.hidden_size + 4 * config.intermediate_size
    size = next(base_of(student.model).parameters()).element_size()
    bytes_per_token = config.num_hidden_layers * width * max(2, size)
    memory = torch.cuda.mem_get_info()[0] // 2 if student.device.type == "cuda" else CPU_MEMORY
    return max(FEWEST_TOKENS, min(MOST_TOKENS, memory // bytes_per_token))


def index_dataset(units: Sequence[Any]) -> Dataset:
    """What TRL is given as data set: an index; the rows stand tokenised in the plan."""
    return Dataset.from_dict({"unit": list(range(len(units)))})


class PackTrainer:
    """Mixed in before SFTTrainer or DPOTrainer. `plan` and `best` are set by the builder before training."""

    plan: Plan
    best: Best | None = None
    base_roles: dict[str, float] | None = None
    """Validation loss of each role at step 0, where the run starts from a base model."""
    answer_check: Callable[[Any, int], dict[str, float]] | None = None
    args: Any
    state: TrainerState
    control: Any
    model: Any
    accelerator: Any
    callback_handler: Any

    # -- data -----------------------------------------------------------------------------------------------------

    def prepare(self, plan: Plan, best: Best | None = None) -> None:
        """Takes the plan in; `collate` and the sampler read it. UsageError when a process would have no row in a step."""
        if plan.rows_per_step < self.args.world_size:
            what = f"a step of {plan.rows_per_step} rows (batch_size x grad_accum) for {self.args.world_size} processes"
            raise UsageError(what, "Launch fewer, or raise batch_size.")
        self.plan, self.best = plan, best
        self.train_sums = LossSums.zeros()
        self._eval_batches: Sequence[TokenBatch] | None = None
        self._sampler: SchemaSampler | None = None
        self._said: set[str] = set()
        self.data_collator = self.collate

    def collate(self, items: Sequence[dict[str, int]]) -> dict[str, StepBatch]:
        """One optimizer step from its indices."""
        indices = [item["unit"] for item in items]
        parts, order = self.plan.batcher.micro_batches([self.plan.units[i] for i in indices])
        return {"step": StepBatch(parts, [indices[i] for i in order])}

    def _get_train_sampler(self, train_dataset: Any = None) -> SchemaSampler:
        if self._sampler is None:
            schemas = [unit[0].schema_id for unit in self.plan.units]
            size, share = self.plan.rows_per_step, self.plan.rows_per_schema
            rank, world = self.args.process_index, max(1, self.args.world_size)
            self._sampler = SchemaSampler(schemas, size, share, self.plan.seed, rank, world)
        return self._sampler

    def _run_epoch(self, *args: Any, **kwargs: Any) -> Any:
        # accelerate forwards set_epoch only to some wrappers of a batch sampler; the order must not depend on which
        self._get_train_sampler().set_epoch(kwargs["epoch"])
        return super()._run_epoch(*args, **kwargs)  # pyright: ignore[reportAttributeAccessIssue]

    # -- one optimizer step ---------------------------------------------------------------------------------------

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """Forward and backward of all micro-batches of a step; returns the step's loss."""
        model.train()
        step: StepBatch = inputs["step"].to(self.args.device)
        shares = self._with_units(step)
        for part, units in shares:
            part.weights = self._kept_weights(part, units)
        norm = self._over_processes(self.step_norm(step))
        loss = torch.zeros((), device=self.args.device)
        rounds = self._rounds(len(shares))
        for index in range(rounds):
            is_last = index == rounds - 1
            self.accelerator.gradient_state._set_sync_gradients(is_last)  # DeepSpeed takes a step where it is true
            sync = contextlib.nullcontext() if is_last else self.accelerator.no_sync(model)
            with sync:
                if index < len(shares):
                    part, units = shares[index]
                    value = self.compute_loss(model, {"batch": part, "units": units}, num_items_in_batch=norm)
                else:
                    value = token_losses(model, self._filler()).sum() * 0.0
                self.accelerator.backward(value)
            loss += value.detach()
        of_all = self._over_processes(loss.item())  # together: one that stopped alone would leave the others waiting
        if not math.isfinite(of_all):
            self._stop_for_nan(step, f"loss {of_all}")
        self._last_step = step
        return loss

    @staticmethod
    def _rounds(batches: int) -> int:
        """Calls of the model that every process makes: a sharded model gathers its weights from all in each call."""
        return int(processes.highest((float(batches),))[0])

    def _filler(self) -> TokenBatch:
        """One row, for a call whose result does not count."""
        return self.plan.batcher.micro_batches(self.plan.units[:1])[0][0].to(self.args.device)

    def step_norm(self, step: StepBatch) -> float:
        """What a step's loss is divided by: the sum of its tokens' weights."""
        return float(sum(part.weights.sum().item() for part in step.parts))

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """A micro-batch's share of the step's loss: weighted token losses over the step's sum of weights."""
        batch: TokenBatch = inputs["batch"]
        losses = token_losses(model, batch)
        self.train_sums.add(losses, batch)
        loss = (losses * batch.weights).sum() / max(num_items_in_batch, 1e-12)
        loss = loss * max(1, self.args.world_size)  # data parallel averages gradients; the norm is over all processes
        return (loss, losses) if return_outputs else loss

    def _with_units(self, step: StepBatch) -> list[tuple[TokenBatch, list[int]]]:
        """Each micro-batch of a step with the units that it holds, in the order of its rows."""
        units = iter(step.units)
        per_unit = len(self.plan.units[0])
        return [(part, list(islice(units, part.row_count // per_unit))) for part in step.parts]

    def _kept_weights(self, part: TokenBatch, units: Sequence[int]) -> Tensor:
        """Weights with some of the tokens of weight 0 let in, by a draw that depends on seed, step and unit alone."""
        if self.plan.keep_rate == 0.0:
            return part.weights
        tokens = torch.bincount(part.rows, minlength=part.row_count).view(len(units), -1).sum(1).tolist()
        draw = torch.cat([self._draw(unit, count) for unit, count in zip(units, tokens, strict=True)])
        draw = draw.to(part.weights.device)
        return torch.where((part.weights == 0) & (draw < self.plan.keep_rate), 1.0, part.weights)

    def _draw(self, unit: int, tokens: int) -> Tensor:
        seed = hash((self.plan.seed, self.state.global_step, unit)) & 0x7FFFFFFF
        return torch.rand(tokens, generator=torch.Generator().manual_seed(seed))

    @staticmethod
    def _over_processes(value: float) -> float:
        return processes.total(torch.tensor(value, dtype=torch.float64)).item()

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)  # pyright: ignore[reportAttributeAccessIssue]
        if norm is not None and not math.isfinite(float(norm)):  # asked before the optimizer steps: nothing is spoiled
            self._stop_for_nan(self._last_step, f"gradient norm {float(norm)}")
        return norm

    def _stop_for_nan(self, step: StepBatch, what: str) -> None:
        path = Path(self.args.output_dir) / "nan_batch.json"
        rows = [row for units in processes.gathered(step.units) for unit in units for row in self.plan.units[unit]]
        saved = [row.as_saved() for row in rows]
        if is_first():
            write_atomic(path, json.dumps({"step": self.state.global_step + 1, "what": what, "rows": saved}) + "\n")
        hint = f"The batch is in {path}. Lower learning_rate, then run again."
        raise RunError(f"{what} at step {self.state.global_step + 1}", hint)

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # transformers' estimate does not know packs

    # -- metrics --------------------------------------------------------------------------------------------------

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        """Training lines get their loss from the sums, so that role losses times role tokens add up to it."""
        if "loss" in logs:
            logs.update(self.train_line())
            self.train_sums = LossSums.zeros()
        super().log(logs, start_time)  # pyright: ignore[reportAttributeAccessIssue]

    def train_line(self) -> dict[str, Any]:
        """The sums since the last line. With weights other than 1, `token_loss` is the plain token mean."""
        sums = self.train_sums.over_processes()
        weighted, weight = sums.objective.tolist()
        plain = sums.mean() or 0.0
        extra = {} if weight == sums.count.sum().item() else {"token_loss": plain}
        loss = weighted / weight if extra and weight else plain
        return {"loss": loss, **extra, **sums.by_role(), **sums.repair()}

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: list[str] | None = None, metric_key_prefix: str = "eval"
    ) -> dict[str, Any]:
        """The line of `evaluation_line`, the greedy answers where they are due, and what has got worse."""
        metrics = self.evaluation_line()
        if (answers := self.answer_check) is not None:
            metrics |= processes.of_first(lambda: answers(self.model, self.state.global_step))
        if self.base_roles is not None:
            self._note_regressions(metrics)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def evaluation_line(self) -> dict[str, Any]:
        """The exact token mean over the plain validation rows, by role too; repair rows are reported apart."""
        started = time.monotonic()
        sums = self._eval_sums()
        metrics: dict[str, Any] = {"eval_loss": sums.mean(PLAIN)}
        seconds = max(1e-9, time.monotonic() - started)
        rows, steps = len(self.plan.eval_units), len(self._eval_batches or ())
        metrics["eval_runtime"] = round(seconds, 4)
        metrics["eval_samples_per_second"] = round(rows / seconds, 3)
        metrics["eval_steps_per_second"] = round(steps / seconds, 3)
        return metrics | sums.by_role(PLAIN) | {f"eval_{key}": value for key, value in sums.repair().items()}

    def _note_regressions(self, metrics: dict[str, Any]) -> None:
        """Adds `regressed_roles` to the line, and says each role once, when it is first found worse than at step 0."""
        before, after = self.base_roles or {}, metrics["loss_by_role"]
        metrics["regressed_roles"] = regressed(before, after)
        for role in metrics["regressed_roles"]:
            if role not in self._said:
                self._said.add(role)
                change = f"loss {after[role]:.3f} after {before[role]:.3f} at step 0"
                processes.say(f"warning: step {self.state.global_step}: worse at {role} than the base model: {change}")

    @torch.no_grad()
    def _eval_sums(self) -> LossSums:
        if self._eval_batches is None:
            units = sorted(self.plan.eval_units, key=lambda unit: unit[0].schema_id)
            own = own_stretch([u[0].schema_id for u in units], self.args.process_index, max(1, self.args.world_size))
            self._eval_batches = self.plan.batcher.micro_batches(units[own])[0]
        self.model.eval()
        sums = LossSums.zeros()
        for index in range(self._rounds(len(self._eval_batches))):
            counts = index < len(self._eval_batches)
            batch = self._eval_batches[index].to(self.args.device) if counts else self._filler()
            with self.compute_loss_context_manager():  # pyright: ignore[reportAttributeAccessIssue]
                losses = token_losses(self.model, batch)
            if counts:
                sums.add(losses, batch)
        return sums.over_processes()

    def _determine_best_metric(self, metrics: dict[str, Any], trial: Any = None) -> bool:
        if self.best is None or not self.best.see(metrics):
            is_best = False
        else:
            is_best = True
            self.state.best_metric = metrics[self.best.metric]
            self.state.best_global_step = self.state.global_step
            self.control.should_save = True
        if self.best is not None and self.best.should_stop:
            self.control.should_training_stop = self.control.should_save = True
        return is_best

    # -- checkpoints ----------------------------------------------------------------------------------------------

    def _save_checkpoint(self, model: Any, trial: Any = None) -> None:
        """Adapter, optimizer, schedule, random states and sums, in a folder that is whole or not there."""
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if self.state.best_global_step:
            best = Path(self.args.output_dir) / f"checkpoint-{self.state.best_global_step}"
            self.state.best_model_checkpoint = str(best)
        building = contextlib.nullcontext(files.unfinished(folder))
        with files.written_whole(folder) if self.args.should_save else building as place:
            processes.wait()  # until the first one has made the folder
            self._fill_checkpoint(place)
            processes.wait()  # until all have written
        if self.args.should_save:
            best = self.state.best_model_checkpoint
            files.rotate(folder.parent, self.args.save_total_limit, Path(best) if best else None)

    def _fill_checkpoint(self, place: Path) -> None:
        extra, whole = self.extra_state(), self._whole_weights()
        if self.args.should_save:
            save_adapter(self.accelerator.unwrap_model(self.model), place, whole)
            write_atomic(place / files.EXTRA_STATE, json.dumps(extra) + "\n")
            self.state.save_to_json(str(place / files.TRAINER_STATE))
        self._save_optimizer_and_scheduler(str(place))  # pyright: ignore[reportAttributeAccessIssue]
        self._save_rng_state(str(place))  # pyright: ignore[reportAttributeAccessIssue]  # each process its own

    @property
    def is_sharded(self) -> bool:
        """Whether a process holds a part of the weights alone (FSDP, ZeRO-3)."""
        is_deepspeed = self.accelerator.distributed_type == DistributedType.DEEPSPEED
        zero_3 = is_deepspeed and self.accelerator.state.deepspeed_plugin.zero_stage == 3
        return zero_3 or self.accelerator.distributed_type == DistributedType.FSDP

    def _whole_weights(self) -> dict[str, Tensor] | None:
        """A sharded model's weights, gathered by all processes for the first one; None where the model has them."""
        wrapped = self.model_wrapped  # pyright: ignore[reportAttributeAccessIssue]
        return self.accelerator.get_state_dict(wrapped) if self.is_sharded else None

    def extra_state(self) -> dict[str, Any]:
        """What a checkpoint holds beside the trainer's own state; the sums are those of all processes."""
        sums = self.train_sums.over_processes().state()
        return {"sums": sums, "best": self.best.state() if self.best else None, "base_roles": self.base_roles}

    def restore(self, extra: dict[str, Any]) -> None:
        """Puts all of `extra_state` back as it was at a checkpoint; the sums are the first process's to add."""
        self.base_roles = extra.get("base_roles")  # a checkpoint of an earlier version has none
        if is_first():
            self.train_sums = LossSums.restore(extra["sums"])
        if self.best is not None and extra["best"] is not None:
            self.best.restore(extra["best"])


def save_adapter(model: Any, folder: Path, weights: dict[str, Tensor] | None = None) -> None:
    """The trained adapter alone: no embeddings, no reference adapter. `weights` stand in for the model's own."""
    shape = model.peft_config["default"]
    shape.target_modules = sorted(shape.target_modules)  # a set, which would be written in another order each time
    options: dict[str, Any] = {} if weights is None else {"state_dict": weights}
    model.save_pretrained(str(folder), save_embedding_layers=False, selected_adapters=["default"], **options)
