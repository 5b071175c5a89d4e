"""Measures the finder on all document families: python tests/quality/measure_found_invariants.py ROWS SHARES SEEDS.

Prints for each share of faulty rows how many seeded faults were named, by kind, and how many clean rows.
"""

import sys
from collections import Counter

from document_families import FAMILIES, FAULTS, corpus, nothing

from astudent.quality.invariants import Finder


def measure(sizes: list[int], share: float, seeds: int) -> Counter[str]:
    """Counts of seeded and of named faults by kind, of clean rows and of clean rows that were named."""
    counts: Counter[str] = Counter()
    for make in FAMILIES if share else (*FAMILIES, nothing):
        for size in sizes:
            for seed in range(seeds):
                rows, faults = corpus(make(seed), size, share, seed * 1000 + size)
                finder = Finder()
                for number, row in enumerate(rows):
                    finder.observe(number, row)
                named = {reference for finding in finder.findings() for reference, _ in finding.named}
                counts.update(f"{kind} seeded" for kind in faults.values())
                counts.update(f"{kind} named" for number, kind in faults.items() if number in named)
                counts.update({"clean": size - len(faults), "clean named": len(named - set(faults))})
    return counts


def main() -> None:
    """One line for each share."""
    sizes, shares = ([float(part) for part in text.split(",")] for text in sys.argv[1:3])
    for share in shares:
        counts = measure([int(size) for size in sizes], share, int(sys.argv[3]))
        kinds = ", ".join(f"{kind} {counts[f'{kind} named']}/{counts[f'{kind} seeded']}" for kind in FAULTS)
        print(f"{share:.1%} faulty: {kinds}; clean rows named: {counts['clean named']} of {counts['clean']}")


if __name__ == "__main__":
    main()
