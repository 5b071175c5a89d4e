"""Stages 01 to 05 with an Ollama teacher, against a stand-in for the server that errs at times."""

import json
import random
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from astudent.cli import Options
from astudent.config import load_config
from astudent.language.sampling import sample_ast
from astudent.language.serialise import dumps
from astudent.language.validation import validator_for
from astudent.language.vocabulary import read_vocabulary

ROOT = Path(__file__).parents[2]


class Model:
    """Answers the jobs of the data stages by the `format` that it is sent; every fifth first reply is broken."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls += 1
        schema, rng = body["format"], random.Random(body["options"]["seed"])
        if self.calls % 5 == 0 and "cannot be used" not in body["messages"][0]["content"]:
            text = '{"limit": "many"'
        elif "examples" in schema["properties"]:
            text = json.dumps(self._spec(schema["properties"]["examples"]["minItems"], rng))
        elif "queries" in schema["properties"]:
            text = json.dumps({"queries": self._queries(body["messages"][0]["content"], rng)})
        else:
            text = dumps(sample_ast(read_vocabulary(schema), rng))
        message = {"role": "assistant", "content": text}
        return 200, {"model": "tiny", "message": message, "done": True, "done_reason": "stop", "prompt_eval_count": 9}

    def _spec(self, examples: int, rng: random.Random) -> dict[str, Any]:
        fields: list[dict[str, Any]] = [
            {"name": f"{name}_{rng.randrange(9)}", "type": kind, "label_en": name, "label_fr": name}
            for name, kind in [("price", "number"), ("stock", "integer"), ("city", "string"), ("sold", "boolean")]
        ]
        values = [{"value": value, "label_en": value, "label_fr": value} for value in ("open", "paid", "late")]
        fields.append({"name": "status", "type": "enum", "label_en": "status", "label_fr": "statut", "values": values})
        asked = [{"language": "en", "query": f"request {rng.random()}"} for _ in range(examples)]
        return {"domain": "shop", "entity_en": "orders", "entity_fr": "commandes", "fields": fields, "examples": asked}

    def _queries(self, prompt: str, rng: random.Random) -> list[dict[str, str]]:
        plan = next(line for line in prompt.splitlines() if line.startswith('["'))
        return [{"language": entry[:2], "query": f"request {rng.random()}"} for entry in json.loads(plan)]


@pytest.fixture
def config_at(pipeline: SimpleNamespace, tmp_path: Path) -> Any:
    def config(url: str, folder: str = "run") -> Any:
        path = pipeline.write_config(tmp_path / folder, max_domains=3, schemas_per_domain=1, positives_per_schema=6)
        teacher = {"provider": "ollama", "model": "tiny", "hosts": [url], "think": None}
        teacher = {f"teacher.{key}": value for key, value in teacher.items()}
        teacher["teacher.cache_path"] = str(tmp_path / "cache.sqlite")
        return load_config(path, teacher)

    return config


def test_every_row_of_an_erring_model_is_valid_and_says_who_made_it(
    pipeline: SimpleNamespace, ollama: SimpleNamespace, config_at: Any
):
    with ollama.serving(Model()) as server:
        config = config_at(server.url)
        pipeline.run(config)
        calls = len(server.chats)
        pipeline.run(config)
        assert len(server.chats) == calls
    data = pipeline.rows(config.dataset_generation.dataset_out)
    positives = [row for row in data if row["is_valid"]]
    assert len(positives) == 18
    assert all(not validator_for(row["schema_json"]).problems(row["ast_json"]) for row in positives)
    assert {row["made_by"]["provider"] for row in positives} == {"ollama"}
    assert {row["made_by"]["digest"] for row in positives} == {"digest-of-tiny:latest"}
    assert pipeline.rows(config.dataset_generation.training_corpus_out)


def test_an_answer_is_never_asked_for_twice_after_a_break(
    pipeline: SimpleNamespace, ollama: SimpleNamespace, config_at: Any
):
    model, allowed = Model(), [14]

    paid: list[str] = []

    def breaking(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        allowed[0] -= 1
        if allowed[0] <= 0:
            return ollama.error(404, "model 'tiny' not found")
        paid.append(json.dumps(body))
        return model(body)

    with ollama.serving(breaking) as server:
        config = config_at(server.url)
        for stage in ("domain_specs", "schemas", "queries"):
            pipeline.run(config, stage)
        allowed[0] = 6
        with pytest.raises(Exception, match="is not on"):
            pipeline.run(config, "dataset")
        allowed[0] = 1000
        pipeline.run(config, "dataset")
    repeated = [body for body in set(paid) if paid.count(body) > 1]
    assert len(repeated) <= config.teacher.max_in_flight  # what was under way when the first was refused


def test_what_failed_stands_beside_with_its_reply(pipeline: SimpleNamespace, ollama: SimpleNamespace, config_at: Any):
    model = Model()

    def half_wrong(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        prompt = body["messages"][0]["content"]
        spoilt = "variant number 1" in prompt and "examples" in body["format"]["properties"] and len(spoilt_domains) < 2
        if spoilt or prompt.startswith(tuple(spoilt_domains)):
            spoilt_domains.add(prompt)
            return ollama.reply("I would rather not.")
        return model(body)

    spoilt_domains: set[str] = set()
    with ollama.serving(half_wrong) as server:
        config = config_at(server.url)
        pipeline.run(config, "domain_specs")
    out = Path(config.dataset_generation.schema_specs_out)
    (first, second) = pipeline.rows(out.with_suffix(".failures.jsonl"))
    assert first["raw"] == second["raw"] == "I would rather not." and first["problem"]
    assert len(pipeline.rows(out)) == 1


@pytest.mark.parametrize("stage", ["domain_specs", "queries", "dataset"])
def test_a_dry_run_shows_the_prompt_and_asks_nobody(
    pipeline: SimpleNamespace, config_at: Any, capsys: pytest.CaptureFixture[str], stage: str
):
    embedded = config_at("http://127.0.0.1:9")
    embedded = load_config(Path(embedded.run.outputs_root).parent / "config.json")
    pipeline.run(embedded, "domain_specs", "schemas", "queries")
    before = {path: path.read_bytes() for path in Path(embedded.run.outputs_root).rglob("*") if path.is_file()}
    capsys.readouterr()
    import_module(f"astudent.stages.{stage}").run(config_at("http://127.0.0.1:9"), Options(dry_run=True))
    said = capsys.readouterr().out
    assert ("dry run, nothing is asked" in said and "END OF SCHEMA" in said) or stage == "domain_specs"
    assert "calls to tiny" in said and "how long a reply takes is not known" in said
    assert before == {path: path.read_bytes() for path in Path(embedded.run.outputs_root).rglob("*") if path.is_file()}
