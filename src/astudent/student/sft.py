"""Stage 06: the corpus -> a LoRA adapter, by TRL's SFTTrainer over packs that share a schema's prefix."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from astudent.student import load  # first: on a GPU it imports unsloth, which patches what follows

# isort: split

from transformers import TrainerCallback, set_seed
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from astudent.errors import UsageError
from astudent.jsonl import write_atomic
from astudent.launch import is_first
from astudent.quality.clearance import corpus_clearance
from astudent.roles.selective import TokenWeights
from astudent.settings import Config, Training
from astudent.stage import StageRun
from astudent.student import checkpoint as files
from astudent.student import processes
from astudent.student.answer_check import AnswerCheck, text_check
from astudent.student.best import METRICS, Best
from astudent.student.load import Student
from astudent.student.metrics_log import FILE_NAME, MetricsLog, ProgressLine, cut_back
from astudent.student.rows import as_sources, read_corpus, split_rows, validation_sample
from astudent.student.selfcheck import CheckResult, check, check_answers
from astudent.student.supervision import Encoded, encode_rows
from astudent.student.trainer import (
    BaseLosses,
    Batches,
    EndOfRun,
    PackTrainer,
    Plan,
    Row,
    index_dataset,
    token_budget,
    unset_collator,
)

NAME = "06"


class StudentSFTTrainer(PackTrainer, SFTTrainer):
    """TRL's SFTTrainer with this package's collator, sampler, loss and checkpoints."""


def train_sft(config: Config, run: StageRun) -> None:
    """Trains `training.output_dir/checkpoint-final` and finishes `run`; what an interrupted one left is gone on from."""
    settings = config.training
    corpus, out = Path(settings.training_corpus), Path(settings.output_dir)
    verdict = corpus_clearance(corpus).require(config.quality.require_pass)
    training, validation = split_rows(read_corpus(corpus, settings.max_samples), settings.val_split, settings.seed)
    validation = validation_sample(validation, settings.eval_max_samples, settings.seed)
    student = new_adapter(settings)
    weights, longest = TokenWeights.of(settings), settings.max_seq_length
    rows = encode_rows(student.tokenizer, as_sources(training), weights, longest)
    held_out = encode_rows(student.tokenizer, as_sources(validation), weights, longest)
    answer_check = text_check(student, validation, settings)
    result, check_result = fit(student, rows, held_out, settings, out, answer_check)
    save_final(student, out, result, check_result, gate=verdict)
    facts = {"self_check": check_result.as_json(), "gate": verdict, "prompt": config.prompt.model_dump()}
    run.finish(**result, **facts, rows=len(rows), validation_rows=len(held_out))


def new_adapter(settings: Training) -> Student:
    """The base with a fresh adapter on the named projections; embeddings are neither trained nor saved."""
    student = load.load_student(settings, trainable=True)
    set_seed(settings.seed)
    student.model = add_lora(student, settings)
    return student


def add_lora(student: Student, settings: Training) -> Any:
    """The model under PEFT, on either backend."""
    shape: dict[str, Any] = {
        "r": settings.lora_r,
        "lora_alpha": settings.lora_alpha,
        "lora_dropout": settings.lora_dropout,
        "target_modules": list(settings.target_modules),
        "use_rslora": settings.use_rslora,
    }
    if student.backend == "unsloth":
        from unsloth import FastModel  # pyright: ignore[reportMissingImports]

        checkpointing = "unsloth" if settings.use_gradient_checkpointing else False
        options = {"use_gradient_checkpointing": checkpointing, "random_state": settings.seed}
        vision = {"finetune_vision_layers": settings.modality == "vision"}
        return FastModel.get_peft_model(student.model, **vision, **shape, **options)
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    model = student.model
    if settings.load_in_4bit:
        model = prepare_model_for_kbit_training(model, settings.use_gradient_checkpointing)
    _refuse_unknown_targets(model, settings)
    return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **shape))


def _refuse_unknown_targets(model: Any, settings: Training) -> None:
    there = {name for name, _ in model.named_modules()}
    missing = [
        name for name in settings.target_modules if not any(f".{module}".endswith(f".{name}") for module in there)
    ]
    if missing:
        base = settings.base_model
        raise UsageError(f"target_modules: {base} has no {', '.join(missing)}", "Name projections that it has.")


def fit(
    student: Student,
    rows: Sequence[Encoded],
    held_out: Sequence[Encoded],
    settings: Training,
    out: Path,
    answer_check: AnswerCheck | None = None,
) -> tuple[dict[str, Any], CheckResult]:
    """Trains in `out` from the latest checkpoint there, if any. Returns facts of the run and the self-check's result."""
    units = [(row,) for row in rows]
    batcher, check_result = check(student, units, token_budget(student), shared=settings.shared_prefixes)
    processes.say(
        f"{NAME}: {len(rows)} rows, {len(held_out)} for validation; {check_result.mode}: {check_result.reason}"
    )
    answers: dict[str, Any] = {}
    if answer_check is not None:
        found = check_answers(student, answer_check.prompts, shared=settings.shared_prefixes)
        processes.say(f"{NAME}: prefixes of answers {found.mode}: {found.reason}")
        answers["answers"] = found.as_json()
    plan = plan_of(settings, units, [(row,) for row in held_out], batcher)
    return run_plan(student, plan, settings, out, answer_check) | answers, check_result


def plan_of(
    settings: Training, units: Sequence[tuple[Row, ...]], eval_units: Sequence[tuple[Row, ...]], batcher: Batches
) -> Plan:
    """How the settings visit rows."""
    return Plan(
        units=units,
        eval_units=eval_units,
        batcher=batcher,
        rows_per_step=settings.batch_size * settings.grad_accum,
        rows_per_schema=settings.rows_per_schema,
        seed=settings.seed,
        keep_rate=settings.keep_rate,
    )


def run_plan(
    student: Student, plan: Plan, settings: Training, out: Path, answer_check: Callable[[Any, int], Any] | None
) -> dict[str, Any]:
    """Trains in `out` to the end of the plan; facts of the run."""
    key, greater = METRICS[settings.metric_for_best]
    best = Best(key, greater, settings.early_stop_min_delta, settings.early_stop_patience) if plan.eval_units else None
    trainer = StudentSFTTrainer(
        model=student.model,
        args=sft_arguments(settings, out, evaluates=bool(plan.eval_units)),
        train_dataset=index_dataset(plan.units),
        eval_dataset=index_dataset(plan.eval_units) if plan.eval_units else None,
        processing_class=student.tokenizer,
        data_collator=unset_collator,
        callbacks=callbacks(NAME, out, plan.rows_per_step),
    )
    trainer.prepare(plan, best)
    trainer.add_callback(BaseLosses(trainer))
    trainer.answer_check = answer_check
    return train_to_the_end(trainer, out)


def sft_arguments(settings: Training, out: Path, *, evaluates: bool) -> SFTConfig:
    """The configuration's keys as TRL's. One item of the loader is one optimizer step, so accumulation is 1 there."""
    return SFTConfig(
        **common_arguments(settings, out),
        num_train_epochs=settings.num_epochs,
        max_steps=settings.max_steps if settings.max_steps is not None else -1,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=settings.eval_steps,
        adam_beta2=settings.adam_beta2,
        eval_accumulation_steps=settings.eval_accumulation_steps,
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
    )


def common_arguments(settings: Any, out: Path, *, first_line: bool = False) -> dict[str, Any]:
    """What SFT and DPO tell transformers alike; with `first_line` the first step is logged whatever the interval."""
    return {
        "output_dir": str(out),
        "per_device_train_batch_size": settings.batch_size * settings.grad_accum,
        "gradient_accumulation_steps": 1,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.lr_scheduler_type,
        "warmup_steps": settings.warmup_steps,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "optim": settings.optim,
        "logging_steps": settings.logging_steps,
        "save_strategy": "steps",
        "save_steps": settings.save_steps,
        "save_total_limit": settings.save_total_limit,
        "gradient_checkpointing": settings.use_gradient_checkpointing,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "bf16": settings.bf16,
        "use_cpu": not torch.cuda.is_available(),
        "seed": settings.seed,
        "report_to": settings.report_to,
        "remove_unused_columns": False,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "logging_nan_inf_filter": False,
        "logging_first_step": first_line,
        "log_level_replica": "error",
    }


def callbacks(name: str, out: Path, rows_per_step: int) -> list[TrainerCallback]:
    """Metrics file, progress, and an orderly last step."""
    return [MetricsLog(out / FILE_NAME), ProgressLine(name, rows_per_step), EndOfRun()]


def train_to_the_end(trainer: Any, out: Path) -> dict[str, Any]:
    """Trains, from the latest whole checkpoint where there is one; the metrics file is cut back to its step."""
    from transformers.trainer_callback import PrinterCallback

    if trainer.is_sharded and trainer.answer_check is not None:
        what = "generation_eval_steps: a model sharded over processes (FSDP, ZeRO-3) cannot answer while it trains"
        raise UsageError(what, "Set it to none.")
    trainer.remove_callback(PrinterCallback)
    resumed = processes.of_first(lambda: tidied(out))
    if resumed is not None:
        trainer.restore(files.read_extra(resumed))
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    best = trainer.state.best_model_checkpoint
    return {"steps": trainer.state.global_step, "best_metric": trainer.state.best_metric, "best_checkpoint": best}


def tidied(out: Path) -> Path | None:
    """The checkpoint to resume from; what a kill left beyond it is gone."""
    files.sweep(out)
    resumed = files.latest(out)
    cut_back(out / FILE_NAME, files.step_of(resumed) if resumed else -1)  # step 0, the base model, has a line too
    if resumed is not None:
        print(f"resuming from {resumed}", flush=True)
    return resumed


def save_final(student: Student, out: Path, result: dict[str, Any], check_result: CheckResult, **facts: Any) -> None:
    """checkpoint-final: the best checkpoint's adapter (the last one's without validation) and the tokenizer."""
    import json

    if not is_first():
        return
    with files.written_whole(out / files.FINAL) as place:
        best = result["best_checkpoint"]
        kept = Path(best) if best and (Path(best) / files.ADAPTER_FILES[1]).is_file() else files.numbered(out)[-1]
        for name in files.ADAPTER_FILES:
            shutil.copy2(kept / name, place / name)
        student.save_texts(place)
        about = {
            "base_model": student.base_model,
            "base_sha256": student.base_sha256,
            "backend": student.backend,
            "batches": check_result.as_json(),
            **result,
            **facts,
        }
        write_atomic(place / files.ABOUT, json.dumps(about, indent=2) + "\n")
