"""Invariants of rows: declared in a schema and checked, or found in the rows and broken in a few of them."""

from astudent.quality.invariants.breach import Breach
from astudent.quality.invariants.declared import Invariants, RuleError, compile_invariants
from astudent.quality.invariants.found.finder import Finder, Finding

__all__ = ["Breach", "Finder", "Finding", "Invariants", "RuleError", "compile_invariants"]
