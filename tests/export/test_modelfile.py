"""The Modelfile; that Ollama renders the training prompt with it, tests/ollama checks on a server."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from astudent.export.modelfile import SMALL, Turn, modelfile, parameters, why_not

TURN = Turn("<start_of_turn>user\n", "<end_of_turn>\n<start_of_turn>model\n", "<end_of_turn>\n", "<end_of_turn>")


def test_the_template_holds_the_turn_and_ends_without_a_newline():
    text = modelfile("./model.gguf", TURN, parameters(TURN, 8192, SMALL))
    assert text.startswith('FROM ./model.gguf\nTEMPLATE """')
    assert "<start_of_turn>user\n{{ if and $.System" in text
    assert '{{ .Content }}<end_of_turn>\n<start_of_turn>model\n{{ else if eq .Role "assistant" }}' in text
    assert '{{ end }}{{ end }}"""\n' in text


def test_parameters_are_greedy_and_do_not_punish_repetition():
    told = modelfile("./m.gguf", TURN, parameters(TURN, 8192, SMALL)).splitlines()[-4:]
    lines = ["num_ctx 8192", "temperature 0", "repeat_penalty 1", 'stop "<end_of_turn>"']
    assert told == [f"PARAMETER {line}" for line in lines]
    assert parameters(TURN, 8192, SMALL - 1)["num_thread"] == 1


def test_braces_of_a_chat_template_stay_text():
    assert '{{ "{{" }}x}}' in Turn("{{x}}", "", "", "</s>").template()


HOSTILE = st.lists(
    st.sampled_from(["{", "}", '"', '"""', "\\", "\n", "\r", "{{", "}}", "PARAMETER x", "-", "é", "`"])
).map("".join)
_ACTION = re.compile(r"\{\{ (.*?) \}\}", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def rendered(template: str) -> list[str]:
    """The texts between a template's conditions, as Go reads it: an action begins at the first two braces, and strings in it give
    themselves."""
    parts, at = [""], 0
    while (start := template.find("{{", at)) >= 0:
        parts[-1] += template[at:start]
        assert template.startswith("{{ ", start), f"no action: {template[start : start + 20]}"
        if found := _STRING.match(template, start + 3):
            assert template.startswith(" }}", found.end())
            parts[-1] += json.loads(found[0])
            at = found.end() + 3
        else:
            at = template.index("}}", start) + 2
            parts.append("")
    parts[-1] += template[at:]
    return parts


@given(HOSTILE, HOSTILE, HOSTILE)
@example('"""\nPARAMETER stop x\nTEMPLATE """', "{", "a{{{")
@example('{"""', '{{"""{', '"""""')
def test_no_text_of_a_chat_template_leaves_the_template(before: str, after: str, closing: str):
    template = Turn(before, after, closing, "</s>").template()
    assert '"""' not in template and "\r" not in template
    parts = rendered(template)
    assert parts[2] == before and parts[6] == after and parts[8] == closing


@pytest.mark.parametrize("end", ['<"end">', "a\\b", "end\n", "\t"])
def test_a_stop_that_a_modelfile_cannot_spell_is_refused(end: str):
    assert repr(end) in (why_not(replace(TURN, end=end)) or "") and why_not(TURN) is None
