"""A database as Spider's tables.json describes it -> the JSON Schema of a language of queries over it.

A query is {"select", "from", "where", "group_by", "having", "order_by", "limit"} and one of "union", "intersect",
"except"; columns are named `table.column`, and `*` is every column.
"""

from pydantic import BaseModel, Field

from astudent.importing.scope import Json, RejectedError, read_as

FUNCTIONS = ("max", "min", "count", "sum", "avg")
ARITHMETIC = ("-", "+", "*", "/")
COMPARISONS = ("between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists")
SET_OPERATIONS = ("union", "intersect", "except")
ALL_COLUMNS = "*"


class Database(BaseModel):
    """An entry of tables.json. A column is (number of its table, name); the first one is (-1, `*`)."""

    db_id: str
    tables: list[str] = Field(alias="table_names_original")
    columns: list[tuple[int, str]] = Field(alias="column_names_original")

    def column(self, number: int) -> str:
        """The column's name in the language of queries. RejectedError where there is none of that number."""
        if not 0 <= number < len(self.columns):
            raise RejectedError(f"column {number}, and the database has {len(self.columns)}")
        table, name = self.columns[number]
        return name if table < 0 else f"{self.table(table)}.{name}"

    def table(self, number: int) -> str:
        """The table's name. RejectedError where there is none of that number."""
        if not 0 <= number < len(self.tables):
            raise RejectedError(f"table {number}, and the database has {len(self.tables)}")
        return self.tables[number]


def read_database(found: Json) -> Database:
    """The entry of tables.json. RejectedError names what it lacks."""
    return read_as(Database, found, "a database")


def query_schema(found: Json) -> dict[str, Json]:
    """The schema of all queries over the database; names of tables and columns are enumerated."""
    database = read_database(found)
    columns = list(dict.fromkeys(database.column(number) for number in range(len(database.columns))))
    if not database.tables or not columns:
        raise RejectedError("a database without tables or columns")
    definitions = {
        "table": {"enum": list(dict.fromkeys(database.tables))},
        "column": {"enum": columns},
        "expression": _EXPRESSION,
        "value": _VALUE,
        "condition": _CONDITION,
        "query": _query(),
    }
    return {"title": database.db_id, "$ref": "#/$defs/query", "$defs": definitions}


def _to(name: str) -> dict[str, Json]:
    return {"$ref": f"#/$defs/{name}"}


def _some(name: str, least: int = 1) -> dict[str, Json]:
    return {"type": "array", "items": _to(name), "minItems": least}


def _object(properties: dict[str, Json], *required: str) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_EXPRESSION = {
    "anyOf": [
        _object({"column": _to("column"), "distinct": {"const": True}}, "column"),
        _object(
            {"function": {"enum": list(FUNCTIONS)}, "of": _to("expression"), "distinct": {"const": True}},
            *("function", "of"),
        ),
        _object(
            {"left": _to("expression"), "operator": {"enum": list(ARITHMETIC)}, "right": _to("expression")},
            *("left", "operator", "right"),
        ),
    ]
}
_VALUE = {"anyOf": [{"type": ["number", "string"]}, _to("expression"), _object({"query": _to("query")}, "query")]}
_CONDITION = {
    "anyOf": [
        _object({"and": _some("condition", 2)}, "and"),
        _object({"or": _some("condition", 2)}, "or"),
        _object({"not": _to("condition")}, "not"),
        _object(
            {
                "left": _to("expression"),
                "operator": {"enum": list(COMPARISONS)},
                "value": {
                    "anyOf": [_to("value"), {"type": "array", "items": _to("value"), "minItems": 2, "maxItems": 2}]
                },
            },
            *("left", "operator", "value"),
        ),
    ]
}


def _query() -> dict[str, Json]:
    source = {"anyOf": [_to("table"), _object({"query": _to("query")}, "query")]}
    order = _object({"direction": {"enum": ["asc", "desc"]}, "by": _some("expression")}, "direction", "by")
    return _object(
        {
            "select": _some("expression"),
            "distinct": {"const": True},
            "from": {"type": "array", "items": source, "minItems": 1},
            "join_on": _to("condition"),
            "where": _to("condition"),
            "group_by": _some("expression"),
            "having": _to("condition"),
            "order_by": order,
            "limit": {"type": "integer", "minimum": 1},
            **dict.fromkeys(SET_OPERATIONS, _to("query")),
        },
        *("select", "from"),
    )
