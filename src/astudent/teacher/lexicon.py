"""The embedded teacher's words: fields of a domain by variant, one common and one own for two invented.

common    from a pool that all domains share, so that a schema never seen has names that all were
own       of this domain alone: keys, values and labels that occur nowhere else
invented  made-up words, in the labels as well, so that names must be looked up
"""

import functools
from pathlib import Path
from random import Random
from typing import Literal

from pydantic import ValidationError

from astudent.errors import RunError
from astudent.records import EnumValue, FieldSpec, FieldType, Record
from astudent.teacher.invented import Inventor, bucket_of

# The data folder stands beside src/ in a checkout, wherever the command runs.
LEXICON_PATH = Path(__file__).resolve().parents[3] / "data" / "embedded_lexicon.json"

Kind = Literal["common", "own", "invented"]
KINDS: tuple[Kind, ...] = ("common", "invented", "own", "invented")
"""By turns. Half is invented: with a third, made-up names were read far worse than real ones (docs/learning.md)."""
# How many fields of each type a table gets from the common pool.
_QUOTAS: dict[tuple[FieldType, ...], int] = {("number", "integer"): 2, ("enum",): 1, ("date", "boolean", "string"): 2}
_INVENTED_TYPES: tuple[FieldType, ...] = ("number", "integer", "enum", "enum", "date", "boolean", "string")
# Small tables: the schema stands in every prompt, and the tiny student pays for each of its tokens.
_FEWEST_FIELDS, _MOST_FIELDS = 4, 6
_REAL_ALIAS = 0.15


class LexiconDomain(Record):
    """One domain's words; the entities are plurals."""

    domain_id: str
    domain: str
    entity_en: str
    entity_fr: str
    fields: list[FieldSpec]  # pyright: ignore[reportIncompatibleVariableOverride]


class Lexicon(Record):
    """data/embedded_lexicon.json. The aliases are real words that stand in no domain and in no other list."""

    common: list[FieldSpec]
    domains: list[LexiconDomain]
    aliases_en: list[str]
    aliases_fr: list[str]


class Table(Record):
    """What a domain spec is made of."""

    domain: str
    entity_en: str
    entity_fr: str
    fields: list[FieldSpec]  # pyright: ignore[reportIncompatibleVariableOverride]


@functools.lru_cache(maxsize=4)
def load_lexicon(path: Path = LEXICON_PATH) -> Lexicon:
    """The lexicon; RunError when the file is absent or holds something else."""
    try:
        return Lexicon.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        detail = " ".join(str(error).split())[:200]
        raise RunError(f"embedded lexicon {path}: {detail}", "Restore it from the repository.") from error


def kind_of(variant: int) -> Kind:
    """The kind of words of a domain's variant."""
    return KINDS[variant % len(KINDS)]


def compose(lexicon: Lexicon, domain_id: str, variant: int, seed: int) -> Table:
    """The table of a domain's variant; a domain that the lexicon lacks gets common or invented words."""
    rng = Random(f"{seed}:table:{domain_id}:{variant}")
    position = next((i for i, known in enumerate(lexicon.domains) if known.domain_id == domain_id), None)
    domain = None if position is None else lexicon.domains[position]
    kind, turn = kind_of(variant), variant // len(KINDS)
    place = bucket_of(domain_id, len(lexicon.domains)) if position is None else position
    if kind == "common":
        fields = _common_fields(lexicon, place + turn * len(lexicon.domains), seed, rng)
    elif kind == "own" and domain is not None:
        fields = _own_fields(domain.fields, rng)
    else:
        return _invented(lexicon, domain_id, place, rng)
    names = domain or Table(domain=domain_id, entity_en="records", entity_fr="fiches", fields=[])
    return Table(domain=names.domain, entity_en=names.entity_en, entity_fr=names.entity_fr, fields=fields)


def _common_fields(lexicon: Lexicon, place: int, seed: int, rng: Random) -> list[FieldSpec]:
    """A slice of each type's pool. Slices follow one another, so every field occurs in several domains."""
    chosen: list[FieldSpec] = []
    for types, quota in _QUOTAS.items():
        pool = [field for field in lexicon.common if field.type in types]
        for index in range(place * quota, (place + 1) * quota):
            field = _dealt(pool, index, f"{seed}:{types}")
            if field not in chosen:
                chosen.append(field)
    rng.shuffle(chosen)
    return chosen


def _dealt(pool: list[FieldSpec], index: int, seed: str) -> FieldSpec:
    """Card number `index` of a deck that is shuffled anew each time it is used up."""
    deck = list(pool)
    Random(f"{seed}:{index // len(pool)}").shuffle(deck)
    return deck[index % len(pool)]


def _own_fields(fields: list[FieldSpec], rng: Random) -> list[FieldSpec]:
    """Most of a domain's own fields, one choice field at least."""
    count = rng.randint(min(_FEWEST_FIELDS, len(fields)), min(_MOST_FIELDS, len(fields)))
    while True:
        chosen = rng.sample(fields, count)
        if any(field.type == "enum" for field in chosen):
            return chosen


def _invented(lexicon: Lexicon, domain_id: str, place: int, rng: Random) -> Table:
    inventor = Inventor(rng, place, len(lexicon.domains))
    aliases = {"en": _share(lexicon.aliases_en, place, lexicon), "fr": _share(lexicon.aliases_fr, place, lexicon)}
    for words in aliases.values():
        rng.shuffle(words)

    def label(language: str) -> str:
        real = aliases[language]
        return real.pop() if real and rng.random() < _REAL_ALIAS else inventor.phrase(language)

    types = list(_INVENTED_TYPES)
    rng.shuffle(types)
    fields = [
        FieldSpec(
            name=inventor.key()[:40],
            type=field_type,
            label_en=label("en"),
            label_fr=label("fr"),
            values=_invented_values(inventor, rng) if field_type == "enum" else [],
        )
        for field_type in types[: rng.randint(_FEWEST_FIELDS, _MOST_FIELDS)]
    ]
    entities = {language: f"{inventor.word(language)}s" for language in ("en", "fr")}
    return Table(
        domain=f"invented words of {domain_id}", entity_en=entities["en"], entity_fr=entities["fr"], fields=fields
    )


def _invented_values(inventor: Inventor, rng: Random) -> list[EnumValue]:
    return [
        EnumValue(value=inventor.key(), label_en=inventor.phrase("en"), label_fr=inventor.phrase("fr"))
        for _ in range(rng.randint(3, 4))
    ]


def _share(words: list[str], place: int, lexicon: Lexicon) -> list[str]:
    """The words that belong to one domain alone."""
    return words[place :: len(lexicon.domains)]
