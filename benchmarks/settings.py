"""The arrangements that the benchmarks run (prefix length, rows that share it, how many of them a rival is given time for)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

Dtype = Literal["float32", "bfloat16"]
DTYPES: dict[Dtype, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Kind = Literal["headline", "default", "growth", "tiny"]
ROOT = Path(__file__).parents[1]
TRAINING = json.loads((ROOT / "config/defaults.json").read_text(encoding="utf-8"))["training"]


@dataclass(frozen=True)
class Arrangement:
    """`rows` requests, `share` of them under one schema of `prefix` tokens. Rivals run the first of them, since all of theirs cost the same."""

    kind: Kind
    prefix: int
    rows: int
    share: int
    rounds: int
    ordinary_rows: int
    peer_rows: int

    @property
    def headline(self) -> bool:
        return self.kind == "headline"

    def __str__(self) -> str:
        schemas = "" if self.share == self.rows else f", {self.share} to a schema"
        return f"prefix {self.prefix}, {self.rows} rows{schemas}"


STEP = TRAINING["batch_size"] * TRAINING["grad_accum"]
SHAPE_OF_GEMMA = [
    Arrangement("headline", 1000, 16, 16, 3, 2, 4),
    Arrangement("default", 1000, STEP, TRAINING["rows_per_schema"], 1, 2, 4),
    *(Arrangement("growth", 1000, rows, rows, 1, 1, min(rows, 2)) for rows in (1, 4, 32)),
    *(Arrangement("growth", prefix, 16, 16, 1, 1, 2) for prefix in (250, 2000)),
]
TINY = [Arrangement("tiny", 500, 16, 8, 3, 16, 16), Arrangement("tiny", 1000, 16, 16, 3, 16, 16)]
KINDS: dict[Kind, str] = {
    "headline": "Gemma 3 270M's shape, 16 rows under a schema of 1000 tokens",
    "default": "the default configuration's step",
    "growth": "more and fewer rows, longer and shorter schemas",
    "tiny": "the tiny student",
}


def arrangements(model: str) -> list[Arrangement]:
    """What a model is run on."""
    return TINY if model == "the tiny student" else SHAPE_OF_GEMMA
