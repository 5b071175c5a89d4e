"""JSON texts without a model: taken out of prose, checked, repaired, shown by role, compared. Imports no torch."""
