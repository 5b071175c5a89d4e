"""Answers of a set length, greedy and by beam search: .venv/bin/python benchmarks/generation.py --json FILE"""

from dataclasses import replace

import torch
from command import benchmark
from measure import Case, Rival, Work, compare
from models import device, make_prompts, student
from settings import Arrangement, arrangements
from transformers import GenerationConfig
from ways import plain_attention

from astudent.generation import Generation
from astudent.student.generate import generate
from astudent.student.load import Student
from astudent.student.prompt import chat_format

NEW_TOKENS = 64
BEAMS = {"tiny": (1, 4)}
"""What a kind of arrangement is run with; the others greedily alone."""


def ours(who: Student, prompts: dict[str, list[str]], beams: int) -> list[str]:
    rows = beams * sum(map(len, prompts.values()))
    return [answer.text for answer in generate(who, prompts, Generation(NEW_TOKENS, beams=beams), batch_size=rows)]


@torch.no_grad()
def transformers_own(who: Student, texts: list[str], batch_size: int, beams: int) -> list[str]:
    """model.generate over prompts padded on the left."""
    stops = list(chat_format(who.tokenizer).stop_ids)
    config = GenerationConfig(
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        num_beams=beams,
        length_penalty=0.0 if beams > 1 else None,
        pad_token_id=who.pad_id,
        eos_token_id=stops,
    )
    found: list[str] = []
    with plain_attention(who.model):
        for first in range(0, len(texts), batch_size):
            part = texts[first : first + batch_size]
            asked = who.tokenizer(
                part, add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt"
            ).to(device())
            ids = who.model.generate(**asked, generation_config=config)
            found += who.tokenizer.batch_decode(ids[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
    return found


def case(who: Student, name: str, asked: Arrangement) -> list[Case]:
    return [found for beams in BEAMS.get(asked.kind, (1,)) for found in of_width(who, name, asked, beams)]


def of_width(who: Student, name: str, asked: Arrangement, beams: int) -> list[Case]:
    prompts = make_prompts(asked, who.tokenizer)
    texts = prompts["schema"]
    few = texts[: asked.ordinary_rows]
    way = "" if beams == 1 else f", {beams} beams"
    return compare(
        f"generation{way}, {name}, {asked}, {NEW_TOKENS} new tokens",
        Work(lambda: ours(who, prompts, beams), len(texts)),
        [
            Rival(
                "ordinary",
                "model.generate, one at a time",
                Work(lambda: transformers_own(who, few, 1, beams), len(few)),
            ),
            Rival(
                "best_peer",
                "model.generate, one batch",
                Work(lambda: transformers_own(who, texts, len(texts), beams), len(texts)),
            ),
        ],
        asked.rounds,
        headline=asked.headline,
    )


def one_schema(model: str) -> list[Arrangement]:
    """The arrangements whose rows all share a schema; a batch of all of them is given the time it needs."""
    return [replace(asked, peer_rows=asked.rows) for asked in arrangements(model) if asked.share == asked.rows]


if __name__ == "__main__":
    benchmark(
        "generation",
        "Decoding against transformers' own, one by one and batched.",
        student,
        case,
        one_schema,
    )
