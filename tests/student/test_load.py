"""What cannot be loaded, or cannot run here, is one clear line."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import make_model, make_tokenizer

from astudent.config import load_config
from astudent.errors import UsageError
from astudent.student.load import identity_of_base, load_student, load_tokenizer

SETTINGS = load_config("config/embedded.json").training


def with_base(base: Path | str, **changes: Any) -> Any:
    return SETTINGS.model_copy(update={"base_model": str(base)} | changes)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    make_model("llama").save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


def test_a_local_base_of_another_family(base: Path) -> None:
    student = load_student(with_base(base))
    assert student.backend == ("unsloth" if torch.cuda.is_available() else "transformers")
    assert student.can_pack and not any(p.requires_grad for p in student.model.parameters())
    assert identity_of_base(student.model) == identity_of_base(load_student(with_base(base), trainable=True).model)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what a machine without a GPU cannot do")
@pytest.mark.parametrize("asked", [{"load_in_4bit": True}, {"bf16": True}, {"backend": "unsloth"}])
def test_what_a_cpu_cannot_do(base: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(asked.values())) if "backend" in asked else next(iter(asked))):
        load_student(with_base(base, **asked))


def test_folders_without_what_they_should_hold(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json is missing"):
        load_student(with_base(tmp_path))
    with pytest.raises(UsageError, match=r"adapter_config\.json is missing"):
        load_student(with_base(base), tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError):
        load_tokenizer(str(tmp_path))


def test_hub_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match=r"local cache|neither a folder"):
        load_student(with_base("nobody/nothing"))
