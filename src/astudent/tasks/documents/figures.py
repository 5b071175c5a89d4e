"""What an answer to a document is worth: exact, under the schema, and in its arithmetic."""

import json
from functools import lru_cache
from typing import Any

from astudent.evaluation.results import ResultRow
from astudent.language.serialise import dumps, parse_ast
from astudent.quality.invariants import Invariants, compile_invariants


def outcomes(row: ResultRow) -> dict[str, bool]:
    """Figure -> whether the answer earns it; one that did not parse earns nothing.

    `json_exact`: equal to the known JSON, whatever the order of keys and the form of numbers; the order of arrays counts.
    `invariants_kept`: valid under its schema, and no declared invariant is broken.
    """
    return {
        "json_exact": row.equivalent,
        "schema_compliance": row.schema_valid,
        "invariants_kept": row.schema_valid and _is_consistent(row.student_canonical or "", row.schema_json),
    }


def _is_consistent(answer: str, schema: dict[str, Any]) -> bool:
    return not _invariants(dumps(schema)).breaches(parse_ast(answer)[0])


@lru_cache(maxsize=256)
def _invariants(schema_text: str) -> Invariants:
    return compile_invariants(json.loads(schema_text))
