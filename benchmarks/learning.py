"""What helps the student learn: seeds, ablations and ways of alignment, each by the stages that a user runs.

All start from a finished run of CONFIG (its data set, its corpus, its SFT adapter), differ in what their own small
configuration names, and are evaluated on the same requests of test_unseen. What is done is not done again.

    .venv/bin/python benchmarks/learning.py seeds
    .venv/bin/python benchmarks/learning.py ablations --only "half the schemas"
    .venv/bin/python benchmarks/learning.py alignment
    .venv/bin/python benchmarks/learning.py table
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from astudent.cli import with_exit_code
from astudent.config import load_config
from astudent.errors import UsageError
from astudent.evaluation.comparison import compare_runs
from astudent.evaluation.results import ResultRow
from astudent.evaluation.statistics import wilson
from astudent.experiment.plan import write_config
from astudent.jsonl import read_rows, write_atomic
from astudent.language.vocabulary import read_vocabulary
from astudent.records import CorpusRow
from astudent.settings import Config
from astudent.teacher.lexicon import load_lexicon

ROOT = Path(__file__).parents[1]
RESULTS = "evaluation_results.jsonl"
ROUND_ONE = "beta .1"
Changes = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Training:
    """An SFT run. `keeps` says which rows of the corpus, by their place among its schemas; `untrained` puts a base that was never pre-trained in."""

    name: str
    changes: Changes = field(default_factory=dict)
    keeps: Callable[[CorpusRow, int], bool] | None = None
    untrained: bool = False


@dataclass(frozen=True)
class Alignment:
    """A DPO run from the SFT adapter. `sampled` draws of the align split at temperature 1 stand beside the greedy ones;
    `after` names the run whose adapter this one begins with, on answers of its own."""

    name: str
    changes: dict[str, Any]
    sampled: int = 0
    after: str | None = None
    control: bool = False


def real_words(row: CorpusRow) -> bool:
    """Whether the schema names a field as the embedded teacher's lexicon does."""
    return not known_fields().isdisjoint(read_vocabulary(row.schema_json).fields)


@cache
def known_fields() -> frozenset[str]:
    lexicon = load_lexicon()
    return frozenset(f.name for f in (*lexicon.common, *(f for domain in lexicon.domains for f in domain.fields)))


SEEDS = [Training(f"seed {seed}", {"training": {"seed": seed}}) for seed in (1, 2)]
ABLATIONS = [
    Training("without pre-training", untrained=True),
    Training("without made-up words", keeps=lambda row, place: real_words(row)),
    Training("without repair rows", keeps=lambda row, place: row.kind == "plain"),
    Training("half the schemas", keeps=lambda row, place: place % 2 == 0),
]
STEPS = {"learning_rate": 5e-5, "max_steps": 14, "warmup_steps": 2}
VALUES = dict.fromkeys(("NUMBER", "BOOLEAN", "ENUM_VALUE", "FREE_TEXT"), 3.0)
ALIGNMENTS = [
    Alignment("as configured", {}, control=True),
    Alignment(ROUND_ONE, STEPS | {"beta": 0.1}, control=True),
    Alignment("beta .3", STEPS | {"beta": 0.3}),
    Alignment("beta 1", STEPS | {"beta": 1.0}),
    Alignment("no SFT loss", STEPS | {"beta": 0.1, "sft_coef": 0.0}),
    Alignment("values only", STEPS | {"beta": 0.1, "same_shape": True}, control=True),
    Alignment("values weigh 3", STEPS | {"beta": 0.1, "role_weights": VALUES}),
    Alignment("sampled too", STEPS | {"beta": 0.1}, sampled=4, control=True),
    Alignment("sampled, beta 1", STEPS | {"beta": 1.0}, sampled=4),
    Alignment("second round", STEPS | {"beta": 0.1}, after=ROUND_ONE),
]


def table(config: Path, out: Path) -> None:
    """Markdown: every run that is there, beside the SFT student that all start from or are measured against."""
    base = load_config(config)
    before = rows_of(Path(base.evaluation.out_dir))
    names = [run.name for run in (*SEEDS, *ABLATIONS, *ALIGNMENTS)]
    print("| run | n | semantic pass | names seen | names new | EN | FR | won / lost | difference (95%) | McNemar p |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    print(line("SFT", before, None))
    for name in names:
        for label, folder in ((name, "eval"), (f"{name}: control", "eval-control")):
            found = out / slug(name) / folder / RESULTS
            if found.exists():
                print(line(label, rows_of(found.parent), before))


def train(run: Training, config: Path, out: Path) -> None:
    """Stage 06 on the rows that are kept, stage 07 on test_unseen."""
    base, folder = load_config(config), out / slug(run.name)
    corpus = Path(base.training.training_corpus)
    training: dict[str, Any] = {"training_corpus": str(corpus)} | run.changes.get("training", {})
    changes: Changes = {"training": training}
    if run.keeps:
        training["training_corpus"] = str(kept_rows(corpus, folder, run.keeps))
        changes["quality"] = {"require_pass": False}  # the gate passed the whole of which these rows are a part
    if run.untrained:
        training["base_model"] = str(untrained_base(folder))
    of_base = folder if run.untrained else out
    own = write_config(config, folder, changes | {"evaluation": asked(base, folder, of_base)})
    stage("06", own)
    stage("07", own)


def align(run: Alignment, config: Path, out: Path) -> None:
    """Stage 07 on the align split (once for all that share it), 09, 10, and 07 on test_unseen."""
    base, folder = load_config(config), out / slug(run.name)
    settings = base.alignment
    adapter = Path(settings.adapter)
    source = out / "align"
    if run.after:
        adapter, source = out / slug(run.after) / "dpo" / "checkpoint-final", folder / "align"
    judged = [answered(source / "greedy", adapter, config, base, {})]
    draws = [{"temperature": 1.0, "seed": seed} for seed in range(run.sampled)]
    judged += [answered(source / f"sampled-{drawn['seed']}", adapter, config, base, drawn) for drawn in draws]
    alignment = {
        "eval_results": str(judged[0]),
        "more_eval_results": [str(path) for path in judged[1:]],
        "pairs_out": str(folder / "pairs.jsonl"),
        "adapter": str(adapter),
        "output_dir": str(folder / "dpo"),
        "control": run.control,
        "control_output_dir": str(folder / "control"),
    }
    own = write_config(config, folder, {"alignment": alignment | run.changes, "evaluation": asked(base, folder, out)})
    stage("09", own)
    stage("10", own)
    stage("07", own, "--adapter", str(folder / "dpo" / "checkpoint-final"))
    if run.control:
        control = ("--adapter", str(folder / "control" / "checkpoint-final"), "--out-dir", str(folder / "eval-control"))
        stage("07", own, *control)


def asked(base: Config, folder: Path, of_base: Path) -> dict[str, Any]:
    """test_unseen alone; the base model's answers stand in `of_base`, once for all runs that start from the same base."""
    there = {"dataset": base.evaluation.dataset, "base_out_dir": str(of_base / "eval-base")}
    return there | {"splits": ["test_unseen"], "baselines": False, "out_dir": str(folder / "eval")}


def answered(folder: Path, adapter: Path, config: Path, base: Config, drawn: dict[str, Any]) -> Path:
    """The whole align split answered by an adapter, and judged."""
    settings = asked(base, folder, folder) | drawn | {"splits": ["align"], "out_dir": str(folder), "max_schemas": None}
    settings |= {"max_samples": None, "adapter": str(adapter)}
    stage("07", write_config(config, folder, {"evaluation": settings}))
    return folder / RESULTS


def kept_rows(corpus: Path, folder: Path, keeps: Callable[[CorpusRow, int], bool]) -> Path:
    """The corpus without the rows that `keeps` refuses."""
    places: dict[str, int] = {}
    rows = [row for row in read_rows(corpus, CorpusRow) if keeps(row, places.setdefault(row.schema_id, len(places)))]
    path = folder / "corpus" / corpus.name
    if not path.exists():
        write_atomic(path, rows)
    return path


def untrained_base(folder: Path) -> Path:
    """The tiny student after one step of pre-training: as good as random weights."""
    base = folder / "base"
    if not (base / "model.safetensors").exists():
        called("pretrain_tiny_student", "--steps", "1", "--work", str(folder / "work"), "--out", str(base))
    return base


def stage(number: str, config: Path, *flags: str) -> None:
    (script,) = (ROOT / "scripts").glob(f"{number}_*.py")
    called(script.stem, "--config", str(config), *flags)


def called(script: str, *flags: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / f"{script}.py"), *flags]
    print(">", " ".join(command[1:]), flush=True)
    if (code := subprocess.run(command, cwd=ROOT, check=False).returncode) != 0:
        raise typer.Exit(code)


def slug(name: str) -> str:
    return "-".join("".join(sign if sign.isalnum() or sign == "." else " " for sign in name).split())


def rows_of(folder: Path) -> list[ResultRow]:
    if not (folder / RESULTS).is_file():
        raise UsageError(f"{folder / RESULTS}: no such file", "Finish a run with this configuration first.")
    return [row for row in read_rows(folder / RESULTS, ResultRow) if row.split == "test_unseen"]


def line(label: str, rows: Sequence[ResultRow], before: Sequence[ResultRow] | None) -> str:
    kinds = ([r for r in rows if test(r)] for test in KINDS)
    cells = [label, str(len(rows)), *(share(kind) for kind in kinds)]
    found = compare_runs(("SFT", before), (label, rows), "test_unseen") if before else None
    if found:
        r = found.result
        between = f"{100 * r.interval.low:+.1f} to {100 * r.interval.high:+.1f}"
        cells += [f"{r.wins} / {r.losses}", f"{100 * r.difference:+.1f} ({between})", f"{r.p_value:.2g}"]
    else:
        cells += ["", "", ""]
    return "| " + " | ".join(cells) + " |"


KINDS: tuple[Callable[[ResultRow], bool], ...] = (
    lambda row: True,
    lambda row: row.names == "seen",
    lambda row: row.names == "new",
    lambda row: row.language == "en",
    lambda row: row.language == "fr",
)


def share(rows: Sequence[ResultRow]) -> str:
    """Semantic pass with its 95% interval."""
    if not rows:
        return ""
    passed = sum(bool(row.semantic_pass) for row in rows)
    interval = wilson(passed, len(rows))
    return f"{100 * passed / len(rows):.1f}% ({100 * interval.low:.0f} to {100 * interval.high:.0f})"


RUNS: dict[str, tuple[Sequence[Any], Callable[[Any, Path, Path], None]]] = {
    "seeds": (SEEDS, train),
    "ablations": (ABLATIONS, train),
    "alignment": (ALIGNMENTS, align),
    "table": ((), train),
}


def main(
    what: Annotated[Literal["seeds", "ablations", "alignment", "table"], typer.Argument(help="What is run first.")],
    config: Annotated[Path, typer.Option(help="Configuration of the finished run that all start from.")] = Path(
        "config/embedded.json"
    ),
    out: Annotated[Path, typer.Option(help="Folder of everything that is made here.")] = Path("outputs/learning"),
    only: Annotated[list[str] | None, typer.Option(help="Only this run, by its name. May be repeated.")] = None,
) -> None:
    """SFT with other seeds, SFT with one thing less, or ways to align its adapter; then the table of all that is there."""
    with_exit_code(lambda: _run(what, config, out, only))


def _run(what: str, config: Path, out: Path, only: list[str] | None) -> None:
    runs, work = RUNS[what]
    names = [run.name for run in runs]
    if unknown := set(only or ()) - set(names):
        raise UsageError(f"--only: there is no {', '.join(sorted(unknown))}", f"Take some of: {'; '.join(names)}.")
    rows_of(Path(load_config(config).evaluation.out_dir))  # before hours of work, not after
    for run in runs:
        if not only or run.name in only:
            work(run, config, out)
    table(config, out)


if __name__ == "__main__":
    typer.run(main)
