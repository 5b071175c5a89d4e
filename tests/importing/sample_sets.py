"""The small foreign sets that the tests import: hand-written rows in the formats of public sets."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests/importing/samples"
MAPPINGS = ROOT / "config/mappings"
SETS: dict[str, tuple[str, dict[str, str]]] = {
    "dialogue_states": ("dialogues.json", {"service": "services.json"}),
    "spider": ("spider.json", {"database": "tables.json"}),
    "bfcl": ("bfcl.json", {"truth": "bfcl_truth.json"}),
    "xlam": ("xlam.json", {}),
    "hermes": ("hermes.json", {}),
    "plain": ("plain.jsonl", {}),
}
"""Mapping -> its sample, and the sample's second files."""


def arguments(name: str, out: Path) -> list[str]:
    """What `astudent import` is given for one set."""
    sample, second = SETS[name]
    given = ["import", "--mapping", str(MAPPINGS / f"{name}.json"), "--in", str(SAMPLES / sample), "--out", str(out)]
    return given + [part for lookup, file in second.items() for part in ("--with", f"{lookup}={SAMPLES / file}")]
