"""The page about the task shows rows that the program makes."""

import json
import re
from pathlib import Path

from astudent.tasks.support import INTENTS, SCHEMA, rows
from astudent.tasks.support.traps import TRAPS

PAGE = (Path(__file__).parents[2] / "docs" / "tasks_support.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^> (.+)\n>\n> `(\{.*\})` \((support-test_seen-\S+)\)$", re.MULTILINE)


def test_each_trap_is_shown_by_a_row_of_seed_11():
    made = {row.query_id: row for row in rows(11, train=0)}
    examples = EXAMPLE.findall(PAGE)
    assert {made[query_id].trap for _, _, query_id in examples} == set(TRAPS)
    for text, answer, query_id in examples:
        row = made[query_id]
        assert text == " / ".join(line for line in row.query.splitlines() if line)
        told = {key: value for key, value in row.ast_json.items() if value not in (None, [], False, "normal")}
        assert json.loads(answer) == told


def test_keys_intents_and_the_schemas_size_are_as_told():
    assert all(f"`{name}`" in PAGE for name in [*INTENTS, *SCHEMA["required"], *TRAPS])
    size = len(json.dumps(SCHEMA, separators=(",", ":")))
    assert f"({size:,} characters" in PAGE
