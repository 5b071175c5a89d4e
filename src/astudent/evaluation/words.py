"""A request as words: what both baselines compare."""

import re
import unicodedata

WORD = re.compile(r"\d{4}-\d{2}-\d{2}|\d+(?:[.,]\d+)?|[a-z0-9]+")


def words(text: str) -> list[str]:
    """Words, numbers and dates in lower case, without accents; a decimal number stays one word."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("_", " "))
    return WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))
