"""What the trainers ask of the corpus before they read it."""

import json

import pytest

from astudent.errors import RunError
from astudent.student.rows import gate_verdict


def test_a_corpus_that_failed_the_gate_is_refused_unless_told_otherwise(tmp_path, capsys):
    corpus = tmp_path / "corpus.jsonl"
    (tmp_path / "training_corpus_metadata.json").write_text(json.dumps({"verdict": "fail"}))
    with pytest.raises(RunError, match="gate says fail"):
        gate_verdict(corpus, required=True)
    assert gate_verdict(corpus, required=False) == "fail"
    assert "gate says fail" in capsys.readouterr().err
