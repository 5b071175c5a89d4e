"""Languages of the project and ASTs in them, both drawn: the embedded teacher's tables, any set of operators and parts."""

from random import Random
from typing import Any

from small_language import CATALOG, TEMPLATE, spec

from astudent.language.sampling import sample_ast
from astudent.language.schema import build_schema
from astudent.language.validation import validator_for
from astudent.language.values import pair, scalar, several
from astudent.language.vocabulary import FieldInfo, Vocabulary, read_vocabulary
from astudent.teacher.lexicon import compose, load_lexicon

Ast = dict[str, Any]
DOMAINS = ("library", "shop", "hotel", "garage", "clinic", "farm")
MAX_FIELDS = 3  # of one AST drawn without regard to what people ask
LEXICON = load_lexicon()


def language(rng: Random) -> tuple[dict[str, Any], Vocabulary]:
    """A schema and what it can talk about."""
    table = compose(LEXICON, rng.choice(DOMAINS), rng.randrange(40), rng.randrange(1000))
    made = spec(fields=table.fields, entity_en=table.entity_en, entity_fr=table.entity_fr)
    schema, _ = build_schema(made, CATALOG, TEMPLATE, rng, 4, 12)
    return schema, read_vocabulary(schema)


def ast(schema: dict[str, Any], vocabulary: Vocabulary, rng: Random) -> Ast:
    """A valid AST: as people would ask, or any conditions at all, which may repeat and contradict each other."""
    while True:
        drawn = sample_ast(vocabulary, rng, "hard")
        if rng.random() < 0.6:
            names = rng.sample(list(vocabulary.fields), min(MAX_FIELDS, len(vocabulary.fields)))
            drawn |= {"where": condition([vocabulary.fields[name] for name in names], vocabulary, rng, 3)}
        if validator_for(schema).is_valid(drawn):
            return drawn


def condition(fields: list[FieldInfo], vocabulary: Vocabulary, rng: Random, depth: int) -> Ast:
    draw = rng.random()
    if depth == 0 or draw < 0.35:
        field = rng.choice(fields)
        return comparison(field, rng.choice(field.operators), rng)
    if draw < 0.5 and "not" in vocabulary.connectives:
        return {"not": condition(fields, vocabulary, rng, depth - 1)}
    parts = [condition(fields, vocabulary, rng, depth - 1) for _ in range(rng.randint(2, 3))]
    return {rng.choice(("and", "or")): parts}


def comparison(field: FieldInfo, operator: str, rng: Random) -> Ast:
    if operator == "between":
        value: Any = pair(field, rng)
    else:
        value = several(field, rng) if operator in ("in", "not_in") else scalar(field, operator, rng)
    return {"field": field.name, "operator": operator, "value": value}
