from pathlib import Path

import pytest

from astudent.errors import UsageError
from astudent.teacher.model_id import resolve_model_id


def test_the_flag_stands_before_the_environment_before_the_file_before_the_configuration(tmp_path: Path):
    (tmp_path / ".llmrc").write_text("from-file:1\n")
    environment = {"LLM_MODEL": "from-env:1"}
    flagged = resolve_model_id("flag:1", "default:1", environment=environment, folder=tmp_path)
    assert (flagged.name, flagged.source, flagged.is_named) == ("flag:1", "--model", True)
    assert resolve_model_id(None, "default:1", environment=environment, folder=tmp_path).name == "from-env:1"
    assert resolve_model_id(None, "default:1", environment={}, folder=tmp_path).name == "from-file:1"
    last = resolve_model_id(None, "default:1", environment={"LLM_MODEL": " "}, folder=tmp_path / "nowhere")
    assert (last.name, last.is_named) == ("default:1", False)


def test_a_file_of_two_lines_is_refused(tmp_path: Path):
    (tmp_path / ".llmrc").write_text("one\ntwo\n")
    with pytest.raises(UsageError, match="2 lines"):
        resolve_model_id(None, "default:1", environment={}, folder=tmp_path)


def test_a_name_with_a_space_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="LLM_MODEL"):
        resolve_model_id(None, "default:1", environment={"LLM_MODEL": "two words"}, folder=tmp_path)
