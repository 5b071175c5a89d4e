"""Measures equivalence on random ASTs of random languages: python tests/language/measure_equivalence.py ASTS SEED.

Prints how many rewrites that keep the meaning were told apart (none may be), and how many changes of the meaning, each
shown by a table on which a brute-force interpreter gives two answers, went unseen; both by kind.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from meaning_mutations import mutated
from random_languages import ast, language
from random_tables import witness
from rewrites import rewritten

from astudent.language.equivalence import equivalent
from astudent.language.validation import validator_for

ASTS_A_LANGUAGE = 10
MAX_STEPS = 4
DRAWS = 20  # of a rewrite or a mutation that keeps to the schema


@dataclass
class Figures:
    """Counts by kind. `faults` holds (what is wrong, first AST, second AST, schema)."""

    languages: int = 0
    asts: int = 0
    rewrites: Counter[str] = field(default_factory=Counter[str])
    rewritten: int = 0
    changed: Counter[str] = field(default_factory=Counter[str])
    caught: Counter[str] = field(default_factory=Counter[str])
    without_witness: int = 0
    faults: list[tuple[str, Any, Any, Any]] = field(default_factory=list)

    @property
    def told_apart(self) -> int:
        """Rewrites that equivalence takes for another meaning."""
        return sum(kind == "told apart" for kind, *_ in self.faults)

    @property
    def caught_share(self) -> float:
        """Of the changes that a table shows."""
        return self.caught.total() / self.changed.total()

    def lines(self) -> list[str]:
        """The figures as text."""
        kinds = (f"{kind} {self.caught[kind]}/{count}" for kind, count in sorted(self.changed.items()))
        steps = (f"{name} {count}" for name, count in sorted(self.rewrites.items()))
        return [
            f"{self.asts} ASTs of {self.languages} languages",
            f"told apart: {self.told_apart} of {self.rewritten} rewritten ASTs ({', '.join(steps)})",
            f"caught: {self.caught.total()} of {self.changed.total()} changed meanings ({self.caught_share:.2%}): {', '.join(kinds)}",
            f"{self.without_witness} further changes that no table tried shows are not counted",
        ]


def measure(count: int, seed: int) -> Figures:
    """So many ASTs, each rewritten once and changed once; every change that keeps to the schema counts."""
    figures, rng = Figures(), Random(seed)
    while figures.asts < count:
        schema, vocabulary = language(rng)
        figures.languages += 1
        for _ in range(min(ASTS_A_LANGUAGE, count - figures.asts)):
            figures.asts += 1
            first = ast(schema, vocabulary, rng)
            _rewrite(figures, first, schema, vocabulary, rng)
            _change(figures, first, schema, vocabulary, rng)
    return figures


def _rewrite(figures: Figures, first: Any, schema: Any, vocabulary: Any, rng: Random) -> None:
    for _ in range(DRAWS):
        second, names = rewritten(first, vocabulary, rng, rng.randint(1, MAX_STEPS))
        if names and validator_for(schema).is_valid(second):
            figures.rewritten += 1
            figures.rewrites.update(names)
            if not equivalent(first, second, schema).equal or not equivalent(second, first, schema).equal:
                figures.faults.append(("told apart", first, second, schema))
            return


def _change(figures: Figures, first: Any, schema: Any, vocabulary: Any, rng: Random) -> None:
    for _ in range(DRAWS):
        second, name = mutated(first, vocabulary, rng)
        if second == first or not validator_for(schema).is_valid(second):
            continue
        if witness(first, second, vocabulary, rng) is None:
            figures.without_witness += 1
            continue
        figures.changed[name] += 1
        is_caught = not equivalent(first, second, schema).equal
        figures.caught[name] += is_caught
        if not is_caught:
            figures.faults.append((f"unseen: {name}", first, second, schema))
        return


def main() -> None:
    """The figures, and every fault."""
    figures = measure(*map(int, sys.argv[1:3]))
    print("\n".join(figures.lines()))
    for kind, first, second, _ in figures.faults:
        print(f"{kind}\n  {first}\n  {second}")


if __name__ == "__main__":
    main()
