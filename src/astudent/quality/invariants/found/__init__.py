"""Invariants that nobody declared: relations that nearly all rows of one schema keep, and the rows that break them."""
