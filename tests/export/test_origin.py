"""Where an adapter comes from, by its own files and its run's record; what they do not say is never guessed."""

import json
from pathlib import Path
from typing import Any

import pytest

from astudent.config import load_config
from astudent.errors import UsageError
from astudent.export.origin import origin_of
from astudent.stage import record_path

CONFIG = load_config(Path(__file__).parents[2] / "config/embedded.json")
PROMPT = {"instruction": "Réponds.", "schema_rendering": "json"}


def adapter_in(run: Path, about: dict[str, Any] | None = None) -> Path:
    adapter = run / "checkpoint-final"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "hub/base", "revision": "r1"}')
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (adapter / "astudent.json").write_text(json.dumps({"base_sha256": "b" * 64} | (about or {})))
    return adapter


def recorded(run: Path, section: str = "training", prompt: Any = PROMPT, **settings: Any) -> None:
    told = {"base_model": "hub/base", "load_in_4bit": False, "bf16": False} | settings
    named = {f"{section}.{key}": value for key, value in told.items()}
    facts = {"prompt": prompt} if prompt else {}
    record_path(run).write_text(json.dumps({"settings": named, "facts": facts}))


def test_without_record_and_configuration_the_prompt_is_not_guessed(tmp_path: Path):
    adapter = adapter_in(tmp_path)
    with pytest.raises(UsageError, match="with which prompt") as caught:
        origin_of(adapter, None, None)
    assert "--config" in caught.value.hint
    assert origin_of(adapter, None, CONFIG).prompt == CONFIG.prompt


def test_a_run_that_did_not_finish_has_no_prompt(tmp_path: Path):
    adapter = adapter_in(tmp_path)
    recorded(tmp_path, prompt=None)
    with pytest.raises(UsageError, match="with which prompt"):
        origin_of(adapter, None, None)


@pytest.mark.parametrize("way", ["point", "link"])
def test_the_record_beside_the_adapter_itself_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str):
    adapter = adapter_in(tmp_path / "run")
    recorded(tmp_path / "run")
    (tmp_path / "link").symlink_to(adapter)
    monkeypatch.chdir(adapter)
    origin = origin_of(Path(".") if way == "point" else tmp_path / "link", None, None)
    assert origin.prompt.model_dump() == PROMPT and origin.adapter == adapter


@pytest.mark.parametrize("text", ["{", "[]", '{"settings": 3, "facts": {}}'])
def test_a_broken_record_is_one_line(tmp_path: Path, text: str):
    adapter = adapter_in(tmp_path)
    record_path(tmp_path).write_text(text)
    with pytest.raises(UsageError, match="no record of a run"):
        origin_of(adapter, None, CONFIG)


@pytest.mark.parametrize("prompt", [3, {"instruction": ""}, {"instruction": "a", "schema_rendering": "b"}])
def test_a_broken_prompt_is_one_line(tmp_path: Path, prompt: Any):
    adapter = adapter_in(tmp_path)
    recorded(tmp_path, prompt=prompt)
    with pytest.raises(UsageError, match="prompt"):
        origin_of(adapter, None, None)


@pytest.mark.parametrize("name", ["astudent.json", "adapter_config.json"])
@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_file_of_the_adapter_is_one_line(tmp_path: Path, name: str, text: str):
    (adapter_in(tmp_path) / name).write_text(text)
    with pytest.raises(UsageError, match=name):
        origin_of(tmp_path / "checkpoint-final", None, CONFIG)


def test_another_place_of_the_base_keeps_its_identity_and_drops_the_revision(tmp_path: Path):
    adapter = adapter_in(tmp_path)
    recorded(tmp_path, base_revision="r2")
    assert origin_of(adapter, None, None).revision == "r2"
    elsewhere = origin_of(adapter, "/models/base", None)
    assert (elsewhere.base, elsewhere.revision, elsewhere.base_sha256) == ("/models/base", None, "b" * 64)
    assert elsewhere.why_base_unchecked is None


@pytest.mark.parametrize(("settings", "why"), [({"load_in_4bit": True}, "4 bits"), ({"bf16": True}, "bfloat16")])
def test_an_identity_of_few_bits_says_nothing(tmp_path: Path, settings: dict[str, Any], why: str):
    adapter = adapter_in(tmp_path)
    recorded(tmp_path, **settings)
    assert why in (origin_of(adapter, None, None).why_base_unchecked or "")


@pytest.mark.parametrize("section", ["training", "alignment"])
def test_a_student_of_images_is_refused_by_name(tmp_path: Path, section: str):
    adapter = adapter_in(tmp_path)
    recorded(tmp_path, section, modality="vision")
    with pytest.raises(UsageError, match="student of images"):
        origin_of(adapter, None, None)


@pytest.mark.parametrize(("sft", "known"), [(True, True), (False, False), (None, None)])
def test_an_aligned_adapter_has_what_its_sft_had(tmp_path: Path, sft: bool | None, known: bool | None):
    before = adapter_in(tmp_path / "sft")
    if sft is not None:
        recorded(tmp_path / "sft", load_in_4bit=sft)
    adapter = adapter_in(tmp_path / "dpo", {"sft_adapter": str(before)})
    recorded(tmp_path / "dpo", "alignment")
    assert origin_of(adapter, None, None).trained_in_4bit is known
