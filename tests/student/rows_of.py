"""Small sets of rows for the tests of the student."""

from typing import Any

from tiny_models import SCHEMA, completion, make_tokenizer

from astudent.roles.selective import EVEN
from astudent.student.supervision import Encoded, Source, encode_rows

REQUESTS = ["find it", "find that and more", "x", "where price is lots and lots of money", "a", "bb"]


def make_sources(schemas: int = 2, each: int = 4, repairs: bool = False) -> list[Source]:
    """`each` rows for each of `schemas` schemas; the first schema's prompt is shorter than the others'."""
    found = []
    for s in range(schemas):
        schema: dict[str, Any] = SCHEMA if s == 0 else {**SCHEMA, "title": f"thing {s}"}
        for i in range(each):
            answer = completion("price" if i % 2 else "city", i * 37, "abc é" * (i % 4))
            content = "Answer.\n" + str(schema)[: 60 if s == 0 else 300] + "\n" + REQUESTS[i % len(REQUESTS)] + "!" * i
            is_repair = repairs and i == each - 1
            found.append(Source(f"{s}-{i}", str(s), schema, answer, content=content, is_repair=is_repair))
    return found


def make_rows(schemas: int = 2, each: int = 4, repairs: bool = False) -> list[Encoded]:
    """The same in tokens."""
    return encode_rows(make_tokenizer(), make_sources(schemas, each, repairs), EVEN, None)
