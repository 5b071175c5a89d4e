"""SQL as Spider's parser writes it, with numbers for tables, columns and operators -> a query of the database's language.

Numbers mean what they mean there: functions none, max, min, count, sum, avg; operators not, between, =, >, <, >=, <=, !=,
in, like, is, exists; arithmetic none, -, +, *, /. Of conditions in a row `and` binds before `or`.
"""

from typing import Literal

from pydantic import BaseModel, Field

from astudent.importing.databases import ARITHMETIC, COMPARISONS, FUNCTIONS, SET_OPERATIONS, Database, read_database
from astudent.importing.scope import Json, RejectedError, read_as

Column = tuple[int, int, bool | None]  # function, column, distinct
Expression = tuple[int, Column, Column | None]  # arithmetic, left, right
Operand = "ParsedSql | Column | int | float | str | None"
Comparison = tuple[bool, int, Expression, Operand, Operand]  # not, operator, left, value, second value
Condition = list[Literal["and", "or"] | Comparison]


class From(BaseModel):
    """`table_units` are ["table_unit", number] or ["sql", query]; `conds` is what the tables are joined on."""

    table_units: list[tuple[Literal["table_unit"], int] | tuple[Literal["sql"], "ParsedSql"]]
    conds: Condition = Field(default_factory=list)


class ParsedSql(BaseModel):
    """One query; `select` and `order_by` as (distinct, [(function, expression)]) and (direction, [expression])."""

    select: tuple[bool, list[tuple[int, Expression]]]
    source: From = Field(alias="from")
    where: Condition = Field(default_factory=list)
    group_by: list[Column] = Field(default_factory=list, alias="groupBy")
    having: Condition = Field(default_factory=list)
    order_by: tuple[Literal["asc", "desc"], list[Expression]] | tuple[()] = Field(default=(), alias="orderBy")
    limit: int | None = None
    union: "ParsedSql | None" = None
    intersect: "ParsedSql | None" = None
    except_: "ParsedSql | None" = Field(default=None, alias="except")


def query_answer(sql: Json, database: Json) -> dict[str, Json]:
    """The query with names for numbers. RejectedError where it has another form, or numbers that mean nothing."""
    return _Reader(read_database(database)).query(read_as(ParsedSql, sql, "parsed SQL"))


class _Reader:
    """Reads queries over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def query(self, sql: ParsedSql) -> dict[str, Json]:
        """The parts that the query has, in the order of the schema."""
        is_distinct, selected = sql.select
        parts: dict[str, Json] = {
            "select": [self._applied(function, self._expression(inner)) for function, inner in selected],
            "distinct": is_distinct or None,
            "from": [self._source(*unit) for unit in sql.source.table_units],
            "join_on": self._condition(sql.source.conds),
            "where": self._condition(sql.where),
            "group_by": [self._column(column) for column in sql.group_by],
            "having": self._condition(sql.having),
            "order_by": self._order(sql.order_by),
            "limit": sql.limit,
        }
        for name, other in zip(SET_OPERATIONS, (sql.union, sql.intersect, sql.except_), strict=True):
            parts[name] = None if other is None else self.query(other)
        return {name: part for name, part in parts.items() if part not in (None, [])}

    def _source(self, kind: str, unit: "int | ParsedSql") -> Json:
        return self._database.table(unit) if isinstance(unit, int) else {"query": self.query(unit)}

    def _order(self, order: tuple[str, list[Expression]] | tuple[()]) -> Json:
        return {"direction": order[0], "by": [self._expression(each) for each in order[1]]} if order else None

    def _expression(self, expression: Expression) -> dict[str, Json]:
        arithmetic, left, right = expression
        operator = _named(arithmetic, ("none", *ARITHMETIC), "arithmetic")
        if operator == "none":
            return self._column(left)
        if right is None:
            raise RejectedError(f"arithmetic ({operator}) with one side")
        return {"left": self._column(left), "operator": operator, "right": self._column(right)}

    def _column(self, column: Column) -> dict[str, Json]:
        function, number, is_distinct = column
        named: dict[str, Json] = {"column": self._database.column(number)}
        applied = self._applied(function, named)
        return applied | {"distinct": True} if is_distinct else applied

    def _applied(self, function: int, inner: dict[str, Json]) -> dict[str, Json]:
        name = _named(function, ("none", *FUNCTIONS), "function")
        return inner if name == "none" else {"function": name, "of": inner}

    def _condition(self, parts: Condition) -> Json:
        """None for no condition."""
        if not parts:
            return None
        groups: list[list[Json]] = [[]]
        for place, part in enumerate(parts):
            if isinstance(part, str) != (place % 2 == 1) or (place == len(parts) - 1 and isinstance(part, str)):
                raise RejectedError("conditions that are not joined one by one")
            if part == "or":
                groups.append([])
            elif not isinstance(part, str):
                groups[-1].append(self._comparison(part))
        return _joined("or", [_joined("and", group) for group in groups])

    def _comparison(self, comparison: Comparison) -> dict[str, Json]:
        is_negated, number, left, first, second = comparison
        operator = _named(number, ("not", *COMPARISONS), "operator")
        if operator == "not":
            raise RejectedError("an operator of number 0, which is none by itself")
        value = [self._value(first), self._value(second)] if operator == "between" else self._value(first)
        compared = {"left": self._expression(left), "operator": operator, "value": value}
        return {"not": compared} if is_negated else compared

    def _value(self, value: "ParsedSql | Column | int | float | str | None") -> Json:
        if isinstance(value, ParsedSql):
            return {"query": self.query(value)}
        if isinstance(value, tuple):
            return self._column(value)
        if value is None:
            raise RejectedError("a comparison without a value")
        return value[1:-1] if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] in "\"'" else value


def _joined(connective: str, parts: list[Json]) -> Json:
    return parts[0] if len(parts) == 1 else {connective: parts}


def _named(number: int, names: tuple[str, ...], what: str) -> str:
    if not 0 <= number < len(names):
        raise RejectedError(f"{what} {number}, which is none")
    return names[number]
