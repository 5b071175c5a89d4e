import pytest

from astudent.quality.text_language import contradiction


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Montre les commandes dont le prix dépasse 5", "en", "fr"),
        ("Show the orders with a price above 5", "fr", "en"),
        ("l'article n'est jamais arrivé, j'attends", "en", "fr"),
        ("Show the orders with a price above 5", "en", None),
        ("Montre les commandes dont le prix dépasse 5", "fr-CA", None),
        ("Montre les commandes dont le prix dépasse 5", "de", None),
        ("red, blue, green", "fr", None),
        ("the", "fr", None),
        ("", "en", None),
        ("Affiche les films dont le titre est « The Lord of the Rings »", "fr", None),
        ("Show the films whose title is 'La vie est un long fleuve tranquille'", "en", None),
    ],
)
def test_only_a_clear_contradiction_counts(text: str, language: str, expected: str | None):
    assert contradiction(text, language) == expected
