"""training_metrics.jsonl: one line for each training or evaluation record; and what a person sees meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from astudent.jsonl import RowWriter, read_objects, write_atomic
from astudent.progress import Bar

FILE_NAME = "training_metrics.jsonl"


def cut_back(path: Path, step: int) -> None:
    """Drops the lines after `step`: a resumed run writes them again."""
    if path.exists():
        write_atomic(path, [line for line in read_objects(path) if line["step"] <= step])


class MetricsLog(TrainerCallback):
    """Appends the lines that hold `loss` or `eval_loss`; a run's closing summary is not one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if state.is_world_process_zero and logs and ("loss" in logs or "eval_loss" in logs):
            rest = {key: value for key, value in logs.items() if key != "epoch"}
            with RowWriter(self.path, sync_seconds=0) as out:
                out.append({"step": state.global_step, "epoch": state.epoch, **rest})


class ProgressLine(TrainerCallback):
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, title: str, rows_per_step: int) -> None:
        self.title, self.rows_per_step = title, rows_per_step
        self._shown: dict[str, float] = {}
        self._started = (0.0, 0)
        self._bar: Bar | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._started = (time.monotonic(), state.global_step)
        if state.is_world_process_zero:
            self._bar = Bar(self.title, state.max_steps, state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        names = ("loss", "eval_loss", "eval_semantic_pass_rate", "rewards/margins")
        self._shown |= {name: logs[name] for name in names if logs and isinstance(logs.get(name), float)}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self._bar is not None:
            self._bar.show(state.global_step, self._text(state))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._bar is not None:
            self._bar.close()
            print(self._text(state), flush=True)

    def _text(self, state: TrainerState) -> str:
        since, first = self._started
        seconds = max(1e-9, time.monotonic() - since)
        rate = (state.global_step - first) * self.rows_per_step / seconds
        shown = "".join(f", {name} {value:.4f}" for name, value in self._shown.items())
        return f"{self.title}: step {state.global_step}/{state.max_steps}{shown}, {rate:.1f} rows/s"
