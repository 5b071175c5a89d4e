"""Role losses of real (tiny, random) models: equal to transformers' own forward, one row at a time; and the command."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from tiny_models import SCHEMA, add_lora, completion, make_model, make_tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, AutoTokenizer

from astudent import analyze
from astudent.command import main
from astudent.errors import RunError, UsageError
from astudent.roles import RoleReport, assign_grammar_roles, token_roles
from astudent.student.prompt import chat_format, render

KINDS = ["gemma3", "qwen2", "llama", "gpt2"]
WITH_BOS = ("gemma3", "qwen2")
EVIL = "<script>alert(1)</script>"
OTHER: dict[str, Any] = {**SCHEMA, "title": "other"}
REQUESTS = ["x", "find it", f"and more {EVIL}", "é" * 9]
ROWS: list[dict[str, Any]] = [
    {
        "prompt": f"Answer.\n{json.dumps(schema)}\n{REQUESTS[i]}" if i or schema is OTHER else "x",
        "target_json": completion("price" if i % 2 else "city", i * 37, f"a {EVIL} é" * (i % 3)),
        "schema_json": schema,
    }
    for schema in (SCHEMA, OTHER)
    for i in range(4)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For each family `KIND` and `KIND-adapter`. Without a BOS the prompt "x" is one token, and shares nothing."""
    made = tmp_path_factory.mktemp("models")
    make_tokenizer().save_pretrained(made / "tokenizer")
    for kind in KINDS:
        tokenizer = AutoTokenizer.from_pretrained(made / "tokenizer")
        if kind in WITH_BOS:
            tokenizer.backend_tokenizer.post_processor = TemplateProcessing("<bos> $A", special_tokens=[("<bos>", 2)])
        tokenizer.save_pretrained(made / kind)
        make_model(kind).save_pretrained(made / kind)
        add_lora(make_model(kind)).save_pretrained(made / f"{kind}-adapter")
    (made / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return made


@torch.no_grad()
def one_by_one(model: Any, tokenizer: Any, rows: list[dict[str, Any]], chat: bool) -> dict[str, tuple[float, int]]:
    """(sum, tokens) of each role, by transformers' forward of single rows and torch's cross entropy."""
    found: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for row in rows:
        if chat:
            prompt = tokenizer(render(tokenizer, row["prompt"]), add_special_tokens=False)["input_ids"]
        else:
            prompt = tokenizer(row["prompt"])["input_ids"]
        answer = tokenizer(row["target_json"], add_special_tokens=False, return_offsets_mapping=True)
        target = answer["input_ids"] + [chat_format(tokenizer).end_of_turn] * chat
        spans = answer["offset_mapping"] + [(0, 0)] * chat
        logits = model(input_ids=torch.tensor([prompt + target])).logits[0, len(prompt) - 1 : -1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(target), reduction="none")
        roles = token_roles(assign_grammar_roles(row["target_json"], row["schema_json"]), spans)
        for role, loss in zip(roles, losses.tolist(), strict=True):
            found[role] = (found[role][0] + loss, found[role][1] + 1)
    return found


def assert_equal(report: RoleReport, name: str, wanted: dict[str, tuple[float, int]]) -> None:
    assert {each.role: each.tokens for each in report.comparisons} == {role: n for role, (_, n) in wanted.items()}
    for each in report.comparisons:
        assert getattr(each, f"{name}_sum") == pytest.approx(wanted[each.role][0], rel=1e-5)


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_equal_to_one_row_at_a_time(folder: Path, kind: str, chat: bool) -> None:
    found = analyze(
        model_name=folder / kind, checkpoint=folder / f"{kind}-adapter", data=ROWS, chat=chat, device="cpu",
        batch_tokens=700, quiet=True,
    )  # fmt: skip
    mode = "full" if kind == "gpt2" else "packs"
    assert found.setup.baseline_by.startswith(mode) and str(found.setup.finetuned_by).startswith(mode)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder / kind), AutoTokenizer.from_pretrained(folder / kind)
    assert_equal(found, "baseline", one_by_one(model, tokenizer, ROWS, chat))
    model = PeftModel.from_pretrained(model, str(folder / f"{kind}-adapter"))
    assert_equal(found, "finetuned", one_by_one(model, tokenizer, ROWS, chat))
    assert found.total.tokens == sum(each.tokens for each in found.comparisons)
    assert found.setup.texts == (
        "8 prompts in the chat template, END scored" if chat else "8 prompts as raw text, END not scored"
    )


def test_rows_of_the_corpus_are_chat_turns(folder: Path) -> None:
    corpus = [{"prompt": r["prompt"], "completion": r["target_json"], "schema_json": r["schema_json"]} for r in ROWS]
    options: dict[str, Any] = {"model_name": folder / "gemma3", "device": "cpu", "quiet": True}
    assert analyze(data=corpus, **options).comparisons == analyze(data=ROWS, chat=True, **options).comparisons
    raw = analyze(data=corpus, chat=False, max_examples=3, **options)
    assert "END" not in {each.role for each in raw.comparisons} and raw.setup.examples == 3


def test_a_whole_model_as_checkpoint(folder: Path, tmp_path: Path) -> None:
    merged = add_lora(make_model("gemma3")).merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    make_tokenizer().save_pretrained(tmp_path / "merged")
    options: dict[str, Any] = {"model_name": folder / "gemma3", "data": ROWS, "device": "cpu", "quiet": True}
    whole = analyze(checkpoint=tmp_path / "merged", **options)
    adapter = analyze(checkpoint=folder / "gemma3-adapter", **options)
    for one, other in zip(whole.comparisons, adapter.comparisons, strict=True):
        assert one.baseline_sum == other.baseline_sum
        assert one.finetuned_sum == pytest.approx(other.finetuned_sum, rel=1e-5)


def test_the_worst_tokens_stand_in_their_answers(folder: Path) -> None:
    found = analyze(model_name=folder / "gpt2", checkpoint=folder / "gpt2-adapter", data=ROWS, device="cpu", quiet=True)
    targets = {f"row {at}": row["target_json"] for at, row in enumerate(ROWS, start=1)}
    for tokens in found.worst.values():
        rises = [token.finetuned_loss - token.baseline_loss for token in tokens if token.finetuned_loss is not None]
        assert rises == sorted(rises, reverse=True) and min(rises) > 0
        assert all(each.before + each.token + each.after in targets[each.where] for each in tokens)
        assert len({each.where for each in tokens}) == len(tokens) <= 5
    end = analyze(model_name=folder / "gpt2", data=ROWS[:1], chat=True, device="cpu", quiet=True).worst["END"]  # type: ignore[index]
    assert [(token.token, token.after, token.finetuned_loss) for token in end] == [("<end_of_turn>", "", None)]


def test_a_text_that_brings_its_own_bos_gets_no_second_one(folder: Path) -> None:
    options: dict[str, Any] = {"model_name": folder / "qwen2", "device": "cpu", "quiet": True}
    own = [row | {"prompt": "<bos>" + row["prompt"]} for row in ROWS]
    assert analyze(data=own, **options).comparisons == analyze(data=ROWS, **options).comparisons


def test_what_does_not_fit_is_one_clear_line(folder: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"data": ROWS, "device": "cpu", "quiet": True}
    with pytest.raises(UsageError, match=r"config\.json is missing"):
        analyze(model_name=tmp_path, **options)
    with pytest.raises(UsageError, match="neither an adapter nor a model"):
        analyze(model_name=folder / "qwen2", checkpoint=tmp_path, **options)
    with pytest.raises(UsageError, match="adapter does not fit"):
        analyze(model_name=folder / "gpt2", checkpoint=folder / "gemma3-adapter", **options)
    add_lora(make_model("qwen2", layers=4)).save_pretrained(tmp_path / "deeper")
    with pytest.raises(UsageError, match="14 of its matrices have no counterpart"):
        analyze(model_name=folder / "qwen2", checkpoint=tmp_path / "deeper", **options)
    with pytest.raises(UsageError, match="device nowhere"):
        analyze(**{**options, "model_name": folder / "qwen2", "device": "nowhere"})
    with pytest.raises(RunError, match=r"row 1: \d+ tokens, and baseline reads 1024"):
        analyze(**{**options, "model_name": folder / "gpt2", "data": [ROWS[0] | {"prompt": "#" * 1100}]})


def test_a_whole_model_with_other_tokens_is_refused(folder: Path, tmp_path: Path) -> None:
    make_model("qwen2").save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder / "qwen2")
    tokens = json.loads(tokenizer.backend_tokenizer.to_str())
    vocabulary = tokens["model"]["vocab"]
    vocabulary["!"], vocabulary["#"] = vocabulary["#"], vocabulary["!"]
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokens))
    with pytest.raises(UsageError, match="2 tokens of the base have another id there"):
        analyze(model_name=folder / "qwen2", checkpoint=tmp_path, data=ROWS, device="cpu", quiet=True)


def command(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    """The exit code of `astudent analyze`."""
    monkeypatch.setattr(sys, "argv", ["astudent", "analyze", "--device", "cpu", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_the_command(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    inputs = ["--model", folder / "qwen2", "--data", folder / "rows.jsonl"]
    files = ["--output", tmp_path / "r.json", "--html", tmp_path / "r.html"]
    assert command(monkeypatch, *inputs, "--checkpoint", folder / "qwen2-adapter", "--threshold", "1000", *files) == 0
    assert "No role regressed by more than 1000%." in capsys.readouterr().out
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["examples"] == 8 and found["regressions"] == [] and found["threshold_pct"] == 1000
    assert {"role", "tokens", "baseline_loss", "finetuned_loss", "change_pct", "status"} <= set(found["comparisons"][0])
    page = (tmp_path / "r.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page

    assert command(monkeypatch, *inputs, "--checkpoint", folder / "qwen2-adapter", "--threshold", "0", "--quiet") == 1
    told = capsys.readouterr()
    assert told.out == "" and "error: regressed by more than 0%: " in told.err
    assert command(monkeypatch, *inputs[2:]) == 2
    assert command(monkeypatch, *inputs, "--checkpoint", tmp_path) == 2
    assert "neither an adapter nor a model" in capsys.readouterr().err
