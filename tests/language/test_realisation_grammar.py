"""Articles, plurals, gender and elision."""

import pytest

from astudent.language.realisation_entity import entity_slots
from astudent.language.realisation_grammar import agreeing, elides, english_noun, french_noun, is_plural, strip_marks


@pytest.mark.parametrize(
    ("label", "field_type", "with_article"),
    [
        ("price", "number", "a price"),
        ("age", "integer", "an age"),
        ("goals", "integer", "a number of goals"),
        ("nights stayed", "integer", "a number of nights stayed"),
        ("tablets per box", "integer", "a number of tablets per box"),
        ("species", "enum", "a species"),
        ("status", "enum", "a status"),
    ],
)
def test_english_articles(label: str, field_type: str, with_article: str) -> None:
    assert strip_marks(english_noun(label, field_type).a) == with_article


@pytest.mark.parametrize(
    ("label", "field_type", "definite", "of"),
    [
        ("prix", "number", "le prix", "du prix"),
        ("surface", "number", "la surface", "de la surface"),
        ("âge", "integer", "l'âge", "de l'âge"),
        ("humidité", "number", "l'humidité", "de l'humidité"),
        ("hauteur", "number", "la hauteur", "de la hauteur"),
        ("jours de retard", "integer", "le nombre de jours de retard", "du nombre de jours de retard"),
        ("échecs de connexion", "integer", "le nombre d'échecs de connexion", "du nombre d'échecs de connexion"),
        ("kilométrage", "number", "le kilométrage", "du kilométrage"),
        ("date de début", "date", "la date de début", "de la date de début"),
        ("pays", "enum", "le pays", "du pays"),
    ],
)
def test_french_articles(label: str, field_type: str, definite: str, of: str) -> None:
    noun = french_noun(label, field_type)
    assert (strip_marks(noun.the), strip_marks(noun.ofthe)) == (definite, of)


def test_plurals() -> None:
    assert [word for word in ("goals", "bus", "mass", "status", "axis", "days late", "price") if is_plural(word)] == [
        "goals",
        "days late",
    ]


def test_entities_agree() -> None:
    orders, animals = entity_slots("commandes", "fr"), entity_slots("animaux", "fr")
    assert (orders["triés"], orders["lesquels"], orders["ceux"]) == ("triées", "lesquelles", "celles")
    assert (animals["triés"], animals["lesquels"], animals["de_e"]) == ("triés", "lesquels", "d'animaux")


def test_an_adjective_agrees_only_where_its_letters_stay() -> None:
    assert agreeing("archivé", feminine=True) == "archivées"
    assert agreeing("disponible", feminine=True) == "disponibles"
    assert agreeing("sans gluten", feminine=False) == "sans gluten"
    assert agreeing("actif", feminine=True) is None


@pytest.mark.parametrize(
    ("label", "indefinite"),
    [
        ("nom de la station", "un nom de station"),
        ("nom de l'exploitant", "un nom d'exploitant"),
        ("taille de la table", "une taille de table"),
        ("date des semis", "une date de semis"),
        ("date du jour", "une date du jour"),
        ("jour de la semaine", "un jour de la semaine"),
        ("date de marquage de la reine", "une date de marquage de la reine"),
    ],
)
def test_un_takes_no_article_inside(label: str, indefinite: str) -> None:
    assert strip_marks(french_noun(label, "string").a) == indefinite
    assert label in strip_marks(french_noun(label, "string").the)


def test_elision_heeds_the_aspirated_h() -> None:
    assert [
        word for word in ("anglais", "espèces", "hiver", "huile", "haute", "hêtre", "huit", "onze") if elides(word)
    ] == [
        "anglais",
        "espèces",
        "hiver",
        "huile",
    ]
