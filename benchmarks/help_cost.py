"""CPU of `--help` of each stage against importing typer and pydantic, in turn: .venv/bin/python benchmarks/help_cost.py --json FILE"""

import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from measure import Case, line, machine, write
from settings import ROOT


def cpu_seconds(*arguments: str) -> float:
    """User CPU seconds of one start of Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def case(script: Path, repeats: int) -> Case:
    pairs = [(cpu_seconds(str(script), "--help"), cpu_seconds("-c", "import typer, pydantic")) for _ in range(repeats)]
    ours, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(theirs / mine for mine, theirs in pairs)
    return Case(
        case=f"{script.name} --help against `import typer, pydantic`",
        ours_s=ours,
        other="ordinary",
        other_s=other,
        ratio=other / ours,
        ratio_range=(ratios[0], ratios[-1]),
        memory_ours=None,
        memory_other=None,
        exact=None,
        headline=False,
    )


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
    repeats: Annotated[int, typer.Option(help="Pairs of starts for each script.")] = 7,
) -> None:
    """Measure and print; below 1 a stage costs more than the imports alone."""
    cases = [case(script, repeats) for script in sorted((ROOT / "scripts").glob("[01]*_*.py"))]
    for found in cases:
        print(line(found))
    write(json_file, "help_cost", machine(), cases)


if __name__ == "__main__":
    typer.run(main)
