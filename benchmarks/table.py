"""One table of what the benchmarks left in a folder: .venv/bin/python benchmarks/table.py FOLDER"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

HEADER = ("case", "ratio", "range", "ours", "other", "MB a row, ours / other", "results differ by")


def row(case: dict[str, Any]) -> list[str]:
    low, high = case["ratio_range"]
    memory = "" if case["memory_ours"] is None else f"{case['memory_ours']:.0f} / {case['memory_other']:.0f}"
    name = f"{case['case']} ({case['other'].replace('_', ' ')})"
    return [
        f"**{name}**" if case["headline"] else name,
        f"{case['ratio']:.1f}x",
        f"{low:.1f}-{high:.1f}",
        f"{case['ours_s']:.2f} s",
        f"{case['other_s']:.2f} s",
        memory,
        "" if case["exact"] is None else f"{case['exact']:.0e}",
    ]


def main(folder: Annotated[Path, typer.Argument(help="Where the benchmarks put their JSON.")]) -> None:
    """A Markdown table; headlines (prefix 1000, 16 rows) stand out."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    for benchmark in found:
        print(f"{benchmark['name']}: {benchmark['machine']}")
    print()
    for line in (HEADER, ["---"] * len(HEADER), *(row(case) for benchmark in found for case in benchmark["cases"])):
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    typer.run(main)
