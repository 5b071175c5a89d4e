"""Numbers, dates, quotes."""

from random import Random

from astudent.language.realisation_grammar import strip_marks
from astudent.language.realisation_values import Style

GUILLEMETS = ("« ", " »")


def test_dates_in_each_style() -> None:
    assert strip_marks(Style("en", "month first", ('"', '"'), ".").day("2024-03-01")) == "March 1 2024"
    assert strip_marks(Style("fr", "day first", GUILLEMETS, ",").day("2024-03-01")) == "1er mars 2024"
    assert strip_marks(Style("fr", "iso", GUILLEMETS, ",").day("2024-03-01")) == "2024-03-01"


def test_numbers() -> None:
    french = Style("fr", "iso", GUILLEMETS, ",")
    written = {strip_marks(french.number(7, Random(seed))) for seed in range(100)}
    assert written == {"7", "sept"}
    assert strip_marks(french.number(12.5, Random(1))) == "12,5"
    assert strip_marks(french.number(7.0, Random(1))) in written


def test_quotes_never_clash_with_the_text() -> None:
    english = Style("en", "iso", ("'", "'"), ".")
    assert strip_marks(english.quoted("d'Artagnan")) == '"d\'Artagnan"'


def test_words_that_would_blend_in_are_quoted() -> None:
    french = Style("fr", "iso", GUILLEMETS, ",")
    for seed in range(50):
        assert strip_marks(french.label("au frais", Random(seed))) == "« au frais »"
        assert strip_marks(french.string("sans", Random(seed))) == "« sans »"


def test_french_writes_a_decimal_comma() -> None:
    styles = [Style.draw("fr", Random(seed)) for seed in range(50)]
    assert {strip_marks(style.number(20.99, Random(1))) for style in styles} == {"20,99"}
    assert {style.formal for style in styles} == {True, False}
    assert strip_marks(Style.draw("en", Random(1)).number(20.99, Random(1))) == "20.99"
