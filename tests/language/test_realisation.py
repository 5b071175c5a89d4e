"""Requests in words: everything that must be copied is there, nothing is said two ways, nothing left unfilled."""

import itertools
import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from astudent.language.equivalence import equivalent
from astudent.language.phrasings_en import ENGLISH
from astudent.language.phrasings_fr import FRENCH
from astudent.language.realisation import realise
from astudent.language.realisation_grammar import without_inner_article
from astudent.language.realisation_values import MONTHS, NUMBER_WORDS
from astudent.language.sampling import sample_ast
from astudent.language.schema import build_schema, load_catalog, load_template
from astudent.language.vocabulary import Vocabulary, read_vocabulary
from astudent.records import DomainSpec, EnumValue, FieldSpec, MadeBy
from astudent.teacher.lexicon import compose, load_lexicon

DATA = Path(__file__).parents[2] / "data"
CATALOG, TEMPLATE = load_catalog(DATA / "operator_catalog.json"), load_template(DATA / "base_schema_template.json")
LANGUAGES = ("en", "fr")


def schema_of(
    fields: list[FieldSpec], entity: tuple[str, str], rng: random.Random, operators: int = 7
) -> dict[str, Any]:
    made_by = MadeBy(provider="embedded", model="embedded")
    spec = DomainSpec(
        schema_id="t-00", domain_id="t", domain="t", variant=0, entity_en=entity[0], entity_fr=entity[1],
        fields=fields, examples=[], made_by=made_by,
    )  # fmt: skip
    return build_schema(spec, CATALOG, TEMPLATE, rng, operators, operators)[0]


def sampled(count: int) -> list[tuple[dict[str, Any], Vocabulary]]:
    """ASTs over tables of all kinds and domains."""
    rng, lexicon = random.Random(7), load_lexicon()
    pairs = []
    for number in range(count):
        domain = lexicon.domains[number % len(lexicon.domains)]
        table = compose(lexicon, domain.domain_id, number, seed=3)
        vocabulary = read_vocabulary(schema_of(table.fields, (table.entity_en, table.entity_fr), rng))
        pairs.append((sample_ast(vocabulary, rng), vocabulary))
    return pairs


SAMPLED = sampled(400)


def full_schema() -> dict[str, Any]:
    fields = [
        FieldSpec(name="price", type="number", label_fr="prix"),
        FieldSpec(name="stock", type="integer", label_en="units on hand", label_fr="réserve"),
        FieldSpec(name="paid", type="boolean", label_fr="payé"),
        FieldSpec(name="sold_on", type="date", label_en="sale date", label_fr="date de vente"),
        FieldSpec(name="city", type="string", label_fr="ville"),
    ]
    return schema_of(fields, ("orders", "commandes"), random.Random(1), operators=len(CATALOG))


def all_of(node: Any, key: str) -> list[Any]:
    """Every value under `key`, anywhere in an AST."""
    if isinstance(node, list):
        return [found for item in node for found in all_of(item, key)]
    if not isinstance(node, dict):
        return []
    here = [node[key]] if key in node else []
    return here + [found for value in node.values() for found in all_of(value, key)]


def field_names(ast: dict[str, Any]) -> set[str]:
    return {*all_of(ast, "field"), *(name for names in all_of(ast, "group_by") for name in names)}


def comparisons(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in comparisons(item)]
    if not isinstance(node, dict):
        return []
    here = [node] if "operator" in node else []
    return here + [found for value in node.values() for found in comparisons(value)]


def spellings(value: Any, field_type: str, labels: Mapping[str, str], language: str) -> set[str]:
    """Every way in which a value may be written."""
    if field_type == "enum":
        return {labels[language], *([value.replace("_", " ")] if language == "en" else [])}
    if field_type == "date":
        year, month, day = (int(part) for part in value.split("-"))
        name = MONTHS[language][month - 1]
        return {value, f"{day} {name} {year}", f"{name} {day} {year}", f"1er {name} {year}"}
    if field_type in ("number", "integer"):
        words = {NUMBER_WORDS[language][int(value) - 2]} if float(value).is_integer() and 2 <= value <= 12 else set()
        digits = str(int(value)) if float(value).is_integer() else repr(value)
        return {digits, digits.replace(".", ","), *words}
    return {value}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_and_value_is_written_as_the_schema_labels_it(language: str) -> None:
    for number, (ast, vocabulary) in enumerate(SAMPLED):
        for typo_rate in (0.0, 0.8):
            text = realise(ast, vocabulary, language, random.Random(number), typo_rate)
            for leaf in comparisons(ast):
                field = vocabulary.fields[leaf["field"]]
                if field.type == "boolean":
                    continue
                for value in leaf["value"] if isinstance(leaf["value"], list) else [leaf["value"]]:
                    labels = dict(field.values).get(value, {})
                    assert any(way in text for way in spellings(value, field.type, labels, language)), (text, value)
            bare = {leaf["field"] for leaf in comparisons(ast) if vocabulary.fields[leaf["field"]].type == "enum"}
            for name in field_names(ast):
                known = {
                    vocabulary.fields[name].labels[language],
                    *([name.replace("_", " ")] if language == "en" else []),
                }
                if language == "fr":  # "un nom de station" for the label "nom de la station"
                    known.add(without_inner_article(vocabulary.fields[name].labels[language]))
                values = {labels[language] for _, labels in vocabulary.fields[name].values} if name in bare else set()
                said = text.casefold()  # a first letter may be a capital, a value alone may stand for its field
                assert any(way.casefold() in said for way in known | values), (text, name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_slot_mark_or_double_space_is_left(language: str) -> None:
    for number, (ast, vocabulary) in enumerate(SAMPLED):
        text = realise(ast, vocabulary, language, random.Random(number))
        assert not set("{}[]\ue000\ue001|") & set(text), text
        assert "  " not in text and " ," not in text and ".." not in text, text
        assert text == text.strip() and text.count("(") == text.count(")")


def test_a_seed_decides_the_words() -> None:
    ast, vocabulary = SAMPLED[0]
    texts = [realise(ast, vocabulary, "en", random.Random(seed), 0.3) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_ast_has_many_wordings(language: str) -> None:
    ast = {
        "where": {"and": [
            {"field": "price", "operator": "gt", "value": 50},
            {"field": "sold_on", "operator": "lte", "value": "2024-03-01"},
        ]},
        "sort": [{"field": "price", "order": "desc"}],
    }  # fmt: skip
    vocabulary = read_vocabulary(full_schema())
    texts = {realise(ast, vocabulary, language, random.Random(seed)) for seed in range(200)}
    assert len(texts) > 190


def near_asts() -> list[dict[str, Any]]:
    """ASTs of other meanings over the same three conditions, and over one bound."""
    a: dict[str, Any] = {"field": "price", "operator": "gt", "value": 50}
    b = {"field": "city", "operator": "eq", "value": "Oslo"}
    c = {"field": "paid", "operator": "eq", "value": True}
    wheres: list[dict[str, Any]] = [
        {"and": [a, {"or": [b, c]}]}, {"or": [{"and": [a, b]}, c]}, {"and": [{"or": [a, b]}, c]},
        {"or": [a, {"and": [b, c]}]}, {"and": [a, b, c]}, {"or": [a, b, c]},
        {"not": {"and": [a, b]}}, {"and": [{"not": a}, b]}, {"and": [a, {"not": b}]}, {"not": {"or": [a, b]}},
        {"or": [{"not": a}, b]}, {"or": [a, {"not": b}]}, {"and": [a, {"not": {"or": [b, c]}}]},
        {"and": [a, {"not": {"and": [b, c]}}]}, {"and": [a, {"not": b}, c]}, {"and": [a, {"or": [{"not": b}, c]}]},
        *({"field": "price", "operator": operator, "value": 50} for operator in ("gte", "lt", "lte", "eq", "neq")),
        *({"field": "sold_on", "operator": operator, "value": "2024-03-01"} for operator in ("gt", "gte", "lt", "lte", "eq", "neq")),
        *({"field": "city", "operator": operator, "value": "Oslo"} for operator in ("contains", "starts_with", "ends_with", "neq")),
        {"field": "paid", "operator": "eq", "value": False}, a, b, c,
    ]  # fmt: skip
    sorts = [[{"field": "price", "order": order}] for order in ("asc", "desc")]
    return [{"where": where} for where in wheres] + [{"where": a, "sort": sort} for sort in sorts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_wording_is_shared_by_asts_of_other_meanings(language: str) -> None:
    schema = full_schema()
    vocabulary = read_vocabulary(schema)
    said: dict[str, dict[str, Any]] = {}
    for ast, seed in itertools.product(near_asts(), range(120)):
        text = realise(ast, vocabulary, language, random.Random(seed)).casefold().rstrip(".?")
        other = said.setdefault(text, ast)
        if json.dumps(other) != json.dumps(ast):
            assert equivalent(other, ast, schema).equal, (text, other, ast)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_different_value_and_a_denied_value_are_worded_apart(language: str) -> None:
    """They mean the same, but a student can only learn which AST to write if the words tell."""
    vocabulary = read_vocabulary(full_schema())
    for name, value in (("price", 50), ("sold_on", "2024-03-01"), ("city", "Oslo")):
        leaf = {"field": name, "operator": "eq", "value": value}
        other, denied = (
            {realise({"where": where}, vocabulary, language, random.Random(seed)).casefold() for seed in range(150)}
            for where in (leaf | {"operator": "neq"}, {"not": leaf})
        )
        assert not other & denied
    apart = [
        {"field": "paid", "operator": operator, "value": value} for operator, value in (("eq", True), ("neq", False))
    ]
    texts = [{realise({"where": w}, vocabulary, language, random.Random(seed)) for seed in range(99)} for w in apart]
    assert not texts[0] & texts[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_condition_is_said_in_its_order(language: str) -> None:
    words = ("Atlas", "Bergen", "Cedar")
    where = {"or": [{"field": "city", "operator": "contains", "value": word} for word in words]}
    vocabulary = read_vocabulary(full_schema())
    for seed in range(60):
        text = realise({"where": where}, vocabulary, language, random.Random(seed))
        assert [text.index(word) for word in words] == sorted(text.index(word) for word in words)


def test_typos_come_on_demand_and_leave_names_and_values_alone() -> None:
    ast = {"where": {"field": "city", "operator": "contains", "value": "Grandville"}}
    vocabulary = read_vocabulary(full_schema())
    clean = [realise(ast, vocabulary, "en", random.Random(seed)) for seed in range(50)]
    typed = [realise(ast, vocabulary, "en", random.Random(seed), typo_rate=1.0) for seed in range(50)]
    assert sum(a != b for a, b in zip(clean, typed, strict=True)) > 40
    assert all("Grandville" in text for text in typed)


def test_values_with_quotes_braces_and_marks_are_copied() -> None:
    vocabulary = read_vocabulary(full_schema())
    for value, language in itertools.product(('say "hi"', "l'été {v}", "« là » [a|b]", "{e}"), LANGUAGES):
        ast = {"where": {"field": "city", "operator": "eq", "value": value}}
        for seed in range(20):
            assert value in realise(ast, vocabulary, language, random.Random(seed), 1.0)


def test_both_languages_say_every_operator_of_the_catalogue() -> None:
    kinds = {"number": "number", "integer": "number", "date": "date", "string": "text", "enum": "choice"}
    for phrasings in (ENGLISH, FRENCH):
        for operator in CATALOG:
            for kind in {kinds[name] for name in operator.types if name != "boolean"}:
                for tables in (phrasings.verbs, phrasings.nouns, phrasings.terse):
                    assert len(tables[kind][operator.name]) >= 1, (kind, operator.name)


def wordings(ast: dict[str, Any], language: str, count: int = 150) -> list[str]:
    vocabulary = read_vocabulary(full_schema())
    return [realise(ast, vocabulary, language, random.Random(seed)) for seed in range(count)]


def test_french_keeps_to_tu_or_to_vous() -> None:
    verbs = "affiche|trouve|liste|cherche|renvoie|compte|calcule|trie|classe|garde|limite|montre|donne|sors"
    tu = rf"te plaît|salut|(?:peux|pourrais)-tu|(?:^|[.,] )(?:{verbs})\b"
    vous = rf"\bvous\b|(?:^|[.,] )(?:(?:{verbs})z|renvoyez|sortez)\b"
    both = [realise(ast, vocabulary, "fr", random.Random(n)) for n, (ast, vocabulary) in enumerate(SAMPLED)]
    both += wordings({"sort": [{"field": "price", "order": "asc"}], "limit": 5}, "fr", 300)
    found = [(re.search(tu, text, re.IGNORECASE), re.search(vous, text, re.IGNORECASE), text) for text in both]
    assert not [text for friend, other, text in found if friend and other]
    assert sum(bool(friend) for friend, _, _ in found) > 100
    assert sum(bool(other) for _, other, _ in found) > 100


def test_french_elides_before_a_value() -> None:
    values = [EnumValue(value="english", label_fr="anglais"), EnumValue(value="dutch", label_fr="néerlandais")]
    field = FieldSpec(name="lang", type="enum", label_fr="langue", values=values)
    schema = schema_of(
        [field, FieldSpec(name="price", type="number")], ("loans", "emprunts"), random.Random(1), len(CATALOG)
    )
    vocabulary = read_vocabulary(schema)
    texts = [
        realise(
            {"where": {"field": "lang", "operator": "neq", "value": "english"}}, vocabulary, "fr", random.Random(seed)
        )
        for seed in range(200)
    ]
    assert not [text for text in texts if re.search(r"\b(de|que) anglais", text)]
    assert any("différente d'anglais" in text for text in texts) and any("autre qu'anglais" in text for text in texts)


def test_no_french_participle_stands_before_a_verb_of_another_subject() -> None:
    texts = wordings({"sort": [{"field": "price", "order": "asc"}]}, "fr", 300)
    assert not [
        text for text in texts if re.match(r"(?:[\w' ]+, )?(?:tri|class|rang)ée?s\b.*\bcommandes", text, re.IGNORECASE)
    ]
    assert any(text.casefold().startswith("avec un tri ") for text in texts)


@pytest.mark.parametrize(("name", "low", "high"), [("sold_on", "2024-01-01", "2024-02-01"), ("price", 3.5, 20)])
def test_a_french_range_after_a_noun_has_its_participle(name: str, low: Any, high: Any) -> None:
    texts = wordings({"where": {"field": name, "operator": "between", "value": [low, high]}}, "fr")
    assert not [text for text in texts if re.search(r"\b(une date de vente|un prix) entre", text)]
    assert any(re.search("une date de vente comprise entre|un prix compris entre", text) for text in texts)


def test_french_brackets_what_stands_together_after_ou() -> None:
    price = {"field": "price", "operator": "gt", "value": 50}
    pair = {
        "and": [{"field": "city", "operator": "eq", "value": "Oslo"}, {"field": "stock", "operator": "lt", "value": 9}]
    }
    assert not [text for text in wordings({"where": {"or": [price, pair]}}, "fr") if "à la fois" in text]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("operator", ["eq", "neq", "gt", "gte", "lt", "lte", "between"])
def test_no_negative_number_stands_straight_after_a_name(operator: str, language: str) -> None:
    names = "units on hand|stock|price|réserve|prix"
    for name in ("stock", "price"):
        value = [-9, -5] if operator == "between" else -9
        for text in wordings({"where": {"field": name, "operator": operator, "value": value}}, language, 200):
            assert not re.search(rf"({names}|minimum|maximum|[-,]) -\d", text), text


def test_questions_of_number_put_the_verb_beside_the_noun() -> None:
    ast = {"where": {"field": "price", "operator": "gt", "value": 50}, "aggregate": {"function": "count"}}
    assert not [text for text in wordings(ast, "fr") if re.search(r" y a-t-il ?\?$", text) and "50 y" in text]
