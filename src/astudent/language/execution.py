"""What an AST means: a query that runs on DuckDB over tables of the schema's fields.

The order of work is that of the keys: `where` selects rows, `sort` orders them (ties in the table's order), `limit`
keeps the first n of that order, then `group_by` and `aggregate` see what is left. Texts compare in composed Unicode, case
matters. Without a row a count is 0 and any other aggregate None.

Queries are built with DuckDB's expression API on columns that are named here (`c0`, `c1`, ...): no value and no name
of an AST or a schema is ever pasted into SQL text.
"""

import datetime
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow
from duckdb import ColumnExpression, ConstantExpression, Expression, FunctionExpression

from astudent.errors import RunError
from astudent.language.canonical import canonical
from astudent.language.serialise import dumps
from astudent.language.vocabulary import FieldInfo, Vocabulary

Rows = Sequence[Mapping[str, Any]]  # one table: a value for each field and row, as in JSON
ARROW_TYPES = {
    "boolean": pyarrow.bool_(),
    "date": pyarrow.date32(),
    "string": pyarrow.string(),
    "enum": pyarrow.string(),
}
_local = threading.local()


class NoMeaningError(RunError):
    """An AST that says nothing over this vocabulary: an unknown field, an operator or a value of another type."""


@dataclass(frozen=True)
class Result:
    """What a query gives on one table.

    `rows`: the numbers of the rows, in order; `groups`: group key -> aggregate (None without one); `value`: an aggregate.
    """

    kind: str
    content: Any


def run(ast: Mapping[str, Any], tables: Sequence[Rows], vocabulary: Vocabulary) -> list[Result]:
    """The result on each table; all tables are searched in one query. NoMeaningError as above."""
    query = _Query(canonical(ast), vocabulary)
    fields = query.fields()
    numbered = [(number, index, row) for number, table in enumerate(tables) for index, row in enumerate(table)]
    columns = {name: [row[name] for _, _, row in numbered] for name in fields}
    places = {"t": [number for number, _, _ in numbered], "r": [index for _, index, _ in numbered]}
    return query.results(_relation(columns, vocabulary, places), len(tables))


def matching(
    conditions: Sequence[Any], columns: Mapping[str, Sequence[Any]], vocabulary: Vocabulary
) -> list[tuple[bool, ...]]:
    """For each row of the columns, which of the (canonical) conditions hold; a condition None holds everywhere."""
    names = list(columns)
    tests = [compile_condition(condition, vocabulary, names).alias(f"w{i}") for i, condition in enumerate(conditions)]
    return _relation(columns, vocabulary, {}).project(*tests).fetchall()


def compile_condition(node: Any, vocabulary: Vocabulary, names: Sequence[str]) -> Expression:
    """A canonical condition as a DuckDB expression over the columns `c0`... that stand for `names`."""
    if node is None:
        return ConstantExpression(True)
    try:
        return _condition(node, vocabulary, names)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise NoMeaningError(f"no condition of this language: {dumps(node)[:120]} ({error})") from error


def column_value(field: FieldInfo, value: Any) -> Any:
    """A JSON value as its field's column holds it; TypeError or ValueError where it is of another type."""
    if field.type == "enum":
        return dumps(value)
    wanted: Any = {"boolean": bool, "date": str, "string": str}.get(field.type, (int, float))
    if not isinstance(value, wanted) or (isinstance(value, bool) and field.type != "boolean"):
        raise TypeError(f"{value!r} is no {field.type}")
    if field.type == "date":
        return datetime.date.fromisoformat(str(value))
    return float(value) if field.type in ("number", "integer") else value


def _condition(node: Mapping[str, Any], vocabulary: Vocabulary, names: Sequence[str]) -> Expression:
    if "not" in node:
        return ~_condition(node["not"], vocabulary, names)
    for connective in ("and", "or"):
        if connective in node:
            parts = [_condition(part, vocabulary, names) for part in node[connective]]
            return _join(connective, parts)
    field = vocabulary.fields[node["field"]]
    column = ColumnExpression(f"c{names.index(field.name)}")
    return _compare(node["operator"], column, node["value"], lambda value: _constant(field, value))


def _join(connective: str, parts: list[Expression]) -> Expression:
    result = ConstantExpression(connective == "and")
    for part in parts:
        result = (result & part) if connective == "and" else (result | part)
    return result


def _compare(operator: str, column: Expression, value: Any, constant: Callable[[Any], Expression]) -> Expression:
    match operator:
        case "eq":
            return column == constant(value)
        case "neq":
            return column != constant(value)
        case "gt":
            return column > constant(value)
        case "gte":
            return column >= constant(value)
        case "lt":
            return column < constant(value)
        case "lte":
            return column <= constant(value)
        case "between":
            low, high = value
            return (column >= constant(low)) & (column <= constant(high))
        case "in" | "not_in":
            member = column.isin(*map(constant, value))
            return member if operator == "in" else ~member
        case "contains" | "starts_with" | "ends_with":
            return FunctionExpression(operator, column, constant(value))
    raise ValueError(f"operator {operator!r}")


def _constant(field: FieldInfo, value: Any) -> Expression:
    return ConstantExpression(column_value(field, value))


class _Query:
    """One canonical AST over tables that stand in one relation, told apart by column `t`, rows numbered in `r`."""

    def __init__(self, ast: Mapping[str, Any], vocabulary: Vocabulary) -> None:
        self.ast, self.vocabulary = ast, vocabulary
        self.names = self.fields()
        for name in self.names:
            if name not in vocabulary.fields:
                raise NoMeaningError(f"no field {name!r} in this language")

    def fields(self) -> list[str]:
        """All fields that the AST names."""
        named = {*tail_fields(self.ast), *(comparison["field"] for comparison in comparisons(self.ast.get("where")))}
        return sorted(named)

    def results(self, relation: duckdb.DuckDBPyRelation, tables: int) -> list[Result]:
        where = compile_condition(self.ast.get("where"), self.vocabulary, self.names)
        selected = relation.filter(where) if "where" in self.ast else relation
        if "limit" in self.ast or "sort" in self.ast:
            columns = [ColumnExpression(name) for name in ("t", "r", *self._columns())]
            selected = selected.project(*columns, self._place().alias("n"))
        if "limit" in self.ast:
            selected = selected.filter(ColumnExpression("n") <= ConstantExpression(self.ast["limit"]))
        if "group_by" in self.ast or "aggregate" in self.ast:
            return self._aggregated(selected, tables)
        return self._listed(selected, tables)

    def _columns(self) -> list[str]:
        return [f"c{index}" for index in range(len(self.names))]

    def _column(self, name: str) -> str:
        return f"c{self.names.index(name)}"

    def _place(self) -> Expression:
        """A row's place, from 1, among the selected rows of its table."""
        order = []
        for key in self.ast.get("sort", []):
            column = ColumnExpression(self._column(key["field"]))
            order.append(column.desc() if key["order"] == "desc" else column.asc())
        window = FunctionExpression("row_number")
        return window.over(partition_by=[ColumnExpression("t")], order_by=[*order, ColumnExpression("r").asc()])

    def _listed(self, selected: duckdb.DuckDBPyRelation, tables: int) -> list[Result]:
        place = "n" if "sort" in self.ast or "limit" in self.ast else "r"
        found = sorted(selected.project(*map(ColumnExpression, ("t", place, "r"))).fetchall())
        listed: dict[int, list[int]] = defaultdict(list)
        for table, _, row in found:
            listed[table].append(row)
        return [Result("rows", listed[table]) for table in range(tables)]

    def _aggregated(self, selected: duckdb.DuckDBPyRelation, tables: int) -> list[Result]:
        groups = ["t", *(self._column(name) for name in self.ast.get("group_by", []))]
        columns = [*map(ColumnExpression, groups), self._aggregate().alias("v")]
        found: dict[int, dict[tuple, Any]] = defaultdict(dict)
        for table, *key, value in selected.aggregate(columns, ", ".join(groups)).fetchall():
            found[table][tuple(key)] = value if "aggregate" in self.ast else None
        if "group_by" in self.ast:
            return [Result("groups", _named(found[table], self.ast["group_by"])) for table in range(tables)]
        nothing = 0 if self.ast["aggregate"]["function"] == "count" else None
        return [Result("value", found[table].get((), nothing)) for table in range(tables)]

    def _aggregate(self) -> Expression:
        aggregate = self.ast.get("aggregate", {"function": "count"})
        if aggregate["function"] == "count":
            return FunctionExpression("count")
        if aggregate["function"] not in ("sum", "avg", "min", "max"):
            raise NoMeaningError(f"no aggregate {aggregate['function']!r} in this language")
        return FunctionExpression(aggregate["function"], ColumnExpression(self._column(aggregate["field"])))


def _named(groups: dict[tuple, Any], names: Sequence[str]) -> dict[tuple, Any]:
    return {tuple(zip(names, key, strict=True)): value for key, value in groups.items()}


def comparisons(node: Any) -> list[Mapping[str, Any]]:
    """All comparisons of a condition."""
    if not isinstance(node, Mapping):
        return []
    if "field" in node:
        return [node]
    inner = node.get("and") or node.get("or") or [node.get("not")]
    if not isinstance(inner, list):
        raise NoMeaningError(f"no condition of this language: {dumps(node)[:120]}")
    return [comparison for part in inner for comparison in comparisons(part)]


def tail_fields(ast: Mapping[str, Any]) -> list[str]:
    """The fields that what follows the conditions names."""
    aggregate = ast.get("aggregate", {})
    named = [key["field"] for key in ast.get("sort", [])] + list(ast.get("group_by", []))
    return named + ([aggregate["field"]] if "field" in aggregate else [])


def _relation(
    columns: Mapping[str, Sequence[Any]], vocabulary: Vocabulary, places: Mapping[str, Sequence[int]]
) -> duckdb.DuckDBPyRelation:
    """The columns as `c0`, `c1`..., beside the integer columns of `places`."""
    arrays: dict[str, Any] = {name: pyarrow.array(numbers, pyarrow.int64()) for name, numbers in places.items()}
    for index, (name, column) in enumerate(columns.items()):
        field = vocabulary.fields[name]
        values = [column_value(field, value) for value in column]
        arrays[f"c{index}"] = pyarrow.array(values, ARROW_TYPES.get(field.type, pyarrow.float64()))
    return _connection().from_arrow(pyarrow.table(arrays))


def _connection() -> duckdb.DuckDBPyConnection:
    """One database in memory per thread; one worker thread, since the tables are small."""
    if not hasattr(_local, "connection"):
        _local.connection = duckdb.connect(":memory:", config={"threads": 1})
    return _local.connection
