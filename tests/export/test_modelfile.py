"""The Modelfile; that Ollama renders the training prompt with it, tests/ollama checks on a server."""

from astudent.export.modelfile import SMALL, Turn, modelfile, parameters

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
