"""Support tickets: customers' messages in English and French to JSON by one fixed schema, with known truth."""

from astudent.tasks.support.rows import SCHEMA_ID, is_held_out, rows
from astudent.tasks.support.schema import INTENTS, SCHEMA, VERSION

__all__ = ["INTENTS", "SCHEMA", "SCHEMA_ID", "VERSION", "is_held_out", "rows"]
