"""training_metrics.jsonl: one line for each training or evaluation record; and what a person sees meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from astudent.jsonl import RowWriter, read_objects, write_atomic

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
        self.console = Console(stderr=False)
        self._shown: dict[str, float] = {}
        self._started = (0.0, 0)
        self._last_line = 0.0
        self._bar: Progress | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._started = (time.monotonic(), state.global_step)
        if state.is_world_process_zero and self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._task = self._bar.add_task(self.title, total=state.max_steps, completed=state.global_step)
            self._bar.start()

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
        due = time.monotonic() - self._last_line > 10
        if state.is_world_process_zero and self._bar is None and due:
            self._last_line = time.monotonic()
            self.console.print(self._text(state), highlight=False)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=state.global_step, description=self._text(state))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if state.is_world_process_zero:
            self.console.print(self._text(state), highlight=False)

    def _text(self, state: TrainerState) -> str:
        since, first = self._started
        seconds = max(1e-9, time.monotonic() - since)
        rate = (state.global_step - first) * self.rows_per_step / seconds
        shown = "".join(f", {name} {value:.4f}" for name, value in self._shown.items())
        return f"{self.title}: step {state.global_step}/{state.max_steps}{shown}, {rate:.1f} rows/s"
