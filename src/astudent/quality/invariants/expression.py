"""The text of a rule -> its parsed form: Python's expression syntax, of which a short list is taken.

Taken: member names and dotted paths, `member("net-total")`, + - * /, comparisons (chained too), and/or/not, numbers,
texts, true/false/null, and the functions of `functions.py`, present and implies. Nothing is ever run by Python itself.
"""

import ast
import re
import warnings
from collections.abc import Callable
from decimal import Decimal

from astudent.quality.invariants.functions import FUNCTIONS
from astudent.quality.invariants.nodes import (
    Arithmetic,
    Call,
    Comparison,
    Implication,
    Literal,
    Logic,
    Member,
    Node,
    Not,
    Present,
)  # fmt: skip

MAX_LENGTH = 500
MAX_NODES = 200
MAX_DEPTH = 25
NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)
CONSTANTS = {"true": True, "false": False, "null": None}
ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
ARGUMENTS = {name: (function.least, function.most) for name, function in FUNCTIONS.items()} | {
    "present": (1, 1), "implies": (2, 2),
}  # fmt: skip
"""How many arguments each function takes; present and implies have nodes of their own, since they forgive absence."""
CONDITIONS = frozenset({"near", "is_sorted", "unique"})


class UnreadableError(ValueError):
    """The text is no rule; the message says why."""


def parse(text: str) -> Node:
    """The rule that `text` spells. UnreadableError: not a rule, or beyond the limits."""
    if len(text) > MAX_LENGTH:
        raise UnreadableError(f"longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on odd code, which this is not
            body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UnreadableError(f"no expression: {reason}") from None
    _check_size(body)
    node = _node(body, text.strip())
    if not _is_condition(node):
        raise UnreadableError("no condition: compare something, as in total == subtotal + tax")
    return node


def _check_size(body: ast.expr) -> None:
    level: list[ast.AST] = [body]
    count = 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if not level:
            break
    if level or count > MAX_NODES:
        raise UnreadableError(f"more than {MAX_NODES} parts, or {MAX_DEPTH} in one another")


def _is_condition(node: Node) -> bool:
    if isinstance(node, Call):
        return node.function in CONDITIONS
    # a member may be a boolean; only its value can tell
    return isinstance(node, Comparison | Logic | Not | Present | Implication | Member)


def _node(node: ast.expr, text: str) -> Node:
    read = READERS.get(type(node))
    if read is None:
        raise UnreadableError(f"{type(node).__name__} is not part of the rule language: {ast.unparse(node)[:60]}")
    return read(node, text)


def _constant(node: ast.Constant, text: str) -> Node:
    if node.value is None or isinstance(node.value, bool):
        return Literal(str(node.value).lower(), node.value)
    if isinstance(node.value, str):
        return Literal(ast.unparse(node), node.value)
    spelling = ast.get_source_segment(text, node) or ""
    if not NUMBER.fullmatch(spelling):
        raise UnreadableError(f"{spelling[:40]} is no plain number")
    return Literal(spelling, Decimal(spelling))


def _name(node: ast.Name, text: str) -> Node:
    if node.id in CONSTANTS:
        return Literal(node.id, CONSTANTS[node.id])
    return Member(node.id, (node.id,))


def _attribute(node: ast.Attribute, text: str) -> Node:
    owner = _node(node.value, text)
    if not isinstance(owner, Member):
        raise UnreadableError(f"{ast.unparse(node)[:60]}: only members have members")
    return Member(f"{owner.source}.{node.attr}", (*owner.steps, node.attr))


def _binary(node: ast.BinOp, text: str) -> Node:
    symbol = ARITHMETIC.get(type(node.op))
    if symbol is None:
        raise UnreadableError(f"only + - * / compute: {ast.unparse(node)[:60]}")
    return Arithmetic(ast.unparse(node), _node(node.left, text), symbol, _node(node.right, text))


def _unary(node: ast.UnaryOp, text: str) -> Node:
    source, operand = ast.unparse(node), _node(node.operand, text)
    if isinstance(node.op, ast.Not):
        return Not(source, operand)
    if not isinstance(node.op, ast.USub):
        raise UnreadableError(f"only - and not stand before a value: {source[:60]}")
    if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
        return Literal(source, -operand.value)
    return Arithmetic(source, Literal("0", Decimal(0)), "-", operand)


def _comparison(node: ast.Compare, text: str) -> Node:
    symbols = [COMPARISONS.get(type(operator)) for operator in node.ops]
    if None in symbols:
        raise UnreadableError(f"only == != < <= > >= compare: {ast.unparse(node)[:60]}")
    source = ast.unparse(node)
    operands = tuple(_node(operand, text) for operand in (node.left, *node.comparators))
    if any(isinstance(operand, Literal) and operand.value is None for operand in operands):
        return _null_comparison(source, operands, [symbol for symbol in symbols if symbol])
    return Comparison(source, operands, tuple(symbol for symbol in symbols if symbol))


def _null_comparison(source: str, operands: tuple[Node, ...], symbols: list[str]) -> Node:
    """`x == null` asks whether the member is absent, which no value could tell."""
    members = [operand for operand in operands if isinstance(operand, Member)]
    if len(operands) != 2 or len(members) != 1 or symbols[0] not in ("==", "!="):
        raise UnreadableError(f"null only compares as x == null or x != null: {source[:60]}")
    present = Present(source, members[0])
    return present if symbols[0] == "!=" else Not(source, present)


def _logic(node: ast.BoolOp, text: str) -> Node:
    parts = tuple(_node(part, text) for part in node.values)
    return Logic(ast.unparse(node), parts, isinstance(node.op, ast.And))


def _call(node: ast.Call, text: str) -> Node:
    source = ast.unparse(node)
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise UnreadableError(f"not a call of the rule language: {source[:60]}")
    name = node.func.id
    if name == "member":
        return _named_member(node, source)
    least, most = ARGUMENTS.get(name, (1, 0))
    if not most:
        raise UnreadableError(f"no function {name}; there are {', '.join(sorted(ARGUMENTS))} and member")
    if not least <= len(node.args) <= most:
        raise UnreadableError(f"{name} takes {least} to {most} arguments: {source[:60]}")
    arguments = tuple(_node(argument, text) for argument in node.args)
    if name == "implies":
        return Implication(source, *arguments)
    return _present(source, arguments[0]) if name == "present" else Call(source, name, arguments)


def _present(source: str, argument: Node) -> Node:
    if not isinstance(argument, Member):
        raise UnreadableError(f"present asks for a member: {source[:60]}")
    return Present(source, argument)


def _named_member(node: ast.Call, source: str) -> Node:
    names = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    texts = tuple(name for name in names if isinstance(name, str))
    if not texts or len(texts) != len(node.args):
        raise UnreadableError(f'member takes names, as in member("net-total"): {source[:60]}')
    return Member(source, texts)


READERS: dict[type[ast.expr], Callable[..., Node]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _comparison,
    ast.BoolOp: _logic,
    ast.Call: _call,
}
