"""Base and prompt of an adapter, by the record beside it or by a configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from astudent.asking.trained import how_trained
from astudent.config import load_config
from astudent.errors import UsageError
from astudent.settings import Learning

ROOT = Path(__file__).parents[2]
CONFIG = load_config(ROOT / "config/embedded.json")
PROMPT = CONFIG.prompt.model_dump()


def adapter_in(folder: Path, section: str = "training", **changed: Any) -> Path:
    values = getattr(CONFIG, section).model_dump() | changed.pop("settings", {})
    settings = {f"{section}.{key}": value for key, value in values.items()}
    record = {"stage": "06", "finished": True, "inputs": {}, "settings": settings, "facts": {"prompt": PROMPT}}
    (folder / "run_config.json").write_text(json.dumps(record | changed))
    return folder / "checkpoint-final"


@pytest.mark.parametrize("section", ["training", "alignment"])
def test_the_record_of_either_training_tells(tmp_path: Path, section: str):
    trained = how_trained(adapter_in(tmp_path, section), None)
    configured = getattr(CONFIG, section).model_dump()
    assert trained.learning.model_dump() == {key: configured[key] for key in Learning.annotations()}
    assert trained.prompt == CONFIG.prompt


def test_a_named_configuration_stands_before_the_record(tmp_path: Path):
    adapter = adapter_in(tmp_path, settings={"base_model": "elsewhere"})
    assert how_trained(adapter, None).learning.base_model == "elsewhere"
    assert how_trained(adapter, str(ROOT / "config/embedded.json")).learning == CONFIG.training
    assert how_trained(tmp_path / "no-record" / "x", str(ROOT / "config/embedded.json")).prompt == CONFIG.prompt


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"facts": {}}, "with which prompt"),
        ({"settings": {"modality": "vision"}}, "student of images"),
        ({"settings": {"load_in_4bit": "yes"}}, "learning load_in_4bit"),
        ({"facts": {"prompt": {"instruction": "", "schema_rendering": "json"}}}, "prompt instruction"),
        ({"facts": 3}, "no record of a run"),
    ],
)
def test_a_record_that_does_not_tell_is_one_line(tmp_path: Path, changed: dict[str, Any], says: str):
    with pytest.raises(UsageError, match=says):
        how_trained(adapter_in(tmp_path, **changed), None)


@pytest.mark.parametrize(("text", "says"), [(None, "no such file"), ("{", "no record"), ("[]", "no record")])
def test_a_record_that_cannot_be_read_is_one_line(tmp_path: Path, text: str | None, says: str):
    if text is not None:
        (tmp_path / "run_config.json").write_text(text)
    with pytest.raises(UsageError, match=says) as caught:
        how_trained(tmp_path / "checkpoint-final", None)
    assert "--config" in caught.value.hint
