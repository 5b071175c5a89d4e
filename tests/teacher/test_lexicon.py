"""The embedded teacher's words: what is shared, what is a domain's own, and what no one has seen."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from astudent.errors import RunError
from astudent.jsonl import read_rows
from astudent.language.realisation_grammar import is_plural
from astudent.records import DomainPrompt, FieldSpec
from astudent.teacher.lexicon import KINDS, Table, compose, kind_of, load_lexicon

LEXICON = load_lexicon()
PROMPTS = list(read_rows(Path(__file__).parents[2] / "data" / "domain_prompts.jsonl", DomainPrompt))


def words_of(fields: list[FieldSpec]) -> Iterator[str]:
    """Keys, values and labels, in one spelling."""
    for field in fields:
        for key, english, french in [
            (field.name, field.label_en, field.label_fr),
            *((value.value, value.label_en, value.label_fr) for value in field.values),
        ]:
            yield from {word.casefold().replace("_", " ") for word in (key, english, french) if word}


def test_own_words_occur_in_no_other_domain_and_not_in_the_common_pool() -> None:
    homes: dict[str, set[str]] = {}
    for home, fields in [("common", LEXICON.common), *((d.domain_id, d.fields) for d in LEXICON.domains)]:
        for word in words_of(fields):
            homes.setdefault(word, set()).add(home)
    assert {word: found for word, found in homes.items() if len(found) > 1} == {}
    assert not homes.keys() & {*LEXICON.aliases_en, *LEXICON.aliases_fr}
    assert not set(LEXICON.aliases_en) & set(LEXICON.aliases_fr)


def test_labels_of_one_table_are_distinct() -> None:
    for fields in [LEXICON.common, *(domain.fields for domain in LEXICON.domains)]:
        for language in ("label_en", "label_fr"):
            labels = [getattr(field, language) or field.name.replace("_", " ") for field in fields]
            assert len(set(labels)) == len(labels)


def test_every_domain_has_enough_fields_of_every_type() -> None:
    assert len(LEXICON.common) >= 70
    for domain in LEXICON.domains:
        types = Counter(field.type for field in domain.fields)
        assert 6 <= len(domain.fields) <= 9
        assert types["number"] + types["integer"] >= 2 and types["enum"] >= 2
        assert types["date"] and types["boolean"] and types["string"]
        assert all(3 <= len(field.values) <= 5 for field in domain.fields if field.type == "enum")


def test_everything_has_a_french_label_and_a_fifth_another_english_one() -> None:
    fields = [*LEXICON.common, *(field for domain in LEXICON.domains for field in domain.fields)]
    assert all(field.label_fr and all(value.label_fr for value in field.values) for field in fields)
    aliased = [field for field in fields if field.label_en]
    assert 0.15 <= len(aliased) / len(fields) <= 0.3
    assert all(field.label_en != field.name.replace("_", " ") for field in aliased)


def test_entities_are_plurals() -> None:
    assert all(is_plural(domain.entity_en) or domain.entity_en.endswith("es") for domain in LEXICON.domains)


def test_prompts_name_every_domain_once_and_half_are_french() -> None:
    assert [prompt.domain_id for prompt in PROMPTS] == [domain.domain_id for domain in LEXICON.domains]
    assert len(PROMPTS) >= 40
    assert sum(prompt.language == "fr" for prompt in PROMPTS) * 2 == len(PROMPTS)


def test_variants_cycle_through_the_kinds() -> None:
    assert [kind_of(variant) for variant in range(4)] == ["common", "invented", "own", "invented"]


def test_the_common_names_of_an_unseen_domain_are_all_seen_elsewhere() -> None:
    """A fifth of the domains held out, three common schemas for each domain (they are every fourth variant)."""
    common = [
        [compose(LEXICON, domain.domain_id, variant, seed=11) for variant in (0, 4, 8)] for domain in LEXICON.domains
    ]
    for start in range(5):
        held_out = [table for tables in common[start::5] for table in tables]
        trained = [table for place, tables in enumerate(common) if place % 5 != start for table in tables]
        seen = {field.name for table in trained for field in table.fields}
        assert {field.name for table in held_out for field in table.fields} <= seen


def test_own_and_invented_names_of_two_domains_never_meet() -> None:
    for variants in ([2, 6], [1, 3]):
        homes: dict[str, set[str]] = {}
        for domain in LEXICON.domains[::3]:
            for variant in variants:
                table = compose(LEXICON, domain.domain_id, variant, seed=11)
                for word in words_of(table.fields):
                    homes.setdefault(word, set()).add(domain.domain_id)
        assert [word for word, found in homes.items() if len(found) > 1] == []


def test_invented_labels_differ_from_their_keys_in_both_languages() -> None:
    table = compose(LEXICON, "bakery", 1, seed=11)
    for field in table.fields:
        pairs = [(field.name, field.label_en, field.label_fr)]
        pairs += [(value.value, value.label_en, value.label_fr) for value in field.values]
        for key, english, french in pairs:
            assert english and french and key.replace("_", " ") not in (english, french)


def test_a_domain_that_the_lexicon_lacks_still_gets_tables() -> None:
    tables: list[Table] = [compose(LEXICON, "somebody-elses", variant, seed=11) for variant in range(4)]
    assert len(KINDS) == len(tables) and all(len(table.fields) >= 4 for table in tables)
    assert tables[0].entity_en == "records"


def test_a_broken_lexicon_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.json"
    path.write_text('{"common": 3}')
    with pytest.raises(RunError, match=r"lexicon\.json"):
        load_lexicon(path)
