"""A served student against a real server: bound answers are valid, cuts are noticed, the memory is given back."""

from pathlib import Path
from typing import Any

import pytest
from real_server import MODEL, ROOT, RealServer

from astudent.asking.students import served
from astudent.config import load_config
from astudent.errors import RunError
from astudent.evaluation.samples import Sample
from astudent.evaluation.served_student import make_served
from astudent.generation import Generation
from astudent.language.serialise import parse_ast
from astudent.language.validation import validator_for
from astudent.records import DatasetRow, MadeBy
from astudent.settings import Config

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"enum": ["open", "closed"]}, "paid": {"type": "boolean"}},
    "required": ["status", "paid"],
    "additionalProperties": False,
}


def samples(number: int) -> list[Sample]:
    made_by = MadeBy(provider="test", model="test")
    fixed: dict[str, Any] = {"schema_id": "s", "domain_id": "s", "language": "en", "schema_json": SCHEMA, "is_valid": True,
             "ast_json": {"status": "open", "paid": True}, "split": "test_unseen", "names": "new",
             "source": "generated", "made_by": made_by}  # fmt: skip
    rows = [DatasetRow(query_id=f"q{place}", query=f"request {place}", **fixed) for place in range(number)]
    return [Sample(row.query_id, "plain", row) for row in rows]


def config_for(server: RealServer, **evaluation: Any) -> Config:
    config = load_config(ROOT / "config/embedded.json")
    asked = {"student_hosts": (server.url,), "max_new_tokens": 32, **evaluation}
    return config.model_copy({"evaluation": config.evaluation.model_copy(asked)})


def test_bound_answers_are_valid_and_free_ones_are_not(server: RealServer):
    asked, config = samples(24), config_for(server)
    before = len(server.chats())
    with make_served(config, f"ollama:{MODEL}", "constrained") as student:
        bound = list(student.answer(asked))
    with make_served(config, f"ollama:{MODEL}", "free") as student:
        free = list(student.answer(asked))
    assert server.chats()[before:] == [200] * 48
    assert not [a.text for a in bound if validator_for(SCHEMA).problems(parse_ast(a.text)[0])]
    # a random model repeats itself without end, which the server breaks off
    assert {a.finish for a in bound} == {"stop"} and "length" in {a.finish for a in free}
    assert all(f"request {place}" in a.prompt_text for place, a in enumerate(bound))
    assert not server.holds(MODEL)


def test_the_same_request_has_the_same_answer_whatever_else_is_asked(server: RealServer):
    asked, config = samples(8), config_for(server, temperature=1.0)
    with make_served(config, f"ollama:{MODEL}", "constrained") as student:
        together = [a.text for a in student.answer(asked)]
        alone = [a.text for sample in asked for a in student.answer([sample])]
    assert together == alone


def test_a_prompt_that_does_not_fit_the_models_own_context_is_noticed(server: RealServer, tmp_path: Path):
    (tmp_path / "Modelfile").write_text(f"FROM {MODEL}\nPARAMETER num_ctx 256\n")
    server.run("create", "narrow", "-f", "Modelfile", cwd=tmp_path)
    prompt = load_config(ROOT / "config/embedded.json").prompt
    with served([server.url], "narrow", prompt, SCHEMA, Generation(32)) as answer:
        assert answer("short").prompt_tokens < 256
        with pytest.raises(RunError, match="cut a prompt to its 256 tokens"):
            answer("long " * 400)
