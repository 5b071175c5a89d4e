import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measure_grounding import seeded, ungrounded_rows

from astudent.quality.grounding import Grounding, ungrounded
from astudent.quality.mentioned_numbers import folded, mentioned_numbers
from astudent.records import DatasetRow
from astudent.tasks import documents, support

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["open", "paid"]},
        "kind": {"const": "order"},
        "country": {"$ref": "#/$defs/country"},
        "items": {"type": "array", "items": {"x-invariants": ["line_total == quantity * unit_price"]}},
    },
    "$defs": {"country": {"type": "string", "default": "France"}},
    "x-invariants": [
        "subtotal == sum(items.line_total)",
        "near(tax, subtotal * rate / 100, 0.005)",
        "implies(present(tax), total == subtotal + tax)",
    ],
}
TEXT = (
    "Hello, please invoice Dupont & Fils (jane.doe@example.com, tel. 06 12 34 56 78) for 3 chairs at €1,234.50 each "
    "and two lamps at 19.99, delivery on 12 March 2026 at 2:30 pm. VAT 20%. Ref INV-2026/0042."
)
VALUE: dict[str, Any] = {
    "kind": "order", "status": "paid", "country": "France", "customer": "dupont et fils", "email": "Jane.Doe@example.com",
    "phone": "+33612345678", "currency": "EUR",
    "items": [{"name": "Chair", "quantity": 3, "unit_price": 1234.5, "line_total": 3703.5},
              {"name": "lamp", "quantity": 2, "unit_price": 19.99, "line_total": 39.98}],
    "subtotal": 3743.48, "rate": 20, "tax": 748.70, "total": 4492.18, "rush": True, "note": None,
    "date": "2026-03-12", "at": "2026-03-12T14:30:00", "time": "14:30", "reference": "inv-2026-0042",
}  # fmt: skip


def paths(value: Any, text: str, language: str = "en", schema: Any = True) -> list[str]:
    return [breach.path for breach in ungrounded(value, text, schema, language)]


def supported(value: Any, text: str, language: str = "en") -> bool:
    return not paths({"v": value}, text, language)


def test_a_document_that_its_text_states_has_no_ungrounded_value():
    assert ungrounded(VALUE, TEXT, ORDER, "en") == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("customer", "Durand et fils"), ("email", "john.doe@example.com"), ("phone", "+33612345679"), ("currency", "USD"),
        ("country", "Spain"), ("date", "2026-03-13"), ("at", "2026-03-12T16:30:00"), ("time", "15:30"),
        ("reference", "INV-2026-0043"), ("total", 4492.19), ("rate", 21), ("tax", 748.71), ("subtotal", 3743.49),
    ],
)  # fmt: skip
def test_a_value_that_the_text_does_not_state_is_named(name: str, wrong: Any):
    assert f"/{name}" in paths(VALUE | {name: wrong}, TEXT, "en", ORDER)


def test_a_wrong_element_is_named_and_nothing_can_be_computed_from_it():
    items = [VALUE["items"][0], VALUE["items"][1] | {"name": "Table", "unit_price": 29.99}]
    named = ["name", "unit_price", "line_total"]
    dependent = ["/subtotal", "/tax", "/total"]
    assert paths(VALUE | {"items": items}, TEXT, "en", ORDER) == [f"/items/1/{name}" for name in named] + dependent


@pytest.mark.parametrize(
    ("value", "text", "language"),
    [
        (1234.5, "1,234.50", "en"), (1234.5, "1 234,50 €", "fr"), (1234.5, "1\u202f234,50", "fr"), (1234.5, "1234.5", "en"),
        (1234.5, "1.234,50", "fr"), (1234567, "1,234,567", "en"), (12.5, "$12.50.", "en"), (12.5, "12€50", "fr"),
        (0.2, "20 %", "fr"), (5.5, "5,5%", "fr"), (-50, "a refund of 50", "en"), (3, "three nights", "en"),
        (21, "vingt et un jours", "fr"), (75, "soixante-quinze", "fr"), (91, "quatre-vingt-onze", "fr"), (80, "quatre-vingts", "fr"),
        (25, "twenty-five", "en"), (350, "three hundred and fifty", "en"), (2500, "2.5k", "en"), (3_000_000, "3 million", "en"),
        (1, "a ticket", "en"), (0, "no discount", "en"), (1.5, "1h30", "fr"), (90, "1h30", "fr"), (0.99, "99 cents", "en"),
        (12, "a dozen", "en"), (2, "1.2.2", "en"), ("12.50", "12,50", "fr"), (120, "2 hours", "en"), (0.5, "half", "en"),
        ("2026-03-12", "on 12 March 2026", "en"), ("2026-03-12", "March 12th, 2026", "en"), ("2026-03-12", "12/03/2026", "fr"),
        ("2026-03-12", "03/12/2026", "en"), ("2026-03-12", "le jeudi 12 mars", "fr"), ("2026-03-01", "le 1er mars 2026", "fr"),
        ("2026-03-12", "12.03.26", "fr"), ("2026-03-12", "Thursday, 12 Mar 2026", "en"), ("2026-03-12", "20260312 2026/3/12", "en"),
        ("2026-03-12", "next Thursday", "en"), ("2026-03-12", "demain", "fr"), ("2026-03-12", "12-Mar-2026", "en"),
        ("2026-08-15", "15 août", "fr"), ("2026-07-03", "3 juil. 2026", "fr"), ("14:30", "14h30", "fr"), ("14:00", "2pm", "en"),
        ("09:00", "à 9h", "fr"), ("12:00", "noon", "en"), ("14:30", "at half past two", "en"), ("2026-03-12T14:30:00Z", "12 March at 15:30 CET", "en"),
        ("a@b.org", "write to A@B.ORG", "en"), ("jane@b.org", "jane at b dot org", "en"), ("+44 20 7946 0958", "(020) 7946-0958", "en"),
        ("Hélène Béranger", "HELENE  BERANGER", "fr"), ("order cancelled", "they cancel the order", "en"), ("AB-123", "ab 123", "en"),
        ("11:30", "11 h 30 kinésithérapie, 45 min", "fr"), ("09:00", "à 9 h", "fr"), ("14:15", "le 06.06.2026, 14 h 15, 22,90 EUR", "fr"),
        ("14:00", "14 h 45 min", "fr"), ("08:00", "8 h, 83,90 EUR chacun", "fr"), ("18:45", "18\u00a0h\u00a045", "fr"),
        ("2025-10", "BULLETIN DE PAIE octobre 2025", "fr"), ("2025-10", "October 2025", "en"), ("2025-08", "en août", "fr"),
        ("2025-10", "period: 10/2025", "en"), ("2025-10", "2025-10", "en"), ("2025-10", "Oct. 2025", "en"), ("2025-10", "paid on 24/10/2025", "en"),
        ("2025-10", "last month", "en"), ("2025-10", "October, 2025", "en"), ("2025-10", "le 1er octobre", "fr"),
        ("EUR", "12 €", "fr"), ("FR", "France", "fr"), ("J. Smith", "Smith, J.", "en"), ("blue chair", "chairs in blue", "en"),
    ],
)  # fmt: skip
def test_usual_notations_support_a_value(value: Any, text: str, language: str):
    assert supported(value, text, language)


@pytest.mark.parametrize(
    ("value", "text", "language"),
    [
        (1234.51, "1,234.50", "en"), (7, "three nights", "en"), (2, "a ticket", "en"), (21.5, "20 %", "en"), (15, "2015", "en"),
        ("2026-03-13", "12 March 2026", "en"), ("2025-03-12", "12 March 2026", "en"), ("2026-12-03", "12/03/2026", "fr"),
        ("2026-03-12", "no date at all", "en"), ("2026-02-30", "30 February 2026", "en"), ("16:30", "at 2:30 pm", "en"),
        ("a@b.org", "a@c.org", "en"), ("+44 20 7946 0959", "020 7946 0958", "en"), ("Martin", "Mr Martinez", "en"), ("Martins", "Mr Martin", "en"),
        ("Dupond", "Dupont", "fr"), ("AB-124", "AB-123", "en"), ("Paris", "Lyon", "fr"), ("EUR", "12 $", "en"),
        ("11:00", "11 h 30 kinésithérapie", "fr"), ("11:45", "11 h 30, 45 min", "fr"), ("19:00", "19 mars 2025, 11 h 30", "fr"),
        ("14:00", "05/14/2025, 17:45", "en"), ("2025-09", "octobre 2025", "fr"), ("2024-10", "October 2025", "en"), ("2025-05", "income tax 10.5%", "en"),
        ("2025-05", "you may pay in October 2025", "en"), ("2025-11", "paid on 10/24/2025, page 11", "en"), ("2001-01-01", "2000-01-01", "en"),
        ("red chair", "blue chair", "en"), ("12", "2012", "en"), ("Anna Berg", "Anna " + "and so on " * 30 + "Berg", "en"),
    ],
)  # fmt: skip
def test_what_occurs_nowhere_supports_nothing(value: Any, text: str, language: str):
    assert not supported(value, text, language)


def test_equations_only_vouch_for_a_value_when_they_hold_and_all_else_is_supported():
    schema = {"x-invariants": ["total == net + tax"]}
    text = "net 10.00, tax 2.00"
    assert paths({"net": 10, "tax": 2, "total": 12}, text, "en", schema) == []
    assert paths({"net": 10, "tax": 2, "total": 13}, text, "en", schema) == ["/total"]
    assert paths({"net": 11, "tax": 3, "total": 14}, text, "en", schema) == ["/net", "/tax", "/total"]


@pytest.mark.parametrize(
    ("rule", "value", "named"),
    [
        ("count == len(people)", {"people": ["Ann", "Zoe"], "count": 2}, "/people/1"),
        ("tax == round(net * 5 / 100, 1)", {"net": 20.4, "tax": 1}, "/net"),
        ("near(tax, net * 5 / 100, 0.5)", {"net": 20.4, "tax": 1}, "/net"),
        ("left == max(net - 30, 0)", {"net": 20.4, "left": 0}, "/net"),
    ],
)
def test_an_equation_that_another_value_would_keep_too_vouches_for_none(rule: str, value: dict[str, Any], named: str):
    assert paths(value, "Ann; one tax, no more, 2 left, net 20", "en", {"x-invariants": [rule]}) == [named]


@pytest.fixture(scope="module")
def benchmarks() -> list[DatasetRow]:
    return [*documents.rows(31, 20, 10, 5), *support.rows(31, 200, 100, 50)]


def test_the_benchmarks_own_rows_have_no_ungrounded_value(benchmarks: list[DatasetRow]):
    assert [(row.query_id, paths) for row, paths in ungrounded_rows(benchmarks)] == []


def test_seeded_wrong_values_are_found(benchmarks: list[DatasetRow]):
    counts = seeded(benchmarks[::2], 1)
    least = {"time": (30, 0.93), "month": (10, 1), "digit": (200, 0.99), "name": (250, 0.99), "code": (30, 0.99)}
    for kind, (number, share) in least.items():
        assert counts[f"{kind} seeded"] >= number
        assert counts[f"{kind} found"] >= share * counts[f"{kind} seeded"], counts


def amounts(number: Decimal) -> list[tuple[str, str]]:
    english = f"{number:,.2f}"
    french = english.replace(",", " ").replace(".", ",")
    return [("en", english), ("fr", french), ("en", f"{number:.2f}"), ("fr", f"{number:.2f}".replace(".", ",")),
            ("fr", french.replace(" ", "\u202f")), ("fr", french.replace(" ", "."))]  # fmt: skip


@given(
    st.integers(1, 10**9), st.integers(0, 5), st.sampled_from(["Total {}.", "{} €", "$ {},", "(soit {})", "prix:{};"])
)
def test_every_amount_is_found_in_each_notation_and_a_cent_more_is_not(cents: int, notation: int, around: str):
    number = Decimal(cents) / 100
    language, spelling = amounts(number)[notation]
    text = around.format(spelling)
    assert supported(float(number), text, language)
    if cents > 10_000 and (cents + 1) % 100:
        assert not supported(float(number + Decimal("0.01")), text, language)


@given(st.dates(datetime.date(2000, 1, 1), datetime.date(2060, 12, 31)), st.integers(1, 400))
def test_every_date_is_found_and_another_is_not(day: datetime.date, later: int):
    other = (day + datetime.timedelta(days=later)).isoformat()
    for text in (
        day.isoformat(),
        f"{day:%d %B %Y}",
        f"{day:%B} {day.day}, {day.year}",
        f"the {day.day}th of {day:%b} {day.year}",
    ):
        assert supported(day.isoformat(), f"Due {text}, please.")
        assert not supported(other, f"Due {text}, please.")


@given(st.text(max_size=80), st.recursive(
    st.text(max_size=12) | st.integers() | st.floats() | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=8
))  # fmt: skip
def test_no_text_and_no_value_bring_an_exception(text: str, value: Any):
    for language in ("en", "fr"):
        assert len(ungrounded({"v": value}, text, {}, language)) <= 8


def test_large_texts_and_values_stay_quick():
    text = "1 " * 100_000
    assert mentioned_numbers(folded(text), "en")
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    assert isinstance(Grounding({}).ungrounded({"v": deep, "w": ["zzz"] * 5_000}, text, "en"), list)
