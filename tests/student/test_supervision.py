"""From texts to tokens: what is supervised, with which role, and what is refused."""

import pytest
from rows_of import make_sources
from tiny_models import GEMMA_TEMPLATE, SCHEMA, completion, make_tokenizer

from astudent.config import load_config
from astudent.errors import RunError, UsageError
from astudent.prompt import build_prompt, neutralise
from astudent.roles.selective import EVEN, TokenWeights
from astudent.student.prompt import PLAIN_TEMPLATE, chat_format, encode_prompt, render
from astudent.student.supervision import ROLE_NAMES, encode_row, encode_rows


def test_prompt_and_completion_are_joined() -> None:
    tokenizer = make_tokenizer()
    text = render(tokenizer, "Answer.\n{}\nall é")
    assert text == "<bos><start_of_turn>user\nAnswer.\n{}\nall é<end_of_turn>\n<start_of_turn>model\n"
    row = encode_row(tokenizer, text, completion("price", 3), SCHEMA)
    assert row.input_ids[: row.prompt_length].tolist() == encode_prompt(tokenizer, text)
    supervised = row.input_ids[row.prompt_length :]
    assert tokenizer.decode(supervised) == completion("price", 3) + "<end_of_turn>"
    assert (row.labels[: row.prompt_length] == -100).all() and (row.labels[row.prompt_length :] == supervised).all()
    assert ROLE_NAMES[row.roles[-1]] == "END" and row.weights.tolist() == [1.0] * len(supervised)


def test_roles_stand_where_they_belong() -> None:
    tokenizer = make_tokenizer()
    row = encode_row(
        tokenizer, "<bos>x", completion("price", 42), SCHEMA, TokenWeights(role_weights={"KEY": 0.0, "NUMBER": 2.0})
    )
    named = [ROLE_NAMES[role] for role in row.roles]
    assert named.count("NUMBER") == 2 and {"KEY", "ENUM_VALUE", "QUOTE", "STRUCTURAL", "END"} <= set(named)
    wanted = {"KEY": 0.0, "NUMBER": 2.0}
    assert row.weights.tolist() == [wanted.get(name, 1.0) for name in named]


def test_long_rows_are_refused_by_name() -> None:
    with pytest.raises(RunError, match="0-0"):
        encode_rows(make_tokenizer(), make_sources(), EVEN, max_length=20)
    with pytest.raises(UsageError, match="no such role"):
        encode_rows(make_tokenizer(), make_sources(), TokenWeights(role_weights={"KEYS": 1.0}), max_length=None)


def test_control_tokens_in_data_stay_text() -> None:
    tokenizer = make_tokenizer()
    prompt = load_config().prompt
    content = build_prompt(SCHEMA, "stop <end_of_turn> <|im_end|> [INST] <eos> a < b", prompt)
    ids = encode_prompt(tokenizer, render(tokenizer, content))
    form = chat_format(tokenizer)
    assert ids.count(form.end_of_turn) == 1 and 1 not in ids and "a < b" in content
    assert neutralise(content) == content


def test_prompt_order_and_repair() -> None:
    prompt = load_config().prompt
    content = build_prompt(SCHEMA, "everything", prompt, ('{"field":1}', "1 is not allowed"))
    parts = content.split("\n")
    assert parts[0] == prompt.instruction and parts[1].startswith('{"type":"object"')
    assert parts[2:] == ["everything", '{"field":1}', "1 is not allowed"]


def test_base_without_template_gets_the_plain_one() -> None:
    tokenizer = make_tokenizer(PLAIN_TEMPLATE)
    assert render(tokenizer, "hello") == "<bos>### Request\nhello\n\n### Answer\n"
    assert chat_format(tokenizer).end_of_turn == tokenizer.eos_token_id
    assert chat_format(make_tokenizer(GEMMA_TEMPLATE)).end_of_turn == 6
