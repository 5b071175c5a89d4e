"""What the gate said of the data that a trainer is given, found by the records beside the files.

- The corpus (stage 06): its metadata hold the gate's verdict, and the hash of the corpus that it is about.
- Pairs (stage 10): their run's record names the evaluation that they come from, that one's record the data set. They
  are cleared when it is the very data set, by hash, that the corpus's metadata give a pass: the gate saw its align
  split too. The pairs themselves were checked when stage 09 made them.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from astudent.errors import RunError
from astudent.jsonl import sha256_of
from astudent.launch import is_first
from astudent.quality.violations import Violation
from astudent.stage import record_path

METADATA_NAME = "training_corpus_metadata.json"
SHOWN = 5
"""Violations that are named when a trainer is refused; all are in the metadata."""


@dataclass(frozen=True)
class Clearance:
    """`unknown`: nobody knows that the gate saw these data. `reasons` are lines to show."""

    data: Path
    verdict: Literal["pass", "fail", "unknown"]
    message: str = ""
    reasons: tuple[str, ...] = ()

    def require(self, required: bool) -> str:
        """The verdict, for the records of what is trained. RunError where it is no pass and a pass is `required`;
        else that is said on stderr."""
        if self.verdict == "pass":
            return self.verdict
        if is_first():
            for reason in self.reasons:
                print(reason, file=sys.stderr)
        if required:
            hint = "Mend the data and run stage 05 again; or train all the same with --allow-unchecked."
            raise RunError(f"{self.data}: {self.message}", hint)
        if is_first():
            print(f"warning: {self.data}: {self.message}; going on without (--allow-unchecked)", file=sys.stderr)
        return self.verdict


def corpus_clearance(corpus: Path) -> Clearance:
    """What the metadata beside the corpus say of it."""
    metadata = _read(corpus.with_name(METADATA_NAME))
    if metadata is None:
        return Clearance(corpus, "unknown", f"no {METADATA_NAME} beside it: the quality gate has not checked it")
    if metadata.get("verdict") != "pass":
        return _failed(corpus, metadata)
    if metadata.get("corpus_sha256", (known := sha256_of(corpus))) != known:
        return Clearance(corpus, "unknown", "changed since the quality gate passed it")
    return Clearance(corpus, "pass")


def pairs_clearance(pairs: Path, corpus: Path) -> Clearance:
    """What the corpus's metadata say of the data set that the pairs come from."""
    metadata = _read(corpus.with_name(METADATA_NAME))
    if metadata is None:
        return Clearance(pairs, "unknown", f"no {METADATA_NAME} beside {corpus}: nobody has checked their data set")
    if metadata.get("verdict") != "pass":
        return _failed(pairs, metadata)
    sources = (_read(record_path(pairs)) or {}).get("inputs") or {}
    cleared = metadata.get("dataset_sha256")
    if not sources or not all(_comes_from(Path(source), sha256, cleared) for source, sha256 in sources.items()):
        return Clearance(pairs, "unknown", "not known to come from the data set that the quality gate passed")
    return Clearance(pairs, "pass")


def _comes_from(results: Path, sha256: str, dataset_sha256: object) -> bool:
    """Whether these results are as they were when the pairs were made, of an evaluation of that data set."""
    if not results.is_file() or sha256_of(results) != sha256:
        return False
    return dataset_sha256 in ((_read(record_path(results)) or {}).get("inputs") or {}).values()


def _failed(data: Path, metadata: dict[str, Any]) -> Clearance:
    gate = metadata.get("gate") or {}
    named = [Violation.model_validate(violation).one_line() for violation in gate.get("violations", ())[:SHOWN]]
    count = sum(gate.get("violation_counts", {}).values())
    return Clearance(data, "fail", f"the quality gate found {count} violations", tuple(named))


def _read(path: Path) -> dict[str, Any] | None:
    """The JSON object in the file; None where there is no file. RunError for anything else in it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunError(f"{path}: not JSON: {error}", "Run the stage that writes it again, with --fresh.") from error
    if not isinstance(found, dict):
        raise RunError(f"{path}: no JSON object", "Run the stage that writes it again, with --fresh.")
    return found
