"""One pass over a data set's rows that refuses what nothing may train on.

Checked: every positive fits its schema and every negative breaks it; a negative belongs to a positive; ids are
unique; no request stands twice under one schema, nor with two meanings; no request and no AST of `align` or of a test
split occurs in another side (train, align, test); no schema of `test_unseen` is trained on. Memory grows by digests
of the rows, not by rows.
"""

from collections import OrderedDict
from collections.abc import Iterable

from astudent.errors import AstudentError
from astudent.jsonl import line_of
from astudent.language.canonical import canonical_text
from astudent.language.splits import SIDES, digest_of, normalised_request
from astudent.language.validation import Validator
from astudent.quality.violations import GateReport, Kind, Violation
from astudent.records import DatasetRow

# Rows of one schema are spread over the file; each compiled schema costs some 100 kB.
MAX_VALIDATORS = 1024


def run_gate(rows: Iterable[DatasetRow], file: str = "rows", near_duplicate_similarity: float = 1.0) -> GateReport:
    """Checks all rows; `file` is what the violations call them. Never raises for what a row holds.

    Two requests of one schema with the same AST that are at least `near_duplicate_similarity` alike (0 to 1) are a
    suspicion: one of them teaches nothing.
    """
    gate = _Gate(GateReport(file), near_duplicate_similarity)
    for line, row in enumerate(rows, start=1):
        gate.check(line, row)
    return gate.finish()


def similarity(one: str, other: str) -> float:
    """Jaccard similarity (0 to 1) of two texts' runs of three words; a shorter text is one run."""
    first, second = _runs(one.split()), _runs(other.split())
    return len(first & second) / len(first | second)


def _runs(words: list[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2)))


class _Gate:
    """The indexes that one pass fills: digests of what was seen, with the id of the first row that had it."""

    def __init__(self, report: GateReport, near: float) -> None:
        self.report = report
        self._near = near
        self._wordings: dict[bytes, tuple[str, str]] = {}
        self._validators: OrderedDict[bytes, Validator | str] = OrderedDict()
        self._ids: dict[bytes, str] = {}
        self._meanings: dict[bytes, tuple[bytes, str]] = {}
        self._holders: dict[bytes, tuple[str, str]] = {}
        self._schema_sides: dict[bytes, tuple[str, str]] = {}

    def check(self, line: int, row: DatasetRow) -> None:
        self.report.rows += 1
        self.report.count({"split": row.split, "language": row.language, "is_valid": str(row.is_valid).lower()})
        self._check_id(line, row)
        schema = digest_of(line_of(row.schema_json).decode())
        self._check_schema_side(line, row, schema)
        validator = self._validator(schema, row)
        if isinstance(validator, str):
            self._add(line, row, "broken_schema", validator, "a JSON Schema 2020-12 that refers within itself only")
            return
        problems = validator.problems(row.ast_json)
        if not row.is_valid:
            self._check_negative(line, row, problems)
        elif problems:
            self._add(line, row, "invalid_positive", problems[0], "an AST that fits its schema")
        else:
            self._check_meaning(line, row, schema)

    def finish(self) -> GateReport:
        trained = self.report.counts.get("split", {}).get("train", 0)
        if not trained:
            found = "no row of split train"
            self.report.add(
                Violation(file=self.report.file, line=0, id="-", kind="no_training_rows", found=found, expected="one")
            )
        return self.report

    def _check_id(self, line: int, row: DatasetRow) -> None:
        digest = digest_of(row.query_id)
        if digest in self._ids:
            self._add(line, row, "duplicate_id", f"query_id {row.query_id} again", "one row per query_id")
        self._ids[digest] = row.split if row.is_valid else ""

    def _check_negative(self, line: int, row: DatasetRow, problems: list[str]) -> None:
        if not problems:
            self._add(line, row, "valid_negative", "an AST that fits the schema", "a broken one")
        if self._ids.get(digest_of(row.positive_id or "")) != row.split:
            found = f"positive_id {row.positive_id}"
            self._add(line, row, "orphan_negative", found, "a positive of its split that stands before it")

    def _check_meaning(self, line: int, row: DatasetRow, schema: bytes) -> None:
        canonical = canonical_text(row.ast_json)
        request = normalised_request(row.query)
        self._check_once(line, row, digest_of(f"{schema.hex()} {request}"), digest_of(canonical))
        self._check_wording(line, row, digest_of(f"{schema.hex()} {canonical}"), request)
        self._check_leak(line, row, f"request {request}", "request_leak")
        self._check_leak(line, row, f"ast {canonical}", "ast_leak")

    def _check_once(self, line: int, row: DatasetRow, request: bytes, meaning: bytes) -> None:
        earlier = self._meanings.setdefault(request, (meaning, row.query_id))
        if earlier[1] == row.query_id:
            return
        kind: Kind = "duplicate" if earlier[0] == meaning else "label_conflict"
        self._add(line, row, kind, f"the request of row {earlier[1]} again", "one row per schema and request")

    def _check_wording(self, line: int, row: DatasetRow, meaning: bytes, request: str) -> None:
        earlier, holder = self._wordings.setdefault(meaning, (request, row.query_id))
        if holder == row.query_id or similarity(earlier, request) < self._near:
            return
        file, found = self.report.file, f"the AST and nearly the words of row {holder}"
        self.report.suspect(
            Violation(file=file, line=line, id=row.query_id, kind="near_duplicate", found=found, expected="other words")
        )

    def _check_leak(self, line: int, row: DatasetRow, key: str, kind: Kind) -> None:
        side = SIDES[row.split]
        holder = self._holders.setdefault(digest_of(key), (side, row.query_id))
        if holder[0] != side:
            found = f"the same as row {holder[1]} of {holder[0]}"
            self._add(line, row, kind, found, f"nothing of {row.split} in {holder[0]}")

    def _check_schema_side(self, line: int, row: DatasetRow, schema: bytes) -> None:
        side = "unseen" if row.split == "test_unseen" else "seen"
        holder = self._schema_sides.setdefault(schema, (side, row.query_id))
        if holder[0] != side:
            found = f"the schema of row {holder[1]}, which is {holder[0]} in training"
            self._add(line, row, "schema_leak", found, "schemas of test_unseen that no other split uses")

    def _validator(self, digest: bytes, row: DatasetRow) -> Validator | str:
        if digest in self._validators:
            self._validators.move_to_end(digest)
            return self._validators[digest]
        if len(self._validators) >= MAX_VALIDATORS:
            self._validators.popitem(last=False)
        try:
            made: Validator | str = Validator(row.schema_json)
        except AstudentError as error:
            made = error.message
        return self._validators.setdefault(digest, made)

    def _add(self, line: int, row: DatasetRow, kind: Kind, found: str, expected: str) -> None:
        file = self.report.file
        self.report.add(Violation(file=file, line=line, id=row.query_id, kind=kind, found=found, expected=expected))
