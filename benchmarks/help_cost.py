"""CPU of `--help` of each stage against importing typer and pydantic, in turn: .venv/bin/python benchmarks/help_cost.py --json FILE"""

import json
import platform
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).parents[1]


def cpu_seconds(*arguments: str) -> float:
    """User CPU seconds of one start of Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def case(script: Path, repeats: int) -> dict[str, object]:
    pairs = [(cpu_seconds(str(script), "--help"), cpu_seconds("-c", "import typer, pydantic")) for _ in range(repeats)]
    ours, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(mine / theirs for mine, theirs in pairs)
    return {
        "case": f"{script.name} --help against `import typer, pydantic`",
        "ours_s": ours,
        "other": "ordinary",
        "other_s": other,
        "ratio": ours / other,
        "ratio_range": [ratios[0], ratios[-1]],
        "memory_ours": None,
        "memory_other": None,
        "exact": None,
        "headline": False,
    }


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
    repeats: Annotated[int, typer.Option(help="Pairs of starts for each script.")] = 7,
) -> None:
    """Measure and print; the ratio is ours by theirs, so smaller is better."""
    cases = [case(script, repeats) for script in sorted((ROOT / "scripts").glob("[01]*_*.py"))]
    for found in cases:
        print(f"{found['ratio']:.2f}  {found['case']}")
    if json_file:
        json_file.write_text(json.dumps({"name": "help_cost", "machine": platform.machine(), "cases": cases}, indent=2))


if __name__ == "__main__":
    typer.run(main)
