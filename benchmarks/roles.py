"""Grammar roles side by side with slotloss 0.3.0:

    uv sync --inexact --group bench && .venv/bin/python benchmarks/roles.py --json FILE

- characters: a nested order (`$ref`, arrays, anyOf), queries of the embedded teacher's schemas, a flat record;
- the first text of a schema, which is read for it;
- from roles of characters to roles of tokens, given what a tokenizer gives;
- what role sums add to a training step of the tiny student.
"""

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Annotated, Any

import torch
import typer
from languages import questions
from measure import Case, Rival, Work, compare, machine, write
from models import TINY, make_rows, student, tiny_student, with_adapter
from settings import TINY as ARRANGEMENTS
from transformers import AutoTokenizer

from astudent.cli import with_exit_code
from astudent.errors import UsageError
from astudent.language.serialise import dumps
from astudent.roles import RoleAssigner, assign_grammar_roles, token_roles
from astudent.student.batching import Batcher
from astudent.student.loss import LossSums, token_losses

Pair = tuple[str, dict[str, Any]]
PEER = "slotloss 0.3.0"
ROUNDS = 9
LINE = {
    "type": "object",
    "properties": {
        "sku": {"type": "string"},
        "kind": {"enum": ["book", "food", "tool"]},
        "quantity": {"type": "integer"},
        "price": {"type": "number"},
        "gift": {"enum": ["True", "False"]},
    },
}
PARTY = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "country": {"enum": ["FR", "DE", "US"]},
        "address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}},
    },
}
CARD = {"properties": {"method": {"const": "card"}, "brand": {"enum": ["visa", "amex"]}}, "required": ["method"]}
CASH = {"properties": {"method": {"const": "cash"}, "currency": {"enum": ["EUR", "USD"]}}, "required": ["method"]}
ORDER: dict[str, Any] = {
    "$defs": {"line": LINE, "party": PARTY},
    "type": "object",
    "properties": {
        "status": {"enum": ["open", "paid"]},
        "seller": {"$ref": "#/$defs/party"},
        "buyer": {"$ref": "#/$defs/party"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "payment": {"anyOf": [CARD, CASH]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}
FLAT: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{f"text_{i}": {"type": "string"} for i in range(4)},
        **{f"choice_{i}": {"enum": ["low", "middle", "high"]} for i in range(4)},
        **{f"flag_{i}": {"enum": ["True", "False"]} for i in range(2)},
    },
}


def orders(count: int) -> list[Pair]:
    """Orders of 1 to 12 lines, as an answer is written: no spaces."""
    rng = Random(1)

    def words(length: int) -> str:
        return "".join(rng.choice("abcde fghi éà") for _ in range(length))

    def party() -> dict[str, Any]:
        address = {"street": words(20), "city": words(8)}
        return {"name": words(14), "country": rng.choice(["FR", "DE", "US"]), "address": address}

    def line() -> dict[str, Any]:
        kind, gift = rng.choice(["book", "food", "tool"]), rng.choice(["True", "False"])
        price = round(99 * rng.random(), 2)
        return {"sku": words(8), "kind": kind, "quantity": rng.randint(1, 9), "price": price, "gift": gift}

    found = [
        {
            "status": rng.choice(["open", "paid"]),
            "seller": party(),
            "buyer": party(),
            "lines": [line() for _ in range(rng.randint(1, 12))],
            "payment": rng.choice([{"method": "card", "brand": "visa"}, {"method": "cash", "currency": "EUR"}]),
            "note": rng.choice([None, words(60)]),
        }
        for _ in range(count)
    ]
    return [(dumps(order), ORDER) for order in found]


def records(count: int) -> list[Pair]:
    """Flat records, the one kind of schema that the peer reads."""
    rng = Random(2)
    texts = [
        {
            **{f"text_{i}": "".join(rng.choice("abcde fgh") for _ in range(16)) for i in range(4)},
            **{f"choice_{i}": rng.choice(["low", "middle", "high"]) for i in range(4)},
            **{f"flag_{i}": rng.choice(["True", "False"]) for i in range(2)},
        }
        for _ in range(count)
    ]
    return [(dumps(text), FLAT) for text in texts]


def queries(count: int) -> list[Pair]:
    """ASTs of the embedded teacher under its schemas of several thousand characters, schema by schema."""
    asked = list(questions(count))
    return [(dumps(query.ast_json), row.schema_json) for row, query in asked]


def peer() -> Any:
    try:
        from slotloss import roles  # pyright: ignore[reportMissingImports]
    except ImportError:
        hint = "Run: uv sync --inexact --group bench"
        raise UsageError("slotloss 0.3.0, which is measured against, is not installed", hint) from None
    return roles


def characters(name: str, pairs: Sequence[Pair], theirs: Any, *, headline: bool = False) -> list[Case]:
    """Roles of all characters, schemas once seen. `exact`: the share of texts that the peer reads otherwise anywhere."""
    total = sum(len(text) for text, _ in pairs)
    rivals = [Rival("best_peer", PEER, Work(lambda: named(theirs.assign_grammar_roles, pairs), total))]
    ours = Work(lambda: named(assign_grammar_roles, pairs), total)
    return compare(f"characters of {name} ({total // len(pairs)} a text)", ours, rivals, ROUNDS, headline=headline)


def named(roles: Callable[[str, Any], Sequence[Any]], pairs: Sequence[Pair]) -> Any:
    return Names([roles(text, schema) for text, schema in pairs])


class Names(list[Any]):
    """Roles of texts, compared by the roles' names; naming them is no part of what is timed."""

    def __iter__(self) -> Any:
        return ([role.name for role in roles] for roles in super().__iter__())


def prepared(name: str, pairs: Sequence[Pair], theirs: Any) -> list[Case]:
    """The same with an assigner for each schema, which does not look whether the schema has changed since."""
    assigners = {id(schema): RoleAssigner(schema) for _, schema in pairs}
    total = sum(len(text) for text, _ in pairs)
    ours = Work(lambda: named(lambda text, schema: assigners[id(schema)].roles(text), pairs), total)
    rivals = [Rival("best_peer", PEER, Work(lambda: named(theirs.assign_grammar_roles, pairs), total))]
    return compare(f"characters of {name}, by RoleAssigner", ours, rivals, ROUNDS)


def first_texts(pairs: Sequence[Pair], theirs: Any) -> list[Case]:
    """One text of each schema, the schema read for it alone."""
    firsts = [next(group) for _, group in groupby(pairs, key=lambda pair: json.dumps(pair[1]))]
    total = sum(len(text) for text, _ in firsts)
    ours = Work(lambda: named(lambda text, schema: RoleAssigner(schema).roles(text), firsts), total)
    rivals = [Rival("best_peer", PEER, Work(lambda: named(theirs.assign_grammar_roles, firsts), total))]
    return compare("the first text of a schema of queries", ours, rivals, ROUNDS)


def tokens(pairs: Sequence[Pair], theirs: Any) -> list[Case]:
    """Roles of tokens from roles of characters, with the ids and offsets that the tiny student's tokenizer gave."""
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    texts = [text for text, _ in pairs]
    encoded = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    mine = [assign_grammar_roles(text, schema) for text, schema in pairs]
    other = [theirs.assign_grammar_roles(text, schema) for text, schema in pairs]
    total = sum(map(len, ids))
    ours = Work(lambda: Names(list(map(token_roles, mine, offsets))), total)
    work = Work(
        lambda: Names([theirs.map_roles_to_tokens(*row, tokenizer) for row in zip(texts, ids, other, strict=True)]),
        total,
    )
    return compare("tokens of orders", ours, [Rival("best_peer", PEER, work)], 3, headline=True)


def role_sums() -> list[Case]:
    """Role sums beside the SFT step of the tiny student that they are a part of. Above 100: they are under 1% of it."""
    asked = ARRANGEMENTS[-1]
    made = student(with_adapter(tiny_student(torch.float32)))
    model = made.model.train()
    rows = make_rows(asked, model.config.vocab_size)
    batches = Batcher(True, made.pad_id, 10**6).micro_batches([(row,) for row in rows])[0]
    known = [token_losses(model, batch).detach() for batch in batches]

    def step() -> float:
        model.zero_grad()
        total = 0.0
        for batch in batches:
            losses = token_losses(model, batch)
            losses.mean().backward()
            total += losses.sum().item()
        return total

    def sums() -> float:
        found = LossSums.zeros()
        for losses, batch in zip(known, batches, strict=True):
            found.add(losses, batch)
        found.by_role()
        return found.total.sum().item()

    rivals = [Rival("ordinary", "the step without them", Work(step, len(rows)))]
    return compare(f"role sums of an SFT step, {asked}", Work(sums, len(rows)), rivals, 15)


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
) -> None:
    """Measure and print; below 1 ours is slower."""
    with_exit_code(lambda: _run(json_file))


def _run(json_file: Path | None) -> None:
    theirs = peer()
    made, asts = orders(400), queries(1500)
    cases = characters("orders", made, theirs, headline=True)
    cases += characters("flat records", records(1500), theirs)
    cases += characters("queries", asts, theirs)
    cases += prepared("queries", asts, theirs)
    cases += first_texts(asts, theirs) + tokens(made, theirs) + role_sums()
    write(json_file, "roles", machine(), cases)


if __name__ == "__main__":
    typer.run(main)
