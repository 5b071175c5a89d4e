"""Measures grounding on the benchmark tasks: python tests/quality/measure_grounding.py DOCUMENTS_PER_SCHEMA SUPPORT SEEDS.

Prints for each seed how many clean rows have an ungrounded value, then how many seeded wrong values were found, by kind.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from random import Random

from grounding_faults import FAULTS, faulty

from astudent.quality.grounding import Grounding
from astudent.records import DatasetRow
from astudent.tasks import documents, support


def ungrounded_rows(rows: Iterable[DatasetRow]) -> Iterator[tuple[DatasetRow, list[str]]]:
    """The clean rows of which some value counts as ungrounded, with the pointers to these values."""
    for row, grounding in _with_grounding(rows):
        found = grounding.ungrounded(row.ast_json, row.query, row.language)
        if found:
            yield row, [breach.path for breach in found]


def seeded(rows: list[DatasetRow], seed: int) -> Counter[str]:
    """For each kind of fault how many were seeded (one in each row that can have it), and how many found."""
    by_schema: dict[str, list[DatasetRow]] = defaultdict(list)
    for row in rows:
        by_schema[row.schema_id].append(row)
    counts: Counter[str] = Counter()
    for number, (row, grounding) in enumerate(_with_grounding(rows)):
        for kind in FAULTS:
            fault = faulty(row, kind, Random(f"{seed} {number} {kind}"), by_schema[row.schema_id][:40])
            if fault:
                value, path = fault
                found = {breach.path for breach in grounding.ungrounded(value, row.query, row.language)}
                counts.update({f"{kind} seeded": 1, f"{kind} found": int(path in found)})
    return counts


def _with_grounding(rows: Iterable[DatasetRow]) -> Iterator[tuple[DatasetRow, Grounding]]:
    groundings: dict[str, Grounding] = {}
    for row in rows:
        if row.schema_id not in groundings:
            groundings[row.schema_id] = Grounding(row.schema_json)
        yield row, groundings[row.schema_id]


def main() -> None:
    """One line for each seed and task, and one of the seeded faults."""
    documents_per_schema, messages, *seeds = map(int, sys.argv[1:])
    for seed in seeds:
        made = {
            "documents": list(documents.rows(seed, documents_per_schema)),
            "support": list(support.rows(seed, messages)),
        }
        for task, rows in made.items():
            named = list(ungrounded_rows(rows))
            examples = [(row.query_id, paths) for row, paths in named[:5]]
            print(f"seed {seed}, {task}: {len(named)} of {len(rows)} clean rows ungrounded", *examples, flush=True)
            counts = seeded(rows, seed)
            print(
                "  " + ", ".join(f"{kind} {counts[f'{kind} found']}/{counts[f'{kind} seeded']}" for kind in FAULTS),
                flush=True,
            )


if __name__ == "__main__":
    main()
