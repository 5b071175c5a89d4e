"""Forms as chat rows in OpenAI's format: the image inline as base64, the known answer as the assistant's turn."""

import base64
import io
from collections.abc import Iterator
from random import Random
from typing import Any

from PIL import Image

from astudent.language.serialise import serialise
from astudent.tasks.forms.drawing import draw_form
from astudent.tasks.forms.kinds import KINDS, FormKind

SYSTEM = "You read filled-in forms."


def chat_rows(count: int, seed: int, part: str) -> Iterator[dict[str, Any]]:
    """`count` rows, the kinds in turn. A row is a function of seed, `part` ("train", "test") and its place alone."""
    for place in range(count):
        kind = KINDS[place % len(KINDS)]
        yield _row(kind, f"{kind.name}-{part}-{place:05d}", Random(f"{seed}/{part}/{place}"))


def _row(kind: FormKind, row_id: str, rng: Random) -> dict[str, Any]:
    answers = kind.draw_answers(rng)
    image = draw_form(kind, answers, rng)
    parts = [{"type": "text", "text": kind.request}, {"type": "image_url", "image_url": {"url": data_url(image)}}]
    return {
        "id": row_id,
        "schema_id": kind.name,
        "language": kind.language,
        "response_format": {"type": "json_schema", "json_schema": {"name": kind.name, "schema": kind.schema}},
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": parts},
            {"role": "assistant", "content": serialise(answers, kind.schema)},
        ],
    }


def data_url(image: Image.Image) -> str:
    """The image as PNG inside a URL."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
