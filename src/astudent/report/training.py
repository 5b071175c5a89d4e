"""The part of the report that says how the student was trained: curves, losses by role, notes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from astudent.report import formats
from astudent.report.document import Block, Bullets, Heading, Image, Paragraph, Table
from astudent.report.plots import Curve, plot_losses, plot_roles
from astudent.report.runs import EvaluatedRun, Json, TrainingLog, is_answer_rate, load_training, metrics_of, read_json
from astudent.roles.regression import THRESHOLD
from astudent.settings import Config
from astudent.stage import record_path
from astudent.tasks.registry import has_task

ROLES_KEY, TOKENS_KEY = "loss_by_role", "tokens_by_role"


def curves(log: TrainingLog, folder: Path, source: Path) -> Iterator[Block]:
    """Learning curves; said where there is nothing to draw."""
    yield Heading("Learning")
    if not log.train:
        yield Paragraph(f"No training metrics at {source}.")
        return
    plot_losses(
        folder / "plots" / "loss_curves.png",
        _curve("training (smoothed)", log.train, "loss"),
        _curve("validation", log.evaluation, "eval_loss"),
    )
    told = f"Training and validation loss over the steps. {_told('Training', log.train, 'loss')}"
    told += _told("Validation", log.evaluation, "eval_loss")
    yield Image(folder / "plots" / "loss_curves.png", told.strip())
    if log.generation:
        names = sorted({key for line in log.generation for key in line if is_answer_rate(key)})
        rows = [
            [number_of(line, "step"), *(formats.percent(line.get(name)) for name in names)] for line in log.generation
        ]
        words = [name.removeprefix("eval_").removesuffix("_rate").replace("_", " ") for name in names]
        yield Heading("Greedy answers on held-out rows, while training", 3)
        yield Table(["step", *words], rows)


def roles(log: TrainingLog, folder: Path) -> Iterator[Block]:
    """Validation loss by grammar role: first and last evaluation, and the way between."""
    lines = [line for line in log.evaluation if line.get(ROLES_KEY)]
    if not lines:
        return
    first, last = lines[0], lines[-1]
    names = [name for name in last[ROLES_KEY] if last[ROLES_KEY][name] is not None]
    plot_roles(folder / "plots" / "role_losses.png", [_role_curve(name, lines) for name in names])
    yield Heading("Validation loss by grammar role")
    yield Image(folder / "plots" / "role_losses.png", "Validation loss of each grammar role over the steps")
    header = [
        "role",
        "tokens",
        f"step {first.get('step', 0)}",
        f"step {last.get('step', 0)}",
        "change",
        "share of the loss left",
    ]
    yield Table(header, [_role_row(name, first, last) for name in names])
    if last.get("regressed_roles"):
        names = formats.listed(last["regressed_roles"])
        yield Paragraph(
            f"Worse than the base model by more than {THRESHOLD:.0%}: {names}. A mean over all tokens hides this."
        )
    yield Paragraph(
        "Nats per token of that role. Step 0, where it is there, is the base model. The share says where the loss that is left sits: role loss times role tokens."
    )


def alignment(config: Config) -> Iterator[Block]:
    """First and last line of the preference training, where there was one, and what the held-out pairs say."""
    log = load_training(metrics_of(config.alignment.output_dir))
    if not log.train:
        return
    first, last = log.train[0], log.train[-1]
    names = [key for key, value in last.items() if key != "step" and isinstance(value, int | float)]
    yield Heading("Preference training")
    header = ["", f"step {first.get('step', 0)}", f"step {last.get('step', 0)}"]
    yield Table(header, [[name, number_of(first, name), number_of(last, name)] for name in names])
    folders = {"DPO": config.alignment.output_dir, "control": config.alignment.control_output_dir}
    found = {
        label: read_json(record_path(Path(folder))).get("facts", {}).get("held_out")
        for label, folder in folders.items()
    }
    rows = [[label, *_margin_cells(margins)] for label, margins in found.items() if margins]
    if rows:
        yield Table(["pairs held out", "n", "margin (nats)", "95% interval", "above 0"], rows)
        yield Paragraph(
            "Margin: by how much more than the SFT student a run prefers the right answer to the wrong one, on pairs that it "
            "was not trained on."
        )


def _margin_cells(margins: Json) -> list[str]:
    low, high = margins["interval"]
    return [
        str(margins["pairs"]),
        f"{margins['margin']:+.2f}",
        f"{low:+.2f} to {high:+.2f}",
        formats.percent(margins["preferred"]),
    ]


def notes(config: Config, runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """What a reader must know before trusting a figure."""
    said = list(_notes(config, runs))
    if said:
        yield Heading("Read this first")
        yield Bullets(said)


def _notes(config: Config, runs: Sequence[EvaluatedRun]) -> Iterator[str]:
    if has_task(config):
        yield (
            f"The data are the benchmark task {config.dataset_generation.task}: texts composed by a program, so that every "
            "answer is known. An answer is right when it is the same JSON, whatever the order of keys."
        )
    elif config.teacher.provider == "embedded":
        yield (
            "The data come from the embedded teacher: requests realised by rules, right by construction, but not how "
            "people write. These figures show that the pipeline works, not how good a student of real requests is."
        )
    judges = {(run.summary.get("run", {}).get("judge") or {}).get("provider") for run in runs if run.summary}
    if "embedded" in judges:
        yield "The judge is the embedded one: a verdict is equivalence with the known answer, by form or execution."
    if judges == {None}:
        yield "No judge was asked: the teacher's rates are empty and truth is by execution."
    constrained = [run.label for run in runs if run.label.endswith(", constrained")]
    if constrained:
        names = formats.listed(constrained)
        yield f"{names}: decoded under the schema's grammar, which makes answers valid, not right."
    if not any(run.label == "base" for run in runs):
        yield "The base model was not evaluated beside this student."
    yield from _departures("SFT", config.training.output_dir)
    yield from _departures("DPO", config.alignment.output_dir)


def _departures(title: str, folder: str) -> Iterator[str]:
    """What a trainer did otherwise than planned, by its own record."""
    facts = read_json(record_path(folder)).get("facts", {})
    check, gate = facts.get("self_check") or {}, facts.get("gate")
    if check.get("mode") not in (None, "packs"):
        yield f"{title} trained on {check['mode']} batches instead of packs: {check.get('reason')}."
    if gate not in (None, "pass"):
        yield f"{title} trained on data of which the quality gate says: {gate}."


def number_of(line: Mapping[str, Any], key: str) -> str:
    """A number of a metrics line."""
    return formats.number(line.get(key))


def _told(name: str, lines: Sequence[Json], key: str) -> str:
    """A curve's ends and its lowest point, in words; nothing of no curve."""
    if not lines:
        return ""
    first, last, best = lines[0], lines[-1], min(lines, key=lambda line: line[key])
    points = [f"{formats.number(line[key])} at step {line.get('step', 0)}" for line in (first, last, best)]
    return f"{name}: from {points[0]} to {points[1]}, lowest {points[2]}. "


def _curve(label: str, lines: Sequence[Json], key: str) -> Curve:
    return Curve(label, [line.get("step", 0) for line in lines], [line[key] for line in lines])


def _role_curve(role: str, lines: Sequence[Json]) -> Curve:
    known = [line for line in lines if line[ROLES_KEY].get(role) is not None]
    return Curve(role, [line.get("step", 0) for line in known], [line[ROLES_KEY][role] for line in known])


def _role_row(role: str, first: Json, last: Json) -> list[str]:
    before, after = first[ROLES_KEY].get(role), last[ROLES_KEY][role]
    tokens = last.get(TOKENS_KEY, {})
    total = sum(loss * tokens.get(name, 0) for name, loss in last[ROLES_KEY].items() if loss is not None)
    change = f"{after / before - 1:+.0%}" if before else formats.UNKNOWN
    share = f"{after * tokens.get(role, 0) / total:.0%}" if total else formats.UNKNOWN
    return [role, formats.number(tokens.get(role)), formats.number(before), formats.number(after), change, share]
