"""Negatives of stage 04: accepted ASTs broken on purpose, each kept with the validator's words about it."""

import math
import random

from astudent.language.mutations import Mutation, mutate
from astudent.language.serialise import dumps
from astudent.records import DatasetRow, MadeBy

# Mutations drawn for one negative before it is given up: small ASTs have few distinct ones.
DRAWS = 12


def negatives_due(schema_id: str, rank: int, ratio: float) -> int:
    """How many negatives the schema's row number `rank` (from 0) gets, so that n rows together have n * ratio.

    Which rows get one differs from schema to schema: splits take the same ranks in all of them.
    """
    phase = random.Random(f"phase:{schema_id}").random()
    return math.floor((rank + 1) * ratio + phase) - math.floor(rank * ratio + phase)


def negatives_of(positive: DatasetRow, count: int, seed: int) -> list[DatasetRow]:
    """Up to `count` different broken copies of a positive row; each one fails its schema. Pure function of the seed."""
    rng = random.Random(f"{seed}:negatives:{positive.query_id}")
    broken: dict[str, Mutation] = {}
    for _ in range(DRAWS * count):
        if len(broken) == count:
            break
        mutation = mutate(positive.ast_json, positive.schema_json, rng)
        broken.setdefault(dumps(mutation.ast), mutation)
    return [_negative(positive, number, mutation, seed) for number, mutation in enumerate(broken.values())]


def _negative(positive: DatasetRow, number: int, mutation: Mutation, seed: int) -> DatasetRow:
    changes = {
        "query_id": f"{positive.query_id}-n{number}",
        "ast_json": mutation.ast,
        "is_valid": False,
        "mutation": mutation.kind,
        "validator_message": mutation.message,
        "positive_id": positive.query_id,
        "made_by": MadeBy(provider="mutation", model=mutation.kind, seed=seed),
    }
    return positive.model_copy(update=changes)
