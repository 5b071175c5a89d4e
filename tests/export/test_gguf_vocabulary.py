"""A GGUF's vocabulary gives the tokens of the tokenizer.json that it was made of; the truth is that tokenizer itself."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from astudent.export.gguf_vocabulary import SPLITS, GgufTokenizer, Marks, composes, vocabulary_keys, why_not

TINY = Tokenizer.from_file(str(Path(__file__).parents[2] / "data/tiny_student/tokenizer.json"))
GEMMA = Marks(bos=2, eos=1, pad=0, end_of_turn=6, stops=(1, 6), adds_bos=True)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


def byte_level(pre: str) -> Tokenizer:
    """A byte-level BPE trained on a few lines, cut as `pre` says."""
    tokenizer = Tokenizer(models.BPE())
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pre == "smollm")
    first = pre_tokenizers.Digits(individual_digits=True)
    if pre != "smollm":
        first = pre_tokenizers.Split(Regex(SPLITS[pre]), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, whole])  # pyright: ignore
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<|im_end|>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(
        ['{"field": "price", "value": 120}', "l'été où les prix baissent 12 34"] * 20, trainer
    )
    return tokenizer


def read_back(tokenizer: Tokenizer, marks: Marks) -> GgufTokenizer:
    told = json.loads(tokenizer.to_str())
    assert why_not(told) is None
    return GgufTokenizer(vocabulary_keys(told, marks, tokenizer.get_vocab_size() + 3))


SENTENCE_PIECES = read_back(TINY, GEMMA)


@given(TEXTS)
@example("<start_of_turn>user\n  deux  espaces\t👩‍👧 日本 «œuvre» <end_of_turn>\n")
def test_sentence_pieces(text: str):
    assert SENTENCE_PIECES.encode(text) == [2, *TINY.encode(text, add_special_tokens=False).ids]


@pytest.mark.parametrize("pre", [*SPLITS, "smollm"])
def test_byte_level(pre: str):
    tokenizer = byte_level(pre)
    theirs = read_back(tokenizer, Marks(None, 0, 0, 0, (0,), adds_bos=False))
    assert theirs.keys["pre"] == pre

    @given(TEXTS)
    @example("it's 12345  rows\n\nIT'S<|im_end|>\n")
    def check(text: str) -> None:
        assert theirs.encode(text) == tokenizer.encode(text, add_special_tokens=False).ids

    check()


def test_rows_without_a_piece_are_unused():
    keys = SENTENCE_PIECES.keys
    assert keys["tokens"][-1] == "[PAD2050]" and keys["token_type"][-3:] == [5, 5, 5]


def test_without_the_bos_prompts_begin_otherwise():
    keys = vocabulary_keys(json.loads(TINY.to_str()), GEMMA, 2048)
    del keys["tokenizer.ggml.bos_token_id"]
    assert GgufTokenizer(keys).encode("a") == TINY.encode("a", add_special_tokens=False).ids


def test_what_cannot_be_held_is_said():
    unigram = json.loads(Tokenizer(models.Unigram([("a", 0.0)], unk_id=0)).to_str())
    assert why_not(unigram) == "its tokenizer is a Unigram model, and only BPE is written"
    other = byte_level("qwen2")
    other.pre_tokenizer = pre_tokenizers.Whitespace()  # pyright: ignore
    assert "no runtime is known" in (why_not(json.loads(other.to_str())) or "")


def test_what_changes_texts_first_is_refused_or_noted():
    told = json.loads(byte_level("qwen2").to_str())
    assert not composes(told) and why_not(told) is None
    composing = told | {"normalizer": {"type": "NFC"}}
    assert composes(composing) and why_not(composing) is None
    lower = {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]}
    assert "Lowercase" in (why_not(told | {"normalizer": lower}) or "")
