"""Stage 09: outputs/student_runs/eval-align/evaluation_results.jsonl -> outputs/student_runs/alignment/dpo_pairs.jsonl

What the teacher knows against what the student said, on the align split only.
"""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from astudent.cli import Options
from astudent.errors import RunError, UsageError
from astudent.evaluation.pairs import build_pairs
from astudent.evaluation.results import ResultRow
from astudent.jsonl import read_rows, write_atomic
from astudent.settings import Config
from astudent.stage import StageRun, settings_of

NAME = "09"


def run(config: Config, options: Options) -> None:
    """Writes the pairs. UsageError for rows of a test split; RunError when no row makes a pair."""
    settings = config.alignment
    sources = [Path(name) for name in (settings.eval_results, *settings.more_eval_results)]
    out = Path(settings.pairs_out)
    for source in sources:
        if not source.is_file():
            raise UsageError(f"{source}: no such file", "Evaluate the align split first: stage 07 with --split align.")
    stage = StageRun.begin(
        NAME,
        [out],
        settings_of(config, "alignment.only_rejected", "alignment.same_shape", "alignment.max_pairs"),
        sources,
        root=config.run.outputs_root,
        fresh=options.fresh,
    )
    if stage.status == "complete":
        return
    pairs = build_pairs(
        chain.from_iterable(read_rows(source, ResultRow) for source in sources),
        only_rejected=settings.only_rejected,
        same_shape=settings.same_shape,
        max_pairs=settings.max_pairs,
    )
    if not pairs.kept:
        raise RunError(
            f"{', '.join(map(str, sources))}: no row makes a pair ({_counted(pairs.dropped)})",
            _hint(settings.only_rejected),
        )
    write_atomic(out, pairs.kept)
    stage.finish(pairs=len(pairs.kept), dropped=pairs.dropped)
    print(f"{NAME}: {len(pairs.kept)} pairs; dropped: {_counted(pairs.dropped)}", flush=True)


def _counted(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items())) or "none"


def _hint(only_rejected: bool) -> str:
    wider = "; --all also takes answers that the teacher accepted" if only_rejected else ""
    return f"There is nothing to align: the SFT adapter stands{wider}."
