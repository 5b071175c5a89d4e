"""Token roles with real tokenizers of three kinds: each token has the role of the characters that it covers."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from astudent.errors import RunError
from astudent.roles import GrammarRole, assign_grammar_roles, token_role_shares, token_roles
from astudent.roles.role import PRECEDENCE

R = GrammarRole
CORPUS = [
    '{"field":"price","operator":"eq","value":12.5}',
    '{"status":"shipped","city":"Zürich","note":"deux mots"}, {"a": [true, false, null]}',
    '"},{"":"" ": [ ]}',
] * 30
SCHEMA = {"additionalProperties": {"anyOf": [{"enum": ["red", "été"]}, {"type": "array", "items": {"type": "string"}}]}}


def byte_level(trim: bool) -> Tokenizer:
    """Like GPT-2, Llama 3 and Qwen: a character that is not ASCII falls into several tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)  # type: ignore[assignment]
    return tokenizer


def byte_fallback(leading_mark: bool) -> Tokenizer:
    """Like Gemma and Llama 2: SentencePiece's space mark, and <0xNN> pieces for what the vocabulary lacks."""
    seed = Tokenizer(models.BPE())
    mark = normalizers.Replace(" ", "▁")
    seed.normalizer = mark  # type: ignore[assignment]
    seed.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=300, show_progress=False))
    learned = json.loads(seed.to_str())["model"]
    vocab = {piece: i for i, piece in enumerate(["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))])}
    vocab |= {piece: len(vocab) + i for i, piece in enumerate(p for p in learned["vocab"] if p not in vocab)}
    merges = [tuple(pair) for pair in learned["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    steps = [normalizers.Prepend("▁"), mark] if leading_mark else [mark]
    tokenizer.normalizer = normalizers.Sequence(steps)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteFallback()  # type: ignore[assignment]
    return tokenizer


def normalising() -> Tokenizer:
    """Like BERT: composed, lower-cased and cut at white space."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])  # type: ignore[assignment]
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


TOKENIZERS = {
    "byte-level": byte_level(trim=False),
    "byte-level, trimmed": byte_level(trim=True),
    "byte fallback": byte_fallback(leading_mark=False),
    "byte fallback, leading mark": byte_fallback(leading_mark=True),
    "normalising": normalising(),
}
KINDS = pytest.mark.parametrize("kind", TOKENIZERS)
HARD_TEXT = st.text(max_size=6) | st.sampled_from(
    ["été", "red", "e\u0301te\u0301", "👩‍👩‍👧", "漢字", "ﬁn", "a  b", '"\\', "\t"]
)
VALUES = HARD_TEXT | st.integers() | st.booleans() | st.none() | st.lists(HARD_TEXT, max_size=3)


@KINDS
@settings(max_examples=60)
@given(data=st.dictionaries(HARD_TEXT, VALUES, max_size=4), ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_each_token_has_the_role_of_its_characters(
    kind: str, data: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(data, ensure_ascii=ascii_only, indent=indent)
    roles = assign_grammar_roles(text, SCHEMA)
    offsets = TOKENIZERS[kind].encode(text).offsets
    for role, shares, (start, end) in zip(
        token_roles(roles, offsets), token_role_shares(roles, offsets), offsets, strict=True
    ):
        covered = roles[start:end]
        if covered:
            assert role == min(covered, key=PRECEDENCE.__getitem__)
            assert role == covered[0] or len(set(covered)) > 1
            assert shares == {each: covered.count(each) / len(covered) for each in set(covered)}
        else:
            assert role is R.WHITESPACE
        assert sum(shares.values()) == pytest.approx(1)


@KINDS
def test_every_character_of_a_value_is_covered_with_its_role(kind: str) -> None:
    """No drift after characters of several bytes: what follows them has its own role."""
    text = '{"k":"👩‍👩‍👧 e\u0301té 漢字","c":"été","n":42}'
    encoding = TOKENIZERS[kind].encode(text)
    roles = token_roles(assign_grammar_roles(text, SCHEMA), encoding.offsets)
    number = text.index("42")
    on_number = [
        r for r, (start, end) in zip(roles, encoding.offsets, strict=True) if start < number + 2 and end > number
    ]
    assert on_number and set(on_number) == {R.NUMBER}
    enum = text.index('été"')
    on_enum = [r for r, (start, end) in zip(roles, encoding.offsets, strict=True) if start < enum + 3 and end > enum]
    assert on_enum and set(on_enum) == {R.ENUM_VALUE}


def test_bytes_of_one_character_all_have_its_role() -> None:
    text = '{"k":"👩"}'
    offsets = TOKENIZERS["byte fallback"].encode(text).offsets
    roles = token_roles(assign_grammar_roles(text, True), offsets)
    assert [role for role, span in zip(roles, offsets, strict=True) if span == (6, 7)] == [R.FREE_TEXT] * 4


@pytest.mark.parametrize(
    ("covered", "expected"),
    [
        ([R.QUOTE, R.STRUCTURAL, R.QUOTE], R.QUOTE),
        ([R.QUOTE, R.STRUCTURAL], R.QUOTE),
        ([R.KEY, R.QUOTE], R.KEY),
        ([R.STRUCTURAL, R.NUMBER], R.NUMBER),
        ([R.FREE_TEXT, R.QUOTE, R.STRUCTURAL, R.QUOTE, R.KEY], R.FREE_TEXT),
        ([R.ENUM_VALUE, R.QUOTE], R.ENUM_VALUE),
        ([R.STRUCTURAL, R.BOOLEAN], R.BOOLEAN),
        ([R.WHITESPACE, R.QUOTE], R.QUOTE),
        ([R.WHITESPACE, R.UNKNOWN], R.UNKNOWN),
    ],
)
def test_precedence_of_a_straddling_token(covered: list[GrammarRole], expected: GrammarRole) -> None:
    assert token_roles(covered, [(0, len(covered))]) == [expected]
    assert token_roles(covered[::-1], [(0, len(covered))]) == [expected]


def test_shares_of_a_straddling_token() -> None:
    shares = token_role_shares([R.KEY, R.QUOTE, R.STRUCTURAL, R.QUOTE], [(0, 4), (0, 1), (0, 0)])
    assert shares == [{R.KEY: 0.25, R.QUOTE: 0.5, R.STRUCTURAL: 0.25}, {R.KEY: 1.0}, {R.END: 1.0}]


def test_tokens_that_cover_nothing() -> None:
    roles = [R.STRUCTURAL, R.WHITESPACE, R.STRUCTURAL]
    leading_mark, trimmed_blank = (0, 0), (2, 2)
    offsets = [leading_mark, (0, 1), trimmed_blank, (2, 3), (0, 0), (0, 0)]
    assert token_roles(roles, offsets) == [R.WHITESPACE, R.STRUCTURAL, R.WHITESPACE, R.STRUCTURAL, R.END, R.END]
    assert token_roles([], [(0, 0)]) == [R.END]


@pytest.mark.parametrize("span", [(0, 4), (3, 4), (-1, 1), (2, 1), (9, 11)])
def test_a_span_outside_the_text_is_an_error(span: tuple[int, int]) -> None:
    with pytest.raises(RunError, match="the text has 3"):
        token_roles([R.STRUCTURAL] * 3, [span])


@given(st.lists(st.sampled_from([r for r in R if r is not R.END]), min_size=1), st.data())
def test_shares_add_up_to_the_characters(roles: list[GrammarRole], draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(roles)))) | {0, len(roles)})
    offsets = list(pairwise(cuts))
    total: dict[GrammarRole, float] = {}
    for shares, (start, end) in zip(token_role_shares(roles, offsets), offsets, strict=True):
        for role, share in shares.items():
            total[role] = total.get(role, 0) + share * (end - start)
    assert total == pytest.approx({role: roles.count(role) for role in set(roles)})
