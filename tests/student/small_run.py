"""A folder in which the real scripts of stages 06 and 10 run in seconds: a random base, a corpus, pairs, a configuration."""

import json
from pathlib import Path
from typing import Any

from rows_of import make_sources
from tiny_models import completion, make_model, make_tokenizer

from astudent.evaluation.pairs import PairRow
from astudent.jsonl import write_atomic
from astudent.records import CorpusRow, MadeBy
from astudent.student.prompt import render
from astudent.student.supervision import Source

ROOT = Path(__file__).parents[2]
SHARED: dict[str, Any] = {
    "backend": "transformers",
    "use_gradient_checkpointing": False,
    "max_steps": 5,
    "batch_size": 3,
    "grad_accum": 2,
    "rows_per_schema": 3,
    "warmup_steps": 0,
    "logging_steps": 1,
    "save_steps": 3,
}
TRAINING: dict[str, Any] = {
    "lora_r": 4,
    "lora_alpha": 8,
    "learning_rate": 0.01,
    "val_split": 0.3,
    "eval_steps": 2,
    "eval_max_samples": None,
    "generation_eval_steps": 4,
    "generation_eval_samples": 2,
    "generation_eval_max_new_tokens": 4,
}
ALIGNMENT: dict[str, Any] = {"batch_size": 5, "grad_accum": 1, "learning_rate": 0.01, "sft_coef": 0.5, "control": True}


def asked(source: Source) -> dict[str, Any]:
    """What a row of any kind says of its request."""
    names = {"query_id": source.row_id, "schema_id": source.schema_id, "language": "en"}
    return {**names, "schema_json": source.schema_json}


def build(folder: Path) -> None:
    """Base, corpus (three schemas, with repair rows) and pairs (of two schemas)."""
    tokenizer = make_tokenizer()
    make_model("gemma3").save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    made_by = MadeBy(provider="test", model="none")
    corpus = [
        CorpusRow(
            **asked(source),
            query=source.row_id,
            ast_json=json.loads(source.completion),
            kind="repair" if source.is_repair else "plain",
            prompt=str(source.content),
            completion=source.completion,
            made_by=made_by,
        )
        for source in make_sources(schemas=3, each=6, repairs=True)
    ]
    write_atomic(folder / "corpus.jsonl", corpus)
    write_atomic(folder / "training_corpus_metadata.json", '{"verdict": "pass"}\n')
    pairs = [
        PairRow(
            **asked(source),
            prompt=render(tokenizer, str(source.content)),
            chosen=source.completion,
            rejected=completion("rating", 9),
            teacher_reason=None,
        )
        for source in make_sources(schemas=2, each=5)
    ]
    write_atomic(folder / "pairs.jsonl", pairs)


def write_config(folder: Path, out: Path, **changes: Any) -> Path:
    """A configuration whose outputs stand below `out` and whose inputs are those of `folder`; changes are of training."""
    base = {"base_model": str(folder / "base")}
    sections = {
        "extends": str(ROOT / "config" / "embedded.json"),
        "run": {"outputs_root": str(out), "min_free_gb": 0},
        "training": SHARED
        | TRAINING
        | base
        | {"training_corpus": str(folder / "corpus.jsonl"), "output_dir": str(out / "sft")}
        | changes,
        "quality": {"require_pass": False},  # the pairs come from no evaluation
        "alignment": SHARED
        | ALIGNMENT
        | base
        | {
            "pairs_out": str(folder / "pairs.jsonl"),
            "adapter": str(out / "sft" / "checkpoint-final"),
            "output_dir": str(out / "dpo"),
            "control_output_dir": str(out / "control"),
        },
    }
    path = out / "config.json"
    write_atomic(path, json.dumps(sections))
    return path
