"""The quality gate: nothing trains on unchecked data."""
