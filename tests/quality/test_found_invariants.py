"""What the finder must find, and where it must be silent; the documents come from document_families."""

import random
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pytest
from document_families import (
    FAULTS,
    Family,
    broken,
    cents,
    corpus,
    deductions,
    invoices,
    loans,
    nothing,
    orders,
    payroll,
    plain,
    statements,
    trips,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from astudent.quality.invariants import Finder, Finding, compile_invariants
from astudent.quality.invariants.found.columns import Block, millionths
from astudent.quality.invariants.found.exact import MODES, Exact
from astudent.quality.invariants.found.finder import most_specific
from astudent.quality.invariants.found.frame import Frame
from astudent.quality.invariants.found.relation import Relation
from astudent.quality.invariants.found.terms import Column, Formula, Picked


def findings(rows: list[Any], *rules: str) -> list[Finding]:
    finder = Finder(compile_invariants({"x-invariants": list(rules)}))
    for number, row in enumerate(rows):
        finder.observe(number, row)
    return finder.findings()


def named(found: list[Finding]) -> set[object]:
    return {reference for finding in found for reference, _ in finding.named}


@pytest.mark.parametrize("family", [orders, invoices, payroll, statements, trips, deductions])
def test_seeded_faults_are_named_and_no_clean_row_is(family: Any):
    rows, faults = corpus(family(1), 150, 0.03, 7)
    assert len(faults) >= 3
    assert named(findings(rows)) == set(faults)


@pytest.mark.parametrize("family", [orders, nothing])
def test_clean_rows_and_rows_without_any_invariant_raise_no_suspicion(family: Any):
    rows, _ = corpus(family(2), 150, 0.0, 5)
    assert findings(rows) == []


def test_one_cent_in_one_of_a_hundred_rows_is_named_with_place_found_and_expected():
    rng = random.Random(3)
    rows = [
        {"a": a, "b": b, "sum": round(a + b, 2)}
        for a, b in ((round(rng.uniform(1, 90), 2), round(rng.uniform(1, 9), 2)) for _ in range(100))
    ]
    rows[41]["sum"] = round(rows[41]["sum"] + 0.01, 2)
    row = rows[41]
    (finding,) = findings(rows)
    assert (finding.relation, finding.rows, finding.broken) == ("sum == a + b", 100, 1)
    right = f"{Decimal(str(row['a'])) + Decimal(str(row['b'])):.2f}".rstrip("0").rstrip(".")
    (named_row,) = finding.named
    assert named_row[0] == 41
    assert named_row[1].path == "/sum" and named_row[1].rule == "sum == a + b"
    assert Decimal(named_row[1].expected.rpartition(" ")[2]) == Decimal(right)


def test_a_fault_in_an_element_points_to_the_element_and_is_named_once():
    rows, _ = corpus(orders(1), 100, 0.0, 9)
    rows[17]["items"][0]["line_total"] = round(rows[17]["items"][0]["line_total"] + 1, 2)
    (finding,) = findings(rows)
    assert [(reference, breach.path) for reference, breach in finding.named] == [(17, "/items/0/line_total")]


def test_a_wrong_subtotal_is_told_as_the_subtotal_not_as_the_total():
    rows, _ = corpus(orders(1), 100, 0.0, 11)
    rows[5]["subtotal"] = round(rows[5]["subtotal"] + 0.01, 2)
    found = findings(rows)
    assert [finding.named[0][1].path for finding in found] == ["/subtotal"]


@pytest.mark.parametrize("rounding", [ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN])
def test_the_rounding_of_the_majority_is_recognised(rounding: str):
    rng = random.Random(4)
    rows = []
    for _ in range(150):
        # many ties: prices that end in 5 tenths of a cent
        amount, rate = Decimal(rng.randint(100, 9_999)) / 10, Decimal(rng.choice(["0.05", "0.15", "0.25"]))
        tax = (amount * rate).quantize(Decimal("0.01"), rounding=rounding)
        rows.append(plain({"amount": amount, "rate": rate, "tax": tax}))
    assert findings(rows) == []
    rows[7]["tax"] = round(rows[7]["tax"] + 0.01, 2)
    assert named(findings(rows)) == {7}


def test_numbers_written_as_texts_count_and_codes_do_not():
    rng = random.Random(5)
    rows = [{"zip": f"{rng.randint(1, 99999):05d}", "a": f"{rng.randint(100, 99999) / 100:.2f}"} for _ in range(120)]
    rows = [row | {"b": row["a"], "code": "X"} for row in rows]
    rows[3] = rows[3] | {"b": "0.11"}
    assert named(findings(rows)) == {3}


def test_a_rare_term_that_comes_late_is_no_suspicion():
    rng = random.Random(6)
    rows: list[Any] = []
    for number in range(900):
        net, fee = Decimal(rng.randint(1000, 90_000)) / 100, Decimal(rng.randint(100, 900)) / 100
        extra = Decimal(rng.randint(100, 900)) / 100 if number > 500 and number % 90 == 0 else Decimal(0)
        rows.append(plain({"net": net, "fee": fee, "surcharge": extra, "total": net + fee + extra}))
    assert findings(rows) == []
    rows[800]["total"] += 1
    assert named(findings(rows)) == {800}


def test_a_tax_free_kind_of_rows_and_a_second_rate_are_no_suspicion():
    rng = random.Random(7)
    rows = []
    for number in range(400):
        net = Decimal(rng.randint(5_000, 90_000)) / 100
        rate = Decimal("0.1") if number % 50 == 3 else Decimal(0) if number % 50 == 9 else Decimal("0.2")
        rows.append(plain({"net": net, "tax": (net * rate).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)}))
    assert findings(rows) == []


def rounded_by_rate(number: int) -> list[Any]:
    """Bills whose tax is rounded once for each rate; `rest` falls to 0 at the lowest."""
    rng = random.Random(9)
    rows = []
    for _ in range(number):
        made = [{"net": Decimal(rng.randint(500, 90_000)) / 100, "rate": rng.choice([5, 7, 19])} for _ in range(2)]
        bases = {rate: sum((line["net"] for line in made if line["rate"] == rate), Decimal(0)) for rate in (5, 7, 19)}
        tax = sum(cents(base * rate / 100) for rate, base in bases.items())
        paid = Decimal(rng.randint(100, 10_000)) / 100
        credit = Decimal(rng.choice([20_000 if rng.random() < 0.04 else 99])) / 100
        row = {"lines": made, "tax": tax, "paid": paid, "credit": credit, "rest": max(paid - credit, Decimal(0))}
        rows.append(plain(row))
    return rows


def test_taxes_rounded_by_rate_and_a_floor_of_zero_are_no_suspicion_but_their_faults_are():
    rows = rounded_by_rate(150)
    by_line = [sum(cents(Decimal(str(line["net"])) * line["rate"] / 100) for line in row["lines"]) for row in rows]
    at_zero = [row for row in rows if row["credit"] > row["paid"]]
    assert (
        sum(Decimal(str(row["tax"])) != tax for row, tax in zip(rows, by_line, strict=True)) >= 4 and len(at_zero) >= 2
    )
    assert findings(rows) == []
    rows[50]["tax"] = round(rows[50]["tax"] + 0.02, 2)
    rows[60]["rest"] += 1
    assert named(findings(rows)) == {50, 60}


def test_rows_rounded_in_two_orders_are_no_suspicion():
    rng = random.Random(10)
    rows = []
    for number in range(150):
        made = [{"net": Decimal(rng.randint(500, 90_000)) / 100, "rate": rng.choice([5, 7, 19])} for _ in range(3)]
        taxes = [line["net"] * line["rate"] / 100 for line in made]
        at_once, by_line = cents(sum(taxes, Decimal(0))), sum(map(cents, taxes))
        rows.append(plain({"lines": made, "tax": by_line if number % 20 == 0 else at_once}))
    assert findings(rows) == []


def test_of_a_member_that_a_rule_computes_nothing_else_is_told():
    rng = random.Random(11)
    rows = []
    for number in range(100):
        one, two = (Decimal(rng.randint(100, 9_999)) / 100 for _ in range(2))
        bonus = 2 if number % 50 == 7 else 0
        rows.append(
            plain({"parts": [{"a": one, "b": two, "c": one + two + bonus}], "d": one, "e": two, "f": one + two + bonus})
        )
    assert named(findings(rows)) == {7, 57}
    for rule in ("f == d + e + 0 * len(parts)", "near(f, d + e, 5)", "implies(present(d), f == max(d, e) + min(d, e))"):
        assert [finding.relation for finding in findings(rows, rule) if finding.relation.startswith("f")] == []
    assert findings(rows, "parts.c == parts.a + parts.b", "near(f, d + e, 5)") == []


def test_interest_on_the_balance_before_is_found():
    rows, _ = corpus(loans(0), 100, 0.0, 1)
    # in the last month, so that all that follows from it can be right
    row, entry = rows[30], rows[30]["schedule"][-1]
    for owner, name, step in (
        (entry, "interest", 0.03), (entry, "repaid", -0.03), (entry, "balance", 0.03), (row, "remaining", 0.03), (row, "interest_total", 0.03)
    ):  # fmt: skip
        owner[name] = round(owner[name] + step, 2)
    (finding,) = findings(rows)
    assert finding.relation.startswith("schedule[]: interest == previous balance * outer rate")
    assert [reference for reference, _ in finding.named] == [30]


def test_swapped_dates_are_found_and_dates_that_mostly_follow_are_not():
    rng = np.random.default_rng(8)
    days = np.datetime64("2026-01-01") + rng.integers(0, 500, 400)
    rows = [
        {"start": str(day), "end": str(day + np.timedelta64(int(length), "D"))}
        for day, length in zip(days, rng.integers(0, 30, 400), strict=True)
    ]
    loose = [
        {"start": str(day), "end": str(day + np.timedelta64(int(length), "D"))}
        for day, length in zip(days, rng.normal(20, 9.5, 400), strict=True)
    ]
    assert findings(rows) == []
    rows[9] = {"start": rows[9]["end"], "end": rows[9]["start"]}
    assert rows[9]["start"] != rows[9]["end"]
    assert named(findings(rows)) == {9}
    assert any(row["start"] > row["end"] for row in loose)
    assert findings(loose) == []


def test_more_broken_rows_than_are_meant_are_no_finding():
    rows, _ = corpus(payroll(0), 300, 0.25, 1, ("sign",))
    assert findings(rows) == []


def test_a_stream_that_is_longer_than_a_block_counts_all_rows():
    rows, faults = corpus(trips(0), 800, 0.01, 2)
    assert named(findings(rows)) == set(faults)


def test_few_rows_no_numbers_and_odd_shapes_say_nothing():
    deep: Any = 1
    for _ in range(300):
        deep = {"d": deep, "l": [deep]} if _ < 8 else [deep]
    for rows in (
        [],
        [{"a": 1}] * 5,
        [{"a": "x"}] * 200,
        [[1, 2]] * 200,
        [None] * 200,
        [{"a": deep}] * 50,
        [{"": {"": 1}}] * 60,
    ):
        assert findings(rows) == []


def test_a_value_that_is_too_large_leaves_the_others_as_they_are():
    rows, _ = corpus(orders(1), 100, 0.0, 3)
    rows[4] = rows[4] | {"items": [{"line_total": 1}] * 6_000}
    assert findings(rows) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["2026-01-01", "12.5", "x", "9" * 30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), JSON), min_size=1, max_size=4))
def test_no_rows_bring_an_exception(rows: list[Any]):
    findings([rows[number % len(rows)] for number in range(45)])


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=5), st.integers(0, 6), st.integers(0, 6))
def test_exact_rounding_is_that_of_the_decimal_library(values: list[int], decimals: int, places: int):
    roundings = {"half up": ROUND_HALF_UP, "half even": ROUND_HALF_EVEN, "down": ROUND_DOWN}
    for mode in MODES:
        rounded = Exact(np.array(values, np.int64), decimals).rounded(places, mode)
        for index, value in enumerate(values):
            truth = Decimal(value).scaleb(-decimals)
            if places < decimals:
                truth = truth.quantize(Decimal(1).scaleb(-places), rounding=roundings[mode])
            assert Decimal(int(rounded.values[index])).scaleb(-rounded.decimals) == truth


@given(st.integers(-(10**11), 10**11), st.integers(0, 6))
def test_floats_are_read_as_their_json_text(value: int, decimals: int):
    number = Decimal(value).scaleb(-decimals)
    assert millionths(float(str(number))) == int(number * 10**6)


def test_pointers_and_totals_over_nested_arrays():
    block = Block()
    block.add("r", {"a": [{"b": [{"n": 1}, {"n": 2}]}, {"b": []}, {"b": [{"n": 4}]}], "x/y": 3})
    root = Frame(block.root)
    inner = root.child(("a",)).child(("b",))
    assert inner.pointer(2, ("n",)) == "/a/2/b/0/n"
    assert root.pointer(0, ("x/y",)) == "/x~1y"
    total = Picked(("a",), Picked(("b",), Column(("n",)), "sum"), "sum").numbers(root)
    assert total.exact.values.tolist() == [7]


def test_of_several_broken_relations_the_one_that_computes_the_common_member_is_told():
    def relation(target: str, *others: str) -> Relation:
        return Relation((), Column((target,)), Formula(tuple((1, Column((other,))) for other in others)))

    assert most_specific({0: relation("total", "subtotal", "tax"), 1: relation("subtotal", "net", "fee")}) == 1


def test_the_bench_really_breaks_what_it_says():
    family: Family = orders(0)
    rng = random.Random(1)
    for kind in FAULTS:
        row = family.make(rng)
        faulty = broken(row, family, kind, rng)
        assert faulty is not None and faulty != row
