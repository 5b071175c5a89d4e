"""The parts of an AST, for tests that change some of them in place."""

from typing import Any


def conditions_in(ast: dict[str, Any]) -> list[dict[str, Any]]:
    """Every condition of the AST, the outermost first."""
    found: list[dict[str, Any]] = []
    pending = [ast["where"]] if "where" in ast else []
    while pending:
        node = pending.pop()
        found.append(node)
        pending += node.get("and", []) + node.get("or", []) + ([node["not"]] if "not" in node else [])
    return found
