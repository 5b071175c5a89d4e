"""Limits and verdict."""

import pytest

from astudent.export.causes import in_arithmetic, in_keys, in_template
from astudent.export.proof import Outcome, Proof, Way

GOOD = Outcome(True, True, [0.001, 0.002])


def way(*outcomes: Outcome, name: str = "GGUF F16", is_precise: bool = True) -> Way:
    return Way(name, outcomes, is_precise)


@pytest.mark.parametrize(
    ("outcomes", "failure"),
    [
        ([GOOD] * 299 + [Outcome(False, True, [])], "1 of 300 prompts have other tokens"),
        ([GOOD] * 98 + [Outcome(True, False, [0.0])] * 2, "98.0% of the greedy answers are equal"),
        (
            [GOOD] * 99 + [Outcome(True, True, [0.051])],
            "worst difference of log-probabilities 0.0510, the limit is 0.05",
        ),
        ([Outcome(True, True, [0.006])] * 9, "median difference of log-probabilities 0.0060, the limit is 0.005"),
        ([GOOD, Outcome(True, True, [float("nan")])] * 3, "worst difference of log-probabilities nan"),
    ],
)
def test_each_limit(outcomes: list[Outcome], failure: str):
    assert any(failure in text for text in way(*outcomes).failures())


def test_99_in_100_equal_answers_pass_and_few_bits_are_not_judged_by_log_probabilities():
    most = [GOOD] * 99 + [Outcome(True, False, [])]
    assert way(*most).failures() == []
    assert way(Outcome(True, True, [0.4]), is_precise=False).failures() == []


def test_a_cause_fails_an_export_even_where_no_prompt_showed_it():
    assert Proof([way(GOOD)]).as_json()["verdict"] == "pass"
    assert Proof([way(GOOD)], ["BOS missing"]).as_json()["verdict"] == "fail"


def test_the_table_has_a_line_for_each_way():
    lines = Proof([way(GOOD), way(Outcome(False, True, []), name="Ollama raw")]).as_table().splitlines()
    assert lines[1].split() == ["GGUF", "F16", "1", "of", "1", "1", "of", "1", "–", "0.0020", "0.0015", "pass"]
    assert lines[2].endswith("fail") and "–" in lines[2]


@pytest.mark.parametrize(("right", "fails"), [(100, False), (98, False), (97, True), (0, True)])
def test_few_bits_are_judged_by_how_many_answers_are_right(right: int, fails: bool):
    outcomes = [
        Outcome(True, False, [0.4], is_comparable=True, is_right=place < right, adapter_is_right=True)
        for place in range(100)
    ]
    judged = way(*outcomes, GOOD, name="GGUF Q8_0", is_precise=False)
    assert bool(judged.failures()) == fails and judged.notes == []
    told = Proof([judged]).as_json()["ways"][0]
    assert (told["known_answers"], told["right_answers"], told["adapter_right_answers"]) == (100, right, 100)
    assert f"{right} of 100" in Proof([judged]).as_table()


def test_few_bits_without_known_answers_are_said_to_be_not_judged():
    proof = Proof([way(Outcome(True, False, [0.4]), name="GGUF Q8_0", is_precise=False)])
    assert proof.failures == [] and "stage 07 --student ollama:NAME" in proof.as_json()["notes"][0]


def test_nothing_compared_is_no_pass():
    assert way().failures() == ["GGUF F16: no prompt was asked"]
    silent = Outcome(True, True, [], is_comparable=True)
    assert way(silent, silent).failures() == ["GGUF F16: no log-probability could be compared"]
    assert way(silent, GOOD).failures() == way(silent, is_precise=False).failures() == []


def test_too_few_prompts_fail_and_a_small_data_set_is_only_noted():
    proof = Proof([way(GOOD)], shortage="3 of 300 prompts fit", remarks=["the data set has only 9 requests"])
    assert proof.as_json()["verdict"] == "fail" and proof.failures == ["3 of 300 prompts fit"]
    assert Proof([way(GOOD)], remarks=["the data set has only 9 requests"]).as_json()["verdict"] == "pass"


def test_flash_attention_is_suspected_where_only_the_servers_figures_are_off():
    served = way(Outcome(True, True, [0.1]), name="Ollama raw")
    assert "OLLAMA_FLASH_ATTENTION=0" in " ".join(in_arithmetic([way(GOOD), served]))
    assert not list(in_arithmetic([way(Outcome(True, True, [0.1])), served]))
    assert not list(in_arithmetic([way(GOOD), way(Outcome(False, True, [0.1]), name="Ollama raw")]))


def test_causes_in_keys_that_a_server_tells_without_its_long_lists():
    right = {
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.tokens": ["a", "b"],
        "gemma3.rope.freq_base": 1e6,
        "gemma3.attention.sliding_window": 511,
    }
    assert not list(in_keys("Ollama", right | {"tokenizer.ggml.tokens": None}, right))
    wrong = {"gemma3.rope.freq_base": 1e4, "gemma3.attention.sliding_window": 512, "tokenizer.ggml.bos_token_id": 0}
    found = " ".join(in_keys("Ollama", right | wrong, right))
    assert "another BOS" in found and "another RoPE base" in found and "512 positions where 511 is right" in found


def test_a_newline_more_is_counted():
    assert list(in_template("Ollama", "a\n\nb", "a\nb")) == [
        "Ollama: another template than training's (from character 2 on, +1 newlines)"
    ]
