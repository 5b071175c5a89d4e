"""The gate: what it finds, what it flags wrongly, how fast it is beside a plain loop of jsonschema, and a million rows.

    .venv/bin/python benchmarks/gate.py --json FILE

- clean rows: those of stages 01 to 04 of the embedded configuration with more requests, and orders with their JSON;
- the same with seeded faults, each to be found by file, line and kind, and no other line;
- throughput on both beside json.loads and `Draft202012Validator(schema).iter_errors`, which check far less;
- a million rows of orders, in a process of its own: seconds, and its peak memory.
"""

import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import typer
from gate_faults import ADDITIONS, MUTATIONS, ORDER_MUTATIONS, QUERY_ADDITIONS, QUERY_MUTATIONS, Row, seeded
from measure import Case, Rival, Work, compare, machine
from orders import orders

from astudent.cli import with_exit_code
from astudent.errors import RunError
from astudent.jsonl import line_of, read_objects
from astudent.quality.check import GateOptions
from astudent.quality.gate import run_gate

ROOT = Path(__file__).resolve().parents[1]
SEED = 8
EACH = 80
ORDERS = 4_000
QUERIES = GateOptions(near_duplicate_similarity=0.9, apart=True, needs_training=True, max_tokens=4096)
DOCUMENTS = GateOptions(near_duplicate_similarity=0.9, grounded=True, max_tokens=4096)


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
    rows: Annotated[int, typer.Option(min=0, help="Rows of the large file; 0: none.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each comparison.")] = 3,
) -> None:
    """Measure and print; below 1 ours is slower. Exit 1 where a fault was missed or a clean row flagged."""
    with_exit_code(lambda: _run(json_file, rows, rounds))


def _run(json_file: Path | None, rows: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        asked, documents = list(queries(place)), list(orders(ORDERS, SEED, schemas=5))
        found: dict[str, Any] = {
            "clean": {"queries": clean(place, asked, QUERIES), "orders": clean(place, documents, DOCUMENTS)},
            "faults": {
                "queries": faults(place, asked, MUTATIONS | QUERY_MUTATIONS, ADDITIONS | QUERY_ADDITIONS, QUERIES),
                "orders": faults(place, documents, MUTATIONS | ORDER_MUTATIONS, ADDITIONS, DOCUMENTS),
            },
        }
        cases = throughput(place, "queries", asked, QUERIES, rounds)
        cases += throughput(place, "orders", documents, DOCUMENTS, rounds)
        found["large"] = large(place, rows) if rows else None
    if json_file is not None:
        figures = {"name": "gate", "machine": machine(), "cases": [asdict(case) for case in cases], **found}
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    _judge(found)


def _judge(found: dict[str, Any]) -> None:
    missed = sum(len(each["missed"]) + each["flagged_besides"] for each in found["faults"].values())
    flagged = sum(each["violations"] + each["suspicions"] for each in found["clean"].values())
    if missed or flagged:
        raise RunError(f"{missed} faults missed or rows flagged beside them, {flagged} findings in clean rows")


def queries(folder: Path) -> Iterable[Row]:
    """Rows of the pipeline: 01 to 04 with more requests for each schema than the embedded configuration asks."""
    more = {"positives_per_schema": 40, "per_schema_queries": 40}
    config = folder / "config.json"
    base = str(ROOT / "config" / "embedded.json")
    config.write_text(
        json.dumps({"extends": base, "run": {"outputs_root": str(folder / "out")}, "dataset_generation": more})
    )
    for number in ("01", "02", "03", "04"):
        (script,) = (ROOT / "scripts").glob(f"{number}_*.py")
        subprocess.run([sys.executable, str(script), "--config", str(config)], cwd=ROOT, check=True)
    return read_objects(folder / "out" / "d_04_dataset.jsonl")


def written(path: Path, lines: Iterable[Row | str]) -> Path:
    with path.open("wb") as out:
        out.writelines(line.encode() + b"\n" if isinstance(line, str) else line_of(line) for line in lines)
    return path


def clean(folder: Path, rows: list[Row], options: GateOptions) -> dict[str, Any]:
    """What is flagged in clean rows."""
    report = run_gate([written(folder / "clean.jsonl", rows)], options)
    for finding in [*report.named, *report.suspicions][:5]:
        print(finding.one_line())
    by_kind = dict(report.by_kind)
    figures = {"rows": report.rows, "violations": report.total, "suspicions": len(report.suspicions), "kinds": by_kind}
    print("clean:", figures, flush=True)
    return figures


def faults(folder: Path, rows: list[Row], mutations: Any, additions: Any, options: GateOptions) -> dict[str, Any]:
    """How many of the seeded faults are found at their line and as their kind, by the fault's name."""
    lines, expected = seeded(rows, mutations, additions, EACH, SEED)
    report = run_gate([written(folder / "faults.jsonl", lines)], options)
    flagged: dict[int, set[str]] = {}
    for finding in report.named:
        flagged.setdefault(finding.line, set()).add(finding.kind)
    by_name = Counter(name for line, (name, kind) in expected.items() if kind in flagged.get(line, ()))
    missed = [(line, *each) for line, each in expected.items() if each[1] not in flagged.get(line, ())]
    beside = sorted(flagged.keys() - expected.keys())
    for line in beside[:5]:
        print("flagged beside:", line, flagged[line])
    print(
        f"faults: {len(expected)} of {len({*mutations, *additions})} kinds, {len(missed)} missed",
        missed[:5],
        flush=True,
    )
    return {"faults": len(expected), "found": dict(by_name), "missed": missed, "flagged_besides": len(beside)}


def throughput(folder: Path, name: str, rows: list[Row], options: GateOptions, rounds: int) -> list[Case]:
    """The whole gate beside a loop that reads each row and asks jsonschema alone."""
    path = written(folder / "clean.jsonl", rows)

    def plain() -> float:
        with path.open("rb") as lines:
            checked = (json.loads(line) for line in lines)
            validated = (
                jsonschema.Draft202012Validator(row["schema_json"]).iter_errors(row["ast_json"]) for row in checked
            )
            return float(sum(any(True for _ in errors) for errors in validated))

    def ours() -> float:
        return float(len({finding.line for finding in run_gate([path], options).named}))

    rivals = [Rival("ordinary", "json.loads and jsonschema, schema validity alone", Work(plain, len(rows)))]
    return compare(f"gate of {len(rows)} rows of {name}", Work(ours, len(rows)), rivals, rounds, headline=True)


def large(folder: Path, count: int) -> dict[str, Any]:
    """Seconds and peak memory (MiB) of the gate on so many orders under 50 schemas."""
    path = written(folder / "large.jsonl", islice(orders(count, SEED, schemas=50), count))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        figures = pool.apply(_timed, (path,))
    print("large:", figures, flush=True)
    return figures


def _timed(path: Path) -> dict[str, Any]:
    started, used = time.monotonic(), time.process_time()
    report = run_gate([path], GateOptions(near_duplicate_similarity=0.9, max_tokens=4096), quiet=False)
    return {
        "rows": report.rows,
        "violations": report.total,
        "seconds": round(time.monotonic() - started, 1),
        "processor_seconds": round(time.process_time() - used, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "file_mib": path.stat().st_size // 2**20,
    }


if __name__ == "__main__":
    typer.run(main)
