"""The recipes of the benchmark tasks take their first two steps on random models of their architecture.

What a CPU cannot do is off: 4 bits and bfloat16. All other settings are the recipe's own.
"""

from pathlib import Path

import pytest
from small_tasks import config_of
from tiny_models import make_model, make_tokenizer

from astudent.cli import Options
from astudent.jsonl import read_objects, read_rows, write_atomic
from astudent.records import DatasetRow
from astudent.stages import corpus, dataset, train


@pytest.mark.parametrize(
    ("recipe", "task", "kind"),
    [("mistral-7b-support", "support", "mistral"), ("smollm2-135m-documents", "documents", "smollm2")],
)
def test_the_first_two_steps(recipe: str, task: str, kind: str, tmp_path: Path) -> None:
    make_model(kind, window=4096).save_pretrained(tmp_path / "base")
    make_tokenizer().save_pretrained(tmp_path / "base")
    off = {"load_in_4bit": False, "bf16": False, "base_model": str(tmp_path / "base")}
    few = {"max_steps": 2, "logging_steps": 1}
    config = config_of(task, tmp_path, f"recipes/{recipe}.json", training=off | few)
    dataset.run(config, Options())
    rows = read_rows(config.dataset_generation.dataset_out, DatasetRow)
    # the random model's tokenizer has pieces of one or two characters: only short documents fit its 1,024 tokens
    write_atomic(config.dataset_generation.dataset_out, [row for row in list(rows) if row.grade in (None, "simple")])
    corpus.run(config, Options())
    train.run(config, Options())
    losses = [line["loss"] for line in read_objects(config.report.training_metrics) if "loss" in line]
    assert len(losses) == 2 and all(0 < loss < 100 for loss in losses)
    final = Path(config.training.output_dir) / "checkpoint-final"
    assert (final / "adapter_model.safetensors").is_file()
