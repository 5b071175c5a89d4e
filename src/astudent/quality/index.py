"""What the gate remembers of the rows: one line of digests for each, in a DuckDB file that is gone at the end.

Rows are compared with each other when all have been seen, by joins over this table, which spill to the disk. Memory is
bounded by MEMORY and by the lines that wait to be written. The file lies in the system's temporary folder (TMPDIR).
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import duckdb
import pyarrow as pa

from astudent.language.canonical import canonical
from astudent.language.splits import normalised_request
from astudent.quality.check import GateRow, Place
from astudent.quality.row_schema import key_of

MEMORY = "400MB"
WAITING = 20_000
"""Rows that are written at once."""
MAX_COMPARED = 4_000
"""Characters of a request by which it is compared with others."""
COLUMNS = pa.schema(
    [
        pa.field(name, kind)
        for name, kind in {
            **dict.fromkeys(("n", "line"), pa.int64()),
            **dict.fromkeys(("file", "id", "positive", "split", "side"), pa.string()),
            **dict.fromkeys(("is_valid", "is_sound"), pa.bool_()),
            **dict.fromkeys(("schema", "request", "ast", "shape"), pa.uint64()),
            "text": pa.string(),
        }.items()
    ]
)
"""`n` counts all rows. `schema`, `request` (normalised), `ast` (canonical) and `shape` (canonical, under its schema and
without names) are digests of sound rows; the last three are null in others."""


class Index:
    """The table `rows`, with the columns of COLUMNS."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="astudent-gate-")
        place = Path(self._folder.name)
        self._connection = duckdb.connect(
            str(place / "index.duckdb"),
            config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(place / "spill")},
        )
        self._connection.execute("SET preserve_insertion_order = false")
        self._connection.from_arrow(COLUMNS.empty_table()).create("rows")
        self._waiting: list[dict[str, Any]] = []
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def add(self, row: GateRow) -> None:
        """Remembers the row."""
        line = {
            "n": row.number,
            "file": row.place.file,
            "line": row.place.line,
            "id": row.place.id,
            "positive": row.positive_id,
            "split": row.split,
            "side": row.side,
            "is_valid": row.is_valid,
            "is_sound": row.is_sound,
            "schema": row.schema.key,
        }
        if row.is_sound:
            text, ast = normalised_request(row.query), canonical(row.ast)
            line |= {
                "request": key_of(text),
                "ast": key_of(json.dumps(ast)),
                "shape": key_of(row.schema.renaming.shape + row.schema.renaming.canonical_text(ast)),
                "text": text[:MAX_COMPARED],
            }
        self._waiting.append(line)
        if len(self._waiting) >= WAITING:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            batch = pa.Table.from_pylist(self._waiting, schema=COLUMNS)
            self._connection.from_arrow(batch).insert_into("rows")
            self._waiting.clear()

    def keep(self, table: str, query: str) -> None:
        """Keeps a query's rows as a table of this index."""
        self._flush()
        self._connection.execute(f"CREATE TABLE {table} AS {query}")

    def select(self, query: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The query's rows, some thousands in memory at a time."""
        self._flush()
        cursor = self._connection.cursor()
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(5_000):
            yield from rows

    def places(self, query: str) -> Iterator[tuple[Place, Place, Any]]:
        """(a row, its partner, what the query says of them) for a query of (n, partner's n, anything)."""
        joined = f"""
            SELECT a.file, a.line, a.id, b.file, b.line, b.id, found.said
            FROM ({query}) AS found(n, partner, said) JOIN rows a ON a.n = found.n JOIN rows b ON b.n = found.partner
            ORDER BY found.n
        """
        for *places, said in self.select(joined):
            yield Place(*places[:3]), Place(*places[3:]), said
