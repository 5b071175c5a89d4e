"""What `astudent export --verify` prints and writes."""

import json
from pathlib import Path

from astudent.commands.output import safe
from astudent.errors import RunError
from astudent.export.proof import Proof
from astudent.jsonl import write_atomic


def write_proof(proof: Proof, path: Path) -> None:
    """The table, what failed and why, and the file. RunError where something failed."""
    report = proof.as_json()
    write_atomic(path, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    print(proof.as_table())
    lines = (
        *proof.failures,
        *(f"cause: {cause}" for cause in proof.causes),
        *(f"note: {note}" for note in proof.notes),
    )
    for line in lines:
        print(safe(line))
    print(f"{report['verdict']}; see {path}", flush=True)
    if report["verdict"] == "fail":
        raise RunError("the export does not answer as its adapter does", "The lines above say where and why.")
