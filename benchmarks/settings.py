"""The arrangements that the benchmarks run (prefix length, rows that share it, how many of them a rival is given time for)."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
HEADLINE = (1000, 16, 16)
ROOT = Path(__file__).parents[1]
TRAINING = json.loads((ROOT / "config/defaults.json").read_text(encoding="utf-8"))["training"]


@dataclass(frozen=True)
class Arrangement:
    """`rows` requests, `share` of them under one schema of `prefix` tokens. Rivals run the first of them, since all of theirs cost the same."""

    prefix: int
    rows: int
    share: int
    rounds: int
    ordinary_rows: int
    peer_rows: int

    @property
    def headline(self) -> bool:
        return (self.prefix, self.rows, self.share) == HEADLINE

    def __str__(self) -> str:
        schemas = "" if self.share == self.rows else f", {self.share} to a schema"
        return f"prefix {self.prefix}, {self.rows} rows{schemas}"


def arrangements(model: str) -> list[Arrangement]:
    """The headline, the default configuration's step, growth in rows and in prefix; for the tiny student what the embedded run has."""
    if model == "the tiny student":
        return [Arrangement(500, 16, 8, 5, 16, 16), Arrangement(1000, 16, 16, 5, 16, 16)]
    a_step = (1000, TRAINING["batch_size"] * TRAINING["grad_accum"], TRAINING["rows_per_schema"])
    growth = [a_step, (1000, 1, 1), (1000, 4, 4), (1000, 32, 32), (250, 16, 16), (2000, 16, 16)]
    grown = [Arrangement(prefix, rows, same, 1, 1, min(rows, 2)) for prefix, rows, same in growth]
    return [Arrangement(*HEADLINE, 3, 2, 4), *grown]
