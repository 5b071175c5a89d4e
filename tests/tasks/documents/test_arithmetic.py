"""What is computed is right: by fractions and whole cents here, which share no code with the generator, and by the rules."""

import copy
import datetime
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from astudent.quality.invariants import compile_invariants
from astudent.records import DatasetRow
from astudent.tasks.documents import SCHEMAS

Json = dict[str, Any]


def exact(value: float) -> Fraction:
    return Fraction(str(value))


def half_up(value: Fraction) -> Fraction:
    return Fraction(math.floor(value * 100 + Fraction(1, 2)), 100)


def total(items: list[Json], member: str) -> Fraction:
    return sum((exact(item[member]) for item in items), Fraction())


def days(start: str, end: str) -> int:
    return (datetime.date.fromisoformat(end) - datetime.date.fromisoformat(start)).days


def bought(document: Json, items: str = "items", amount: str = "line_total") -> Iterator[tuple[Any, Any]]:
    for item in document[items]:
        yield exact(item[amount]), half_up(exact(item["quantity"]) * exact(item["unit_price"]))


def reduction(document: Json, member: str) -> Fraction:
    return exact(document[member]["amount"]) if member in document else Fraction()


def reduced(document: Json, member: str) -> Iterator[tuple[Any, Any]]:
    if member in document:
        share = exact(document["subtotal"]) * exact(document[member]["percent"]) / 100
        yield exact(document[member]["amount"]), half_up(share)


def recipe(it: Json) -> Iterator[tuple[Any, Any]]:
    yield it["total_minutes"], it["prep_minutes"] + it["cook_minutes"]


def organisation(it: Json) -> Iterator[tuple[Any, Any]]:
    yield it["staff_total"], total(it["departments"], "staff")


def minutes(it: Json) -> Iterator[tuple[Any, Any]]:
    yield it["attendee_count"], len(set(it["attendees"]))
    yield it.get("next_meeting", "9") > it["date"], True
    yield {action["owner"] for action in it["actions"]} <= set(it["attendees"]), True


def job_offer(it: Json) -> Iterator[tuple[Any, Any]]:
    yield "months" in it, it["contract"] == "fixed_term"
    yield it["salary"]["low"] < it["salary"]["high"], True


def rental(it: Json) -> Iterator[tuple[Any, Any]]:
    yield exact(it["total_rent"]), exact(it["rent"]) + exact(it["charges"])
    yield exact(it["deposit"]), exact(it["rent"]) * it["deposit_months"]


def travel(it: Json) -> Iterator[tuple[Any, Any]]:
    yield exact(it["fare_per_person"]), total(it["legs"], "fare")
    yield exact(it["total"]), exact(it["fare_per_person"]) * len(it["travellers"])
    yield [leg["from"] for leg in it["legs"][1:]], [leg["to"] for leg in it["legs"][:-1]]
    yield [leg["date"] for leg in it["legs"]], sorted(leg["date"] for leg in it["legs"])


def statement(it: Json) -> Iterator[tuple[Any, Any]]:
    yield exact(it["closing"]), exact(it["opening"]) + total(it["transactions"], "amount")
    yield it["transaction_count"], len(it["transactions"])
    yield [each["date"] for each in it["transactions"]], sorted(each["date"] for each in it["transactions"])


def medical(it: Json) -> Iterator[tuple[Any, Any]]:
    yield it["born"] < it["visit"] < it.get("follow_up", "9"), True
    for each in it["prescriptions"]:
        yield each["tablets"], each["per_day"] * each["days"]


def timetable(it: Json) -> Iterator[tuple[Any, Any]]:
    yield it["weekly_minutes"], total(it["sessions"], "minutes")
    yield it["total_minutes"], it["weekly_minutes"] * it["weeks"]


def cart(it: Json) -> Iterator[tuple[Any, Any]]:
    yield from bought(it)
    yield from reduced(it, "coupon")
    yield it["units"], total(it["items"], "quantity")
    yield exact(it["subtotal"]), total(it["items"], "line_total")
    yield exact(it["total"]), exact(it["subtotal"]) - reduction(it, "coupon") + exact(it["shipping"])


def order(it: Json) -> Iterator[tuple[Any, Any]]:
    yield from bought(it)
    yield from reduced(it, "discount")
    yield exact(it["subtotal"]), total(it["items"], "line_total")
    taxed = exact(it["subtotal"]) - reduction(it, "discount") + exact(it["shipping"])
    yield exact(it["tax"]), half_up(taxed * exact(it["tax_rate"]) / 100)
    yield exact(it["total"]), taxed + exact(it["tax"])
    yield "paid_on" in it, it["status"] != "pending"


def invoice(it: Json) -> Iterator[tuple[Any, Any]]:
    yield from bought(it, "lines", "net")
    for tax in it["taxes"]:
        yield exact(tax["base"]), total([line for line in it["lines"] if line["tax_rate"] == tax["rate"]], "net")
        yield exact(tax["amount"]), half_up(exact(tax["base"]) * exact(tax["rate"]) / 100)
    yield [tax["rate"] for tax in it["taxes"]], sorted({line["tax_rate"] for line in it["lines"]})
    yield exact(it["net_total"]), total(it["lines"], "net")
    yield exact(it["tax_total"]), total(it["taxes"], "amount")
    yield exact(it["total"]), exact(it["net_total"]) + exact(it["tax_total"])
    yield days(it["issued"], it["due"]), it["payment_days"]


def expenses(it: Json) -> Iterator[tuple[Any, Any]]:
    yield days(it["start"], it["end"]) + 1, it["trip_days"]
    driven = it.get("mileage", {"km": 0, "rate": 0, "amount": 0})
    yield exact(driven["amount"]), half_up(driven["km"] * exact(driven["rate"]))
    yield exact(it["total"]), total(it["expenses"], "amount") + exact(driven["amount"])
    yield exact(it["balance"]), exact(it["total"]) - exact(it.get("advance", 0))
    yield all(it["start"] <= each["date"] <= it["end"] for each in it["expenses"]), True


def payslip(it: Json) -> Iterator[tuple[Any, Any]]:
    over = it.get("overtime", {"hours": 0, "rate": 0, "pay": 0})
    yield exact(it["base_pay"]), half_up(exact(it["hours"]) * exact(it["hourly_rate"]))
    yield exact(over["pay"]), half_up(exact(over["hours"]) * exact(over["rate"]))
    yield exact(it["gross"]), exact(it["base_pay"]) + exact(over["pay"]) + exact(it.get("bonus", 0))
    for each in it["deductions"]:
        yield exact(each["amount"]), half_up(exact(it["gross"]) * exact(each["rate"]) / 100)
    yield exact(it["deduction_total"]), total(it["deductions"], "amount")
    yield exact(it["net"]), exact(it["gross"]) - exact(it["deduction_total"])
    yield it["paid"][:7], it["month"]


def purchase(it: Json) -> Iterator[tuple[Any, Any]]:
    yield from bought(it, "lines", "amount")
    arrived = total(it["lines"], "delivered")
    for line in it["lines"]:
        yield line["open"], line["quantity"] - line["delivered"]
    yield it["open_units"], total(it["lines"], "quantity") - arrived
    yield total(it["deliveries"], "units"), arrived
    yield exact(it["total"]), total(it["lines"], "amount")
    yield exact(it["delivered_value"]), sum(line["delivered"] * exact(line["unit_price"]) for line in it["lines"])
    yield it["status"], "waiting" if not arrived else "partial" if it["open_units"] else "complete"


def claim(it: Json) -> Iterator[tuple[Any, Any]]:
    for each in it["damages"]:
        yield exact(each["accepted"]), half_up(exact(each["claimed"]) * (100 - each["depreciation"]) / 100)
    yield exact(it["claimed_total"]), total(it["damages"], "claimed")
    yield exact(it["accepted_total"]), total(it["damages"], "accepted")
    yield exact(it["payout"]), max(exact(it["accepted_total"]) - exact(it["deductible"]), Fraction())
    yield it["incident"]["date"] <= it["reported"], True


def quote(it: Json) -> Iterator[tuple[Any, Any]]:
    yield from bought(it, "positions", "amount")
    yield from reduced(it, "discount")
    yield exact(it["subtotal"]), total(it["positions"], "amount")
    yield exact(it["net"]), exact(it["subtotal"]) - reduction(it, "discount")
    yield exact(it["tax"]), half_up(exact(it["net"]) * exact(it["tax_rate"]) / 100)
    yield exact(it["total"]), exact(it["net"]) + exact(it["tax"])
    yield exact(it["deposit"]), half_up(exact(it["total"]) * exact(it["deposit_percent"]) / 100)
    yield days(it["issued"], it["valid_until"]), it["valid_days"]


CHECKS: dict[str, Callable[[Json], Iterator[tuple[Any, Any]]]] = {
    check.__name__: check
    for check in (
        recipe, organisation, minutes, job_offer, rental, travel, statement, medical, timetable,
        cart, order, invoice, expenses, payslip, purchase, claim, quote,
    )
}  # fmt: skip


def test_every_schema_with_rules_is_checked() -> None:
    assert {name for name, kind in SCHEMAS.items() if "x-invariants" in kind.schema} <= CHECKS.keys()
    assert {name for name, kind in SCHEMAS.items() if kind.grade != "simple"} <= CHECKS.keys()


@pytest.mark.parametrize("name", CHECKS)
def test_dependent_values_follow(dataset: list[DatasetRow], name: str) -> None:
    for row in dataset:
        if row.domain_id == name:
            for stated, computed in CHECKS[name](row.ast_json):
                assert stated == computed, row.query_id


def test_no_declared_rule_is_broken(dataset: list[DatasetRow]) -> None:
    rules = {name: compile_invariants(kind.schema) for name, kind in SCHEMAS.items()}
    assert all(rules[row.domain_id].breaches(row.ast_json) == [] for row in dataset)


AMOUNTS = frozenset(
    "accepted accepted_total advance amount balance base base_pay bonus claimed claimed_total deduction_total delivered_value"
    " deposit gross line_total net net_total pay payout shipping subtotal tax tax_total total".split()
)


def amounts(value: Any) -> Iterator[tuple[Json, str]]:
    """Every amount at any depth, as the object that holds it and its name."""
    for name, member in value.items() if isinstance(value, dict) else ():
        if name in AMOUNTS and not isinstance(member, dict | list):
            yield value, name
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from amounts(inner)


@pytest.mark.parametrize("name", [name for name, kind in SCHEMAS.items() if kind.grade == "complex"])
@pytest.mark.parametrize("cent", [Fraction(1, 100), Fraction(-1, 100)])
def test_the_rules_see_one_cent_in_every_amount(dataset: list[DatasetRow], name: str, cent: Fraction) -> None:
    rules = compile_invariants(SCHEMAS[name].schema)
    for row in [row for row in dataset if row.domain_id == name][:20]:
        document = copy.deepcopy(row.ast_json)
        found = list(amounts(document))
        assert len(found) >= 3
        for holder, member in found:
            right = holder[member]
            holder[member] = float(exact(right) + cent)
            assert rules.breaches(document), (row.query_id, member)
            holder[member] = right
