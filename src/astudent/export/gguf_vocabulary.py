"""A tokenizer.json's vocabulary as a GGUF holds it, and the tokenizer that a runtime makes of it again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

Json = Mapping[str, Any]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
_BYTE = re.compile(r"<0x[0-9A-F]{2}>$")
_LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {"llama-bpe": _LLAMA3, "qwen2": _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")}
"""Byte-level vocabularies: the name by which runtimes know how a text is cut before merging -> the expression."""


@dataclass(frozen=True)
class Marks:
    """Ids of a tokenizer's own tokens. `adds_bos`: the chat template begins with the BOS, so a runtime has to put it."""

    bos: int | None
    eos: int | None
    pad: int | None
    end_of_turn: int
    stops: tuple[int, ...]
    adds_bos: bool


class Encoder(Protocol):
    """Text to token ids, the BOS included where the runtime adds it."""

    def encode(self, text: str) -> list[int]:
        """The ids."""
        ...


def why_not(tokenizer: Json) -> str | None:
    """Why this tokenizer.json cannot be held by a GGUF; None where it can."""
    model = tokenizer["model"]
    if model.get("type") != "BPE":
        return f"its tokenizer is a {model.get('type')} model, and only BPE is written"
    if not model.get("byte_fallback") and _split_name(tokenizer) is None:
        return "no runtime is known to cut texts as its tokenizer does before merging"
    known = {"Prepend", "Replace"} if model.get("byte_fallback") else {"NFC"}
    if others := sorted({part["type"] for part in _flat(tokenizer.get("normalizer"))} - known):
        return f"its tokenizer changes texts first ({', '.join(others)}), which no runtime does"
    return None


def composes(tokenizer: Json) -> bool:
    """Whether it puts letters and their accents together, which no runtime does."""
    return any(part["type"] == "NFC" for part in _flat(tokenizer.get("normalizer")))


def vocabulary_keys(tokenizer: Json, marks: Marks, rows: int) -> dict[str, Any]:
    """The GGUF's keys on the tokenizer; `rows` are those of the embedding, unused ones at the end included."""
    tokens, types = _tokens(tokenizer, rows)
    keys: dict[str, Any] = {"tokens": tokens, "token_type": types}
    if tokenizer["model"].get("byte_fallback"):
        prefix = _adds_space(tokenizer)
        keys |= {"model": "llama", "pre": "default", "scores": _scores(tokenizer, tokens), "add_space_prefix": prefix}
    else:
        keys |= {"model": "gpt2", "pre": _split_name(tokenizer), "merges": [" ".join(m) for m in _merges(tokenizer)]}
    ids = {"bos": marks.bos, "eos": marks.eos, "padding": marks.pad, "eot": marks.end_of_turn}
    keys |= {f"{name}_token_id": number for name, number in ids.items() if number is not None}
    keys |= {"eos_token_ids": list(marks.stops), "add_bos_token": marks.adds_bos, "add_eos_token": False}
    return {f"tokenizer.ggml.{key}": value for key, value in keys.items()}


def _tokens(tokenizer: Json, rows: int) -> tuple[list[str], list[int]]:
    model, added = tokenizer["model"], {int(t["id"]): t for t in tokenizer.get("added_tokens", [])}
    spelled = {number: text for text, number in model["vocab"].items()} | {n: t["content"] for n, t in added.items()}
    tokens = [spelled.get(number, f"[PAD{number}]") for number in range(rows)]
    return tokens, [_type(number, text, spelled, added, model) for number, text in enumerate(tokens)]


def _type(number: int, text: str, spelled: Mapping[int, str], added: Mapping[int, Json], model: Json) -> int:
    if number not in spelled:
        return UNUSED
    if model.get("byte_fallback") and text == model.get("unk_token"):
        return UNKNOWN
    if number in added:
        return CONTROL if added[number].get("special") else USER_DEFINED
    return BYTE if model.get("byte_fallback") and _BYTE.match(text) else NORMAL


def _merges(tokenizer: Json) -> list[tuple[str, str]]:
    """Pairs in order; older files write them as one text."""
    pairs = tokenizer["model"]["merges"]
    return [tuple(pair.split(" ", 1)) if isinstance(pair, str) else tuple(pair) for pair in pairs]  # pyright: ignore


def _scores(tokenizer: Json, tokens: list[str]) -> list[float]:
    """The earlier two pieces are merged into it, the higher a piece's score: what SentencePiece's own scores say."""
    rank: dict[str, int] = {}
    for place, (left, right) in enumerate(_merges(tokenizer)):
        rank.setdefault(left + right, place)
    return [-float(rank.get(token, len(tokenizer["model"]["merges"]))) for token in tokens]


def _adds_space(tokenizer: Json) -> bool:
    parts = [part for step in ("normalizer", "pre_tokenizer") for part in _flat(tokenizer.get(step))]
    return any(p["type"] == "Prepend" or p.get("prepend_scheme") in ("first", "always") for p in parts)


def _flat(step: Json | None) -> list[Json]:
    if not step:
        return []
    return [part for key in ("normalizers", "pretokenizers") for part in step.get(key, [])] or [step]


def _split_name(tokenizer: Json) -> str | None:
    parts = _flat(tokenizer.get("pre_tokenizer"))
    if [part["type"] for part in parts] == ["Digits", "ByteLevel"]:
        return "smollm"
    written = "".join(part.get("pattern", {}).get("Regex", "") for part in parts if part["type"] == "Split")
    return next((name for name, expression in SPLITS.items() if expression == written), None)


class GgufTokenizer:
    """The tokenizer that a runtime makes of a GGUF's keys."""

    def __init__(self, keys: Json) -> None:
        self.keys = {key.removeprefix("tokenizer.ggml."): value for key, value in keys.items()}
        types = self.keys["token_type"]
        self.own = {text: n for n, text in enumerate(self.keys["tokens"]) if types[n] in (CONTROL, USER_DEFINED)}

    def encode(self, text: str) -> list[int]:
        """The ids; the BOS first where the file says so and has one."""
        bos = self.keys.get("bos_token_id") if self.keys.get("add_bos_token", True) else None
        ids = [] if bos is None else [int(bos)]
        longest_first = sorted(map(re.escape, self.own), key=len, reverse=True)
        for part in re.split(f"({'|'.join(longest_first)})", text) if longest_first else [text]:
            ids += [self.own[part]] if part in self.own else self._pieces.encode(part) if part else []
        return ids

    @cached_property
    def _pieces(self) -> Encoder:
        return _SentencePieces(self.keys) if self.keys["model"] == "llama" else _ByteLevel(self.keys)


class _SentencePieces:
    """SentencePiece's own engine over the file's pieces and scores."""

    def __init__(self, keys: Json) -> None:
        from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

        proto: Any = sentencepiece_model_pb2.ModelProto()  # pyright: ignore[reportAttributeAccessIssue]
        for text, score, kind in zip(keys["tokens"], keys["scores"], keys["token_type"], strict=True):
            proto.pieces.add(piece=text, score=score, type=CONTROL if kind == USER_DEFINED else kind)
        proto.trainer_spec.model_type, proto.trainer_spec.byte_fallback = 2, True  # 2: BPE
        if UNKNOWN in keys["token_type"]:
            proto.trainer_spec.unk_piece = keys["tokens"][keys["token_type"].index(UNKNOWN)]
        spec = proto.normalizer_spec
        spec.name, spec.add_dummy_prefix = "identity", bool(keys.get("add_space_prefix", False))
        spec.remove_extra_whitespaces = False
        self._engine = SentencePieceProcessor(model_proto=proto.SerializeToString())

    def encode(self, text: str) -> list[int]:
        return self._engine.encode(text)


class _ByteLevel:
    """Byte-level BPE over the file's tokens and merges."""

    def __init__(self, keys: Json) -> None:
        vocabulary = {text: number for number, text in enumerate(keys["tokens"])}
        merges = [tuple(merge.split(" ", 1)) for merge in keys["merges"]]
        self._engine = Tokenizer(models.BPE(vocabulary, merges))  # pyright: ignore[reportArgumentType]
        cut = pre_tokenizers.Digits(individual_digits=True)
        if keys["pre"] in SPLITS:
            cut = pre_tokenizers.Split(Regex(SPLITS[keys["pre"]]), "isolated")
        whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=keys["pre"] not in SPLITS)
        self._engine.pre_tokenizer = pre_tokenizers.Sequence([cut, whole])  # pyright: ignore

    def encode(self, text: str) -> list[int]:
        return self._engine.encode(text, add_special_tokens=False).ids
