"""What the trials of an experiment came to, variant by variant, against the baseline on the same seeds and samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any

from astudent.config import load_config
from astudent.errors import RunError
from astudent.evaluation.leaf_scores import LeafScores, leaf_scores
from astudent.evaluation.results import ResultRow
from astudent.evaluation.statistics import Interval, paired_bootstrap
from astudent.experiment.plan import BASELINE, Trial
from astudent.experiment.trial import COSTS
from astudent.jsonl import read_rows
from astudent.language.canonical import canonical
from astudent.language.serialise import parse_ast
from astudent.report.runs import load_training, metrics_of, read_json
from astudent.roles import GrammarRole

VALUES = (GrammarRole.NUMBER, GrammarRole.BOOLEAN, GrammarRole.ENUM_VALUE, GrammarRole.FREE_TEXT)
LOSSES = {"loss": "all tokens", "value_loss": "tokens of values"}


@dataclass(frozen=True)
class Finished:
    """A finished trial: validation losses over the steps, the answers to the first split that is evaluated, its costs."""

    trial: Trial
    steps: Sequence[int]
    loss: Sequence[float]
    value_loss: Sequence[float]
    rows: Sequence[ResultRow]
    seconds: float | None
    peak_mb: float | None
    keep_rate: float = 0.0

    @cached_property
    def scores(self) -> LeafScores:
        """The answers value by value, in canonical form on both sides."""
        return leaf_scores((canonical(row.ast_json), _answer(row), row.schema_json) for row in self.rows)

    def rate(self, name: str) -> float:
        """Share of the answers of which `name` is true."""
        return mean(bool(getattr(row, name)) for row in self.rows)


def load(trial: Trial) -> Finished:
    """Reads a trial's files. RunError where the evaluation left nothing."""
    config = load_config(trial.config)
    results = Path(config.evaluation.out_dir) / "evaluation_results.jsonl"
    split = config.evaluation.splits[0]
    rows = [row for row in read_rows(results, ResultRow) if row.split == split and row.kind == "plain"]
    log = load_training(metrics_of(config.training.output_dir))
    lines = [line for line in log.evaluation if line.get("loss_by_role")]
    if not rows or not lines:
        raise RunError(f"{trial.folder}: no answer or no validation loss", "Raise val_split; remove the folder.")
    costs = read_json(trial.folder / COSTS)
    return Finished(
        trial,
        steps=[line["step"] for line in lines],
        loss=[line["eval_loss"] for line in lines],
        value_loss=[value_loss(line) for line in lines],
        rows=rows,
        seconds=costs.get("seconds"),
        peak_mb=costs.get("peak_mb"),
        keep_rate=config.training.keep_rate,
    )


def value_loss(line: dict[str, Any]) -> float:
    """Mean loss of the tokens of values, in nats, of an evaluation line."""
    tokens, losses = line["tokens_by_role"], line["loss_by_role"]
    there = [role for role in VALUES if tokens.get(role)]
    return sum(losses[role] * tokens[role] for role in there) / max(1, sum(tokens[role] for role in there))


def common_target(finished: Sequence[Finished], loss: str) -> float:
    """The lowest loss that every trial reaches."""
    return max(min(getattr(trial, loss)) for trial in finished)


def steps_to(trial: Finished, loss: str, target: float) -> int | None:
    """The first evaluated step with a loss of at most `target`; None where it is never reached."""
    found = zip(trial.steps, getattr(trial, loss), strict=True)
    return next((step for step, value in found if value <= target), None)


def difference(variant: Sequence[Finished], baseline: Sequence[Finished], name: str) -> tuple[float, Interval]:
    """Variant minus baseline in a rate, and its 95% interval: each sample's mean over the seeds that both have, paired;
    whole schemas are resampled. It says how sure the samples make it, not what further seeds would do."""
    seeds = {trial.trial.seed for trial in variant} & {trial.trial.seed for trial in baseline}
    ours, theirs = (_by_sample([t for t in runs if t.trial.seed in seeds], name) for runs in (variant, baseline))
    shared = [key for key in ours if key in theirs]
    differences = [ours[key] - theirs[key] for key in shared]
    return mean(differences), paired_bootstrap(differences, [schema for schema, _ in shared])


def _by_sample(trials: Sequence[Finished], name: str) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], list[bool]] = {}
    for trial in trials:
        for row in trial.rows:
            found.setdefault((row.schema_id, row.query_id), []).append(bool(getattr(row, name)))
    return {key: mean(values) for key, values in found.items()}


def summary(finished: Sequence[Finished], target: float | None = None) -> dict[str, Any]:
    """All figures, as JSON. `target`: the loss of values to which steps are counted (none: the lowest that all reach)."""
    targets = {loss: common_target(finished, loss) for loss in LOSSES}
    targets |= {} if target is None else {"value_loss": target}
    variants = list(dict.fromkeys(trial.trial.variant for trial in finished))
    of = {name: [trial for trial in finished if trial.trial.variant == name] for name in variants}
    metric = "semantic_pass" if all(row.semantic_pass is not None for t in finished for row in t.rows) else "equivalent"
    rows = {name: _variant(of[name], of.get(BASELINE, []), targets, metric) for name in variants}
    return {"metric": metric, "samples": len(finished[0].rows), "targets": targets, "variants": rows}


def _variant(
    trials: Sequence[Finished], baseline: Sequence[Finished], targets: dict[str, float], metric: str
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "seeds": [trial.trial.seed for trial in trials],
        "keep_rate": trials[0].keep_rate,
        metric: _spread([trial.rate(metric) for trial in trials]),
        "schema_valid": _spread([trial.rate("schema_valid") for trial in trials]),
        "character_error_rate": _spread([trial.scores.character_error_rate for trial in trials]),
        "values_right": {role.value: _spread([_right(trial, role) for trial in trials]) for role in VALUES},
        "lowest": {loss: _spread([min(getattr(trial, loss)) for trial in trials]) for loss in LOSSES},
        "steps_to": {loss: _spread([steps_to(t, loss, aim) for t in trials]) for loss, aim in targets.items()},
        "seconds": _spread([trial.seconds for trial in trials]),
        "peak_mb": _spread([trial.peak_mb for trial in trials]),
    }
    if baseline and trials[0].trial.variant != BASELINE:
        gain, interval = difference(trials, baseline, metric)
        found["against_baseline"] = {"difference": gain, "interval": [interval.low, interval.high]}
    return found


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    """Mean, least and most over the seeds; None where one is not known."""
    known = [value for value in values if value is not None]
    return {"mean": mean(known), "low": min(known), "high": max(known)} if known and len(known) == len(values) else None


def _right(trial: Finished, role: GrammarRole) -> float | None:
    score = trial.scores.roles.get(role)
    return score.right / score.values if score else None


def _answer(row: ResultRow) -> Any:
    answer = parse_ast(row.text)[0]
    return None if answer is None else canonical(answer)
