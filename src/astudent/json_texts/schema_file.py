"""A file with a JSON Schema -> the schema, checked."""

import json
from pathlib import Path
from typing import Any

from astudent.errors import RunError, UsageError


def read_schema(path: Path | None) -> dict[str, Any] | None:
    """The schema in the file; UsageError names the file and what is wrong with it."""
    if path is None:
        return None
    from astudent.language.validation import check_schema

    try:
        schema = json.loads(path.read_text(encoding="utf-8-sig"))
        check_schema(schema)
    except RunError as error:
        raise UsageError(f"{path}: {error.message}", error.hint) from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", "Name a file with a JSON Schema.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}", "Name a file with a JSON Schema.") from error
    return schema
