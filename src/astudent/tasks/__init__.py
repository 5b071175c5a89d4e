"""Benchmark tasks: rows that Python makes alone, with known truth."""
