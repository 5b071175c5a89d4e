"""The tiny student's SentencePiece tokenizer, trained on runs of letters and on JSON's own punctuation.

No piece joins letters with anything else, so that a word has the same pieces after a space, a quote or an underscore: what is to be copied looks
the same in the request, in the schema and in the answer. Of punctuation only the handful of groups that all JSON has are joined; other signs,
the space mark and digits are single pieces, so that none is cold after pre-training. Byte fallback writes any other text.
"""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import sentencepiece

from astudent.errors import UsageError
from astudent.language.notation import render_compact
from astudent.student.pretraining.phrasings import MONTHS, NUMERALS, PHRASINGS
from astudent.student.pretraining.queries import TASKS
from astudent.student.pretraining.words import WordMaker

LETTERS = re.compile(r"[^\W\d_]+")
SIGNS = "".join(map(chr, range(33, 127))) + "▁ÀÂÇÉÈÊÎÔÙŒàâäçéèêëîïíôöóùûüúœæñß«»’€£°…–"
# How often each is shown to the trainer; the longer ones need their parts first.
JSON_GROUPS = {'":': 9000, '{"': 8000, ',"': 7000, '":"': 6000, '","': 5000, '"}': 4000}
CONTROL = {"pad": "<pad>", "eos": "<eos>", "bos": "<bos>", "unk": "<unk>"}
NAMES = "string number integer boolean date true false null user model JSON query schema request answer".split()


def train(path: Path, vocabulary: int, seed: int = 1) -> None:
    """Write `path` (a SentencePiece model of `vocabulary` pieces)."""
    control: dict[str, Any] = {f"{name}_id": place for place, name in enumerate(CONTROL)}
    control |= {f"{name}_piece": piece for name, piece in CONTROL.items()}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=_sentences(Random(seed)),
        model_prefix=str(path.with_suffix("")),
        vocab_size=vocabulary,
        model_type="bpe",
        byte_fallback=True,
        split_digits=True,
        split_by_unicode_script=False,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        required_chars=SIGNS,
        character_coverage=1.0,
        max_sentencepiece_length=14,
        minloglevel=2,
        num_threads=1,
        **control,
        user_defined_symbols=["<mask>", "<start_of_turn>", "<end_of_turn>"],
    )
    path.with_suffix(".vocab").unlink()


def read(path: Path) -> sentencepiece.SentencePieceProcessor:
    """UsageError where `path` is no SentencePiece model."""
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=path.read_bytes())
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{path}: no SentencePiece model can be read ({error})", "Name a tokenizer.model.") from error


def letter_pieces(processor: sentencepiece.SentencePieceProcessor) -> list[str]:
    """The pieces that are letters only: what `WordMaker` builds words of."""
    pieces = (processor.id_to_piece(i) for i in range(processor.get_piece_size()))
    return [piece for piece in pieces if LETTERS.fullmatch(piece)]


def _sentences(rng: Random) -> Iterator[str]:
    for group, times in JSON_GROUPS.items():
        yield from [group] * times
    yield from _common_words() * 60
    words = WordMaker()
    for _ in range(1200):
        task = TASKS[rng.choice(list(TASKS))](rng, words)
        text = render_compact(task.schema)
        for language in ("en", "fr"):
            example = task.example(language)
            text += f" {example.query} {example.answer}"
        yield from LETTERS.findall(text)


def _common_words() -> list[str]:
    text = resources.files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8")
    words = [word for line in text.splitlines() if not line.startswith("#") for word in line.split()]
    spoken = [text for phrasing in PHRASINGS.values() for texts in phrasing.values() for text in texts]
    names = [*NAMES, *(word for words in (MONTHS, NUMERALS) for said in words.values() for word in said)]
    return [*words, *names, *(word for text in spoken for word in LETTERS.findall(re.sub(r"\{.\}", "", text)))]
