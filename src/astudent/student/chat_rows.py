"""Chat rows in OpenAI's format, as a vision student learns and is asked: images inline, the answer as the last turn.

    {"id": "a-1", "schema_json": {...}, "messages": [{"role": "system", "content": "..."},
     {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,..."}},
      {"type": "text", "text": "..."}]}, {"role": "assistant", "content": "{...}"}]}

`schema_json` may also stand where a request to a server has it, as `response_format.json_schema.schema`. Images are
data of strangers: inline only (nothing is fetched, no path is opened), bounded in bytes and pixels.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError
from pydantic import Field, ValidationError

from astudent.errors import RunError
from astudent.jsonl import read_numbered
from astudent.language.serialise import parse_ast, serialise
from astudent.language.splits import digest_of
from astudent.language.validation import validator_for
from astudent.prompt import neutralise
from astudent.records import Language, Record

MOST_BYTES, MOST_PIXELS = 20 * 2**20, 40_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
SHOWN = 5
_DATA_URL = re.compile(r"data:image/(?:png|jpe?g|webp);base64,")


class ImageUrl(Record):
    url: str


class Part(Record):
    """A part of a user's turn: an image, or words."""

    type: Literal["image_url", "text"]
    image_url: ImageUrl | None = None
    text: str | None = None


class Message(Record):
    role: Literal["system", "user", "assistant"]
    content: str | list[Part]


class ChatLine(Record):
    """One line as it stands in the file. What else a line holds (a `response_format`, the writer's own fields) is let be."""

    model_config = Record.model_config | {"extra": "ignore", "protected_namespaces": ()}

    id: str | None = None
    schema_id: str | None = None
    language: Language = "en"
    schema_object: dict[str, Any] | None = Field(default=None, alias="schema_json")
    response_format: dict[str, Any] | None = None
    messages: list[Message] = Field(min_length=2)


@dataclass(frozen=True)
class ChatRow:
    """A row ready to be learned or asked. `prompt` holds all turns before the answer, without their images' pixels:
    these stand in `images` as encoded bytes, in the order in which the turns name them."""

    row_id: str
    schema_id: str
    schema_json: dict[str, Any]
    language: Language
    prompt: tuple[Mapping[str, Any], ...]
    images: tuple[bytes, ...]
    answer: str

    @property
    def request(self) -> str:
        """The words of the last turn before the answer."""
        content = self.prompt[-1]["content"]
        return "\n".join(part["text"] for part in content if part["type"] == "text")

    def opened(self) -> list[Image.Image]:
        """The images, decoded to RGB."""
        return [Image.open(io.BytesIO(data)).convert("RGB") for data in self.images]

    def as_saved(self) -> dict[str, Any]:
        """What a report of a fault holds of the row."""
        return {"row_id": self.row_id, "schema_id": self.schema_id, "answer": self.answer}


def read_chat_rows(path: Path, limit: int | None = None) -> list[ChatRow]:
    """The file's rows, each answer in canonical form. RunError with the first faults where a row cannot be used: an
    answer that is no JSON object or breaks its schema, an image that cannot be read, turns out of order."""
    rows: list[ChatRow] = []
    faults: list[str] = []
    total = 0
    for number, line in read_numbered(path):
        try:
            rows.append(_row(line, number))
        except RunError as error:
            total += 1
            faults += [f"{path}:{number}: {error.message}"] * (len(faults) < SHOWN)
        if limit is not None and len(rows) + total >= limit:
            break
    if total:
        raise RunError(f"{total} rows cannot be used: {'; '.join(faults)}", "Mend or delete these lines.")
    if not rows:
        raise RunError(f"{path}: no row", "Make the data first: astudent forms, or your own chat rows.")
    return rows


def _row(line: dict[str, Any], number: int) -> ChatRow:
    read = _line(line)
    *before, last = read.messages
    if last.role != "assistant" or not isinstance(last.content, str):
        raise RunError("the last message is not the assistant's words")
    if any(message.role == "assistant" for message in before) or before[-1].role != "user":
        raise RunError("the messages before the answer are not system's and user's")
    schema = _schema(read)
    images = [part.image_url.url for part in _parts(before) if part.type == "image_url" and part.image_url]
    return ChatRow(
        row_id=read.id or f"line {number}",
        schema_id=read.schema_id or digest_of(json.dumps(schema)).hex()[:12],
        schema_json=schema,
        language=read.language,
        prompt=tuple({"role": m.role, "content": list(_content(m))} for m in before),
        images=tuple(map(_image, images)),
        answer=_answer(last.content, schema),
    )


def _line(line: dict[str, Any]) -> ChatLine:
    try:
        return ChatLine.model_validate(line)
    except ValidationError as error:
        first = error.errors()[0]
        raise RunError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _schema(line: ChatLine) -> dict[str, Any]:
    if line.schema_object is not None:
        return line.schema_object
    within: Any = (line.response_format or {}).get("json_schema")
    schema = within.get("schema") if isinstance(within, dict) else None
    if not isinstance(schema, dict):
        raise RunError("no schema: neither schema_json nor response_format.json_schema.schema")
    return schema


def _answer(text: str, schema: dict[str, Any]) -> str:
    ast, fault = parse_ast(text)
    if ast is None:
        raise RunError(f"the answer is no JSON object: {fault}")
    if problems := validator_for(schema).problems(ast):
        raise RunError(f"the answer breaks its schema: {problems[0]}")
    return serialise(ast, schema)


def _parts(messages: Sequence[Message]) -> Iterator[Part]:
    for message in messages:
        yield from message.content if isinstance(message.content, list) else [Part(type="text", text=message.content)]


def _content(message: Message) -> Iterator[dict[str, Any]]:
    """A turn as a processor's template reads it; a text's control tokens are no longer ones."""
    for part in _parts([message]):
        if part.type == "text":
            yield {"type": "text", "text": neutralise(part.text or "")}
        elif part.image_url is None:
            raise RunError("a part of type image_url has no image_url")
        else:
            yield {"type": "image"}


def _image(url: str) -> bytes:
    """The encoded image, once its format and size are known to be sound; its pixels are not decoded yet."""
    found = _DATA_URL.match(url)
    if not found:
        raise RunError(f"an image must stand inline (data:image/png;base64,...), found {url[:40]!r}")
    if len(url) > MOST_BYTES * 4 // 3:
        raise RunError(f"an image of more than {MOST_BYTES // 2**20} MB")
    try:
        data = base64.b64decode(url[found.end() :], validate=True)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise RunError(f"an image of {width} x {height} pixels; at most {MOST_PIXELS} can be read")
            image.verify()
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise RunError(f"an image that cannot be read: {' '.join(str(error).split())[:100]}") from None
    return data
