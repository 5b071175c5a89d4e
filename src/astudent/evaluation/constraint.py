"""What a schema's grammar does for a student: its cost in time, the answers it saves, and those that it only makes look right."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from astudent.errors import RunError
from astudent.evaluation.results import ResultRow
from astudent.evaluation.samples import Sample
from astudent.evaluation.statistics import ratio_bootstrap
from astudent.language.enforcement import Enforcement, enforcement_of

Outcome = Literal["right", "valid_but_wrong", "invalid"]
OUTCOMES: tuple[Outcome, ...] = ("right", "valid_but_wrong", "invalid")


def outcome(row: ResultRow) -> Outcome:
    """Valid under the schema and of the known meaning, valid only, or neither."""
    return "invalid" if not row.schema_valid else "right" if row.equivalent else "valid_but_wrong"


def enforced(samples: Iterable[Sample]) -> dict[str, Enforcement]:
    """What a grammar can do with the schema of each sample, by `schema_id`."""
    schemas = {sample.row.schema_id: sample.row.schema_json for sample in samples}
    return {schema_id: enforcement_of(schema) for schema_id, schema in schemas.items()}


def with_grammar(samples: Sequence[Sample]) -> list[Sample]:
    """The samples whose schema has a grammar, the only ones that are decoded under one. RunError where none has."""
    found = enforced(samples)
    kept = [sample for sample in samples if found[sample.row.schema_id].refused is None]
    if not kept:
        schema_id, enforcement = next(iter(found.items()))
        raise RunError(f"no schema can be enforced; {schema_id}: {enforcement.refused}", "Set constrained to false.")
    return kept


def constraint_summary(
    samples: Iterable[Sample], free: Sequence[ResultRow], constrained: Sequence[ResultRow]
) -> dict[str, Any]:
    """Which schemas are enforced how far, and split by split what the grammar cost and changed on the same requests."""
    found = enforced(samples)
    beside = {row.query_id: row for row in constrained}
    pairs = [(row, beside[row.query_id]) for row in free if row.kind == "plain" and row.query_id in beside]
    splits = dict.fromkeys(row.split for row, _ in pairs)
    return {
        "schemas": len(found),
        "left_out": {schema_id: list(each.left_out) for schema_id, each in found.items() if each.left_out},
        "refused": {schema_id: each.refused for schema_id, each in found.items() if each.refused is not None},
        "splits": {split: _beside([pair for pair in pairs if pair[0].split == split]) for split in splits},
    }


def _beside(pairs: Sequence[tuple[ResultRow, ResultRow]]) -> dict[str, Any]:
    """Seconds per answer of both and their ratio with its 95% interval (a bootstrap over requests); seconds per token, since
    a grammar ends some answers sooner; `outcomes`: of free decoding -> of constrained decoding -> answers."""
    free, constrained = (np.array([[pair[side].latency_seconds] for pair in pairs]) for side in (0, 1))
    tokens = [max(1, sum(pair[side].completion_tokens for pair in pairs)) for side in (0, 1)]
    counts = Counter((outcome(a), outcome(b)) for a, b in pairs)
    interval = ratio_bootstrap(free, constrained)[0]
    return {
        "samples": len(pairs),
        "free_seconds": float(free.mean()),
        "constrained_seconds": float(constrained.mean()),
        "time_ratio": float(constrained.sum() / free.sum()) if free.sum() else None,
        "time_ratio_interval": None if interval is None else [interval.low, interval.high],
        "free_seconds_per_token": float(free.sum()) / tokens[0],
        "constrained_seconds_per_token": float(constrained.sum()) / tokens[1],
        "outcomes": {a: {b: counts[a, b] for b in OUTCOMES} for a in OUTCOMES},
    }


def hidden(outcomes: Mapping[str, Mapping[str, int]]) -> int:
    """Answers that were plainly broken when free, and are valid but wrong under the grammar."""
    return outcomes["invalid"]["valid_but_wrong"]
