"""An export answers as its adapter does, and each of the known faults is found and named."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from exported import (
    ANSWER,
    IN_GGUF,
    PROMPTS,
    WINDOW,
    copied,
    exported,
    leave_unmerged,
    read_json,
    rewritten,
    settings,
    verified,
)
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from astudent.command import app
from astudent.errors import UsageError
from astudent.export.gguf_file import read
from astudent.export.held_out import Prompt
from astudent.export.origin import origin_of
from astudent.export.package import Package
from astudent.export.proof import Outcome
from astudent.export.served import Reply
from astudent.export.verify import Verification
from astudent.export.write import WINDOW_SHIFT, Wish, export, refuse_other_base
from astudent.jsonl import write_atomic
from astudent.prompt import prompt_of_keys
from astudent.records import DatasetRow
from astudent.student.export_ways import Known, _compared
from astudent.student.merging import load_unmerged
from astudent.student.token_scores import TokenScores


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Verification:
    return exported(tmp_path_factory.mktemp("export"))


def test_a_right_export_answers_as_its_adapter(right: Verification):
    proof = verified(right)
    assert proof.failures == [] and list(proof.causes) == []
    assert [way.name for way in proof.ways] == ["adapter (reference)", "merged fp32", "GGUF F16"]
    assert all(way.figures["prompts"] == PROMPTS for way in proof.ways)
    assert {"one token", "long", "beyond the window", "accents"} <= proof.as_json()["prompts"].keys()
    assert 1024 >= proof.as_json()["longest_prompt"] > 800 > WINDOW


def test_the_merged_weights_are_base_and_adapter(right: Verification):
    weights = load_file(right.package.merged("fp32") / "model.safetensors")
    base = load_file(Path(right.origin.base) / "model.safetensors")
    adapter = load_file(right.origin.adapter / "adapter_model.safetensors")
    name = "model.layers.3.self_attn.q_proj"
    low, up = (adapter[f"base_model.model.{name}.lora_{part}.weight"] for part in "AB")
    assert torch.allclose(weights[f"{name}.weight"], base[f"{name}.weight"] + 2 * up @ low, atol=1e-5)
    halves = load_file(right.package.merged("bf16") / "model.safetensors")
    assert halves.keys() == weights.keys()
    assert all(torch.equal(halves[name], weight.bfloat16()) for name, weight in weights.items())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_folder_loads_and_tells_no_path_of_this_machine(right: Verification, precision: str):
    folder = right.package.merged(precision)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert str(model.dtype) == {"fp32": "torch.float32", "bf16": "torch.bfloat16"}[precision]
    told = read_json(folder / "tokenizer_config.json")
    assert told["bos_token"] == "<bos>" and told["eos_token"] == "<eos>" and told["add_bos_token"] is True
    assert read_json(folder / "config.json")["rope_local_base_freq"] == 100.0
    assert len(AutoTokenizer.from_pretrained(folder)) == 2048 and (folder / "tokenizer.model").is_file()
    secret = str(Path(right.origin.base).parent).encode()
    assert not [path for path in right.package.folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_each_gguf_says_the_prompt_of_the_training(right: Verification):
    for path in right.package.folder.rglob("*.gguf"):
        assert prompt_of_keys(read(path).keys) == right.origin.prompt


def test_the_prompt_of_the_run_stands_before_the_configuration(right: Verification, tmp_path: Path):
    adapter = shutil.copytree(right.origin.adapter, tmp_path / "run" / "checkpoint-final")
    prompt = {"instruction": "Réponds.", "schema_rendering": "json"}
    (tmp_path / "run" / "run_config.json").write_text(json.dumps({"settings": {}, "facts": {"prompt": prompt}}))
    origin = origin_of(adapter, right.origin.base, right.config)
    assert origin.prompt.model_dump() == prompt != right.origin.prompt.model_dump()


def test_the_card_and_the_record_name_the_adapter_by_its_hash(right: Verification):
    assert right.record.adapter_sha256 in (right.package.folder / "README.md").read_text()
    assert read_json(right.package.record)["adapter_sha256"] == right.record.adapter_sha256
    assert right.record.base_model == "base"


def test_the_same_again_writes_nothing_and_another_context_everything(right: Verification, tmp_path: Path, capsys):
    package = right.package
    before = package.gguf("f16").stat().st_mtime_ns
    export(Wish(right.origin, package.folder))
    assert "nothing to do" in capsys.readouterr().out and package.gguf("f16").stat().st_mtime_ns == before
    again = Package(shutil.copytree(package.folder, tmp_path / "out"))
    assert export(Wish(right.origin, again.folder, num_ctx=600)).num_ctx == 600
    assert "PARAMETER num_ctx 600" in again.modelfile.read_text() and again.gguf("f16").stat().st_mtime_ns != before


def test_a_changed_file_is_written_anew_or_kept_for_the_proof(right: Verification, tmp_path: Path, capsys):
    package = copied(right, tmp_path / "out").package
    package.modelfile.write_text("FROM nowhere")
    export(Wish(right.origin, package.folder, keeps_changed=True))
    assert package.modelfile.read_text() == "FROM nowhere"
    export(Wish(right.origin, package.folder))
    assert "ollama/Modelfile is not as it was written" in capsys.readouterr().out
    assert package.modelfile.read_text() == right.package.modelfile.read_text()


@pytest.mark.parametrize("fault", IN_GGUF)
def test_a_fault_of_the_gguf_is_found_and_named(right: Verification, tmp_path: Path, fault: str):
    damaged = copied(right, tmp_path / "out")
    change, shift, cause = IN_GGUF[fault]
    rewritten(damaged, damaged.package.gguf("f16"), change, shift)
    proof = verified(damaged)
    assert any(text.startswith("GGUF F16") for text in proof.failures), proof.as_table()
    assert any(text.startswith(f"model-f16.gguf: {cause}") for text in proof.causes), proof.causes


def test_one_newline_more_in_the_template_is_found_and_named(right: Verification, tmp_path: Path):
    damaged = copied(right, tmp_path / "out")
    template = damaged.package.merged("fp32") / "chat_template.jinja"
    template.write_text(template.read_text().replace("<start_of_turn>model\n", "<start_of_turn>model\n\n"))
    proof = verified(damaged)
    assert any(text == f"merged fp32: {PROMPTS} of {PROMPTS} prompts have other tokens" for text in proof.failures)
    assert any("another template than training's" in cause and "+1 newlines" in cause for cause in proof.causes)


def test_an_adapter_that_was_not_merged_is_found_and_named(right: Verification, tmp_path: Path):
    damaged = copied(right, tmp_path / "out")
    leave_unmerged(damaged, damaged.package.gguf("f16"))
    proof = verified(damaged)
    assert {text.partition(":")[0] for text in proof.failures} == {"merged fp32", "GGUF F16"}
    assert sum("adapter not merged" in cause for cause in proof.causes) == 2


@pytest.fixture(scope="module")
def other_pattern(tmp_path_factory: pytest.TempPathFactory) -> Verification:
    kinds = ["full_attention" if place % 3 == 2 else "sliding_attention" for place in range(6)]
    return exported(tmp_path_factory.mktemp("pattern"), kinds)


def test_a_model_with_another_pattern_of_layers_gets_no_gguf(other_pattern: Verification):
    assert not other_pattern.package.gguf("f16").exists() and not other_pattern.package.modelfile.exists()
    assert "not every sixth" in other_pattern.record.notes[-1]
    assert verified(other_pattern).failures == []


def test_a_gguf_of_another_pattern_of_layers_is_found_and_named(other_pattern: Verification, tmp_path: Path):
    damaged = copied(other_pattern, tmp_path / "out")
    rewritten(damaged, damaged.package.gguf("f16"), lambda contents: contents)
    proof = verified(damaged)
    assert any(text.startswith("GGUF F16") for text in proof.failures)
    assert any("global layers are not every sixth" in cause for cause in proof.causes)


def test_the_command_exits_with_1_where_a_file_was_damaged(right: Verification, tmp_path: Path):
    damaged = copied(right, tmp_path / "out")
    (tmp_path / "config.json").write_text(
        '{"extends": "%s", "evaluation": {"dataset": "none.jsonl", "max_new_tokens": 4}}'
        % (Path(__file__).parents[2] / "config/embedded.json")
    )
    flags = ["export", "--adapter", str(right.origin.adapter), "--out-dir", str(damaged.package.folder)]
    flags += ["--verify", "--prompts", "4", "--config", str(tmp_path / "config.json")]
    good = CliRunner().invoke(app, flags)
    assert good.exit_code == 0 and "GGUF F16" in good.stdout, good.output
    assert read_json(damaged.package.folder / "verify.json")["verdict"] == "pass"
    within = CliRunner().invoke(app, [*flags, "--json", str(damaged.package.folder / "proof.json")])
    assert within.exit_code == 2 and "in the folder of the export" in within.output
    rewritten(damaged, damaged.package.gguf("f16"), IN_GGUF["RoPE bases lost"][0])
    bad = CliRunner().invoke(app, flags)
    assert bad.exit_code == 1 and "cause: model-f16.gguf: RoPE base lost" in bad.stdout
    assert read_json(damaged.package.folder / "verify.json")["verdict"] == "fail"


def test_a_base_that_the_adapter_was_not_trained_on_is_refused(right: Verification, tmp_path: Path):
    origin = right.origin
    told = replace(origin, base_sha256="0" * 64, trained_in_4bit=False, trained_in_bf16=False)
    with pytest.raises(UsageError, match="is not the base that"):
        export(Wish(told, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_never_replaced(right: Verification, tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match=r"something else than an export, such as thesis\.txt"):
        export(Wish(right.origin, tmp_path))
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_folder_without_adapter_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="no adapter there"):
        origin_of(tmp_path, None, settings(tmp_path))


def test_an_adapter_trained_in_4_bits_says_so_in_card_and_record(right: Verification, tmp_path: Path):
    origin = right.origin
    told = replace(origin, trained_in_4bit=True, trained_in_bf16=True)
    record = export(Wish(told, tmp_path / "out"))
    assert any("4 bits and is merged into the base in full precision" in note for note in record.notes)
    assert "yes; merged into the base in full precision" in (tmp_path / "out" / "README.md").read_text()


def test_q8_0_quantises_what_it_can(right: Verification, tmp_path: Path):
    record = export(Wish(right.origin, tmp_path / "out", quantize="q8_0"))
    package = Package(tmp_path / "out")
    assert package.gguf("q8_0").stat().st_size < 0.7 * package.gguf("f16").stat().st_size
    proof = verified(Verification(package, record, right.origin, right.config, count=4))
    eight = next(way for way in proof.ways if way.name == "GGUF Q8_0")
    assert "not judged" in proof.notes[-1] and proof.failures == []
    assert eight.figures["equal_prompts"] == 4 and 0.0005 < eight.figures["worst_difference"] < 3


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def other_halves(verification: Verification) -> None:
    path = verification.package.merged("bf16") / "model.safetensors"
    weights = load_file(path)
    weights["model.norm.weight"] = weights["model.norm.weight"] * 1.1
    save_file(weights, path, {"format": "pt"})


def other_modelfile(verification: Verification) -> None:
    path = verification.package.modelfile
    path.write_text(path.read_text().replace("repeat_penalty 1", "repeat_penalty 1.1"))


def same_window(verification: Verification) -> None:
    rewritten(verification, verification.package.served("f16", True), lambda contents: contents, WINDOW_SHIFT + 1)


def other_norm(verification: Verification) -> None:
    path = verification.package.served("f16", True)
    text = path.read_bytes()
    path.write_bytes(text[:-64] + bytes(64))


DAMAGE = {
    "bf16": (other_halves, "bf16: 1 of 80 weights are not those of fp32 rounded, such as model.norm.weight"),
    "Modelfile": (other_modelfile, "is 'PARAMETER repeat_penalty 1.1' where"),
    "Ollama's window": (same_window, f"ollama/model-f16.gguf: another sliding window ({WINDOW} positions where 7"),
    "Ollama's weights": (other_norm, "ollama/model-f16.gguf: 1 tensors are not those of gguf/model-f16.gguf"),
    "card": (lambda given: cut(given.package.folder / "README.md"), "README.md is not as it was written"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_no_way_of_answering_reads_is_held_against_the_adapter_too(
    right: Verification, tmp_path: Path, damage: str
):
    damaged = replace(copied(right, tmp_path / "out"), count=2)
    change, cause = DAMAGE[damage]
    change(damaged)
    proof = verified(damaged)
    assert any(cause in text for text in proof.causes), (cause, proof.causes)
    assert any(text.endswith("is not as it was written") for text in proof.causes)
    assert proof.failures == [] and proof.as_json()["verdict"] == "fail"


def test_a_context_without_room_for_a_prompt_is_one_line(right: Verification):
    with pytest.raises(UsageError, match="has no room for a prompt") as caught:
        verified(replace(right, record=replace(right.record, num_ctx=ANSWER + 2)))
    assert "--num-ctx" in caught.value.hint


def test_too_few_prompts_with_room_fail_the_proof(right: Verification):
    proof = verified(replace(right, record=replace(right.record, num_ctx=60)))
    assert "prompts fit into the context" in proof.failures[0]


def test_a_base_in_few_bits_is_refused_before_it_is_loaded(right: Verification, tmp_path: Path):
    base = Path(shutil.copytree(right.origin.base, tmp_path / "base"))
    told = read_json(base / "config.json") | {
        "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}
    }
    (base / "config.json").write_text(json.dumps(told))
    with pytest.raises(UsageError, match="stored in few bits"):
        load_unmerged(str(base), None, None)


def test_the_same_base_in_another_folder_is_the_base_and_another_one_is_not(right: Verification, tmp_path: Path):
    elsewhere = str(shutil.copytree(right.origin.base, tmp_path / "elsewhere"))
    there, here = (load_unmerged(base, None, None) for base in (elsewhere, right.origin.base))
    told = replace(right.origin, base=elsewhere, base_sha256=here.base_sha256, trained_base=right.origin.base)
    told = replace(told, trained_in_4bit=False, trained_in_bf16=False)
    refuse_other_base(told, there)
    there.model.get_input_embeddings().weight[0, 0] += 1
    with pytest.raises(UsageError, match="is not the base that"):
        refuse_other_base(told, there)


def test_an_export_whose_base_could_not_be_checked_says_so(right: Verification):
    assert any("could not be checked" in note for note in right.record.notes)
    assert "could not be checked" in (right.package.folder / "README.md").read_text()


def test_an_empty_broken_off_reply_is_no_answer(right: Verification):
    scores = TokenScores([-0.1], [True])
    known = Known(Prompt("request", "a"), "a", [1, 2], [3], "{}", ["{}"], scores, None)

    def compared(text: str, tokens: list[tuple[str, float]]) -> Outcome:
        return _compared(lambda k, most: Reply(text, 2, tokens, broken_off=True), known, 8, True)

    assert not compared("", []).same_answer and compared("{", [("{", -0.1)]).same_answer
    assert compared("", []).is_comparable


def test_q8_0_is_judged_by_its_right_answers(right: Verification, tmp_path: Path):
    record = export(Wish(right.origin, tmp_path / "out", quantize="q8_0"))
    row = DatasetRow.model_validate(
        {"query_id": "q", "schema_id": "s", "domain_id": "d", "language": "en", "schema_json": {}, "query": "a request"}
        | {"ast_json": {"n": 1}, "is_valid": True, "split": "test_seen", "names": "seen", "source": "generated"}
        | {"made_by": {"provider": "embedded", "model": "embedded"}}
    )
    write_atomic(
        tmp_path / "d.jsonl", [row.model_copy(update={"query_id": f"q{n}", "query": f"ask {n}"}) for n in range(6)]
    )
    config = settings(tmp_path, dataset=str(tmp_path / "d.jsonl"), splits=("test_seen",))
    proof = verified(Verification(Package(tmp_path / "out"), record, right.origin, config, count=8))
    eight = next(way for way in proof.ways if way.name == "GGUF Q8_0")
    assert eight.figures["known_answers"] == 4 and eight.notes == []
    assert not any("greedy" in text for text in proof.failures)
