"""Families of made documents with arithmetic in them, and faults to seed; the truth for tests of found invariants.

All money is computed in Python's decimals here, independently of the code under test.
"""

import copy
import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]
CENT = Decimal("0.01")


@dataclass
class Family:
    """`make` draws a clean row. `computed`: members that an equation pins down; `swaps`: pairs that change an equation."""

    name: str
    make: Callable[[random.Random], Row]
    computed: list[str] = field(default_factory=list)
    elements: list[tuple[str, str]] = field(default_factory=list)
    swaps: list[tuple[str, str]] = field(default_factory=list)


def money(rng: random.Random, low: float, high: float) -> Decimal:
    return Decimal(str(round(rng.uniform(low, high), 2))).quantize(CENT)


def cents(value: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
    return value.quantize(CENT, rounding=rounding)


def plain(value: Any) -> Any:
    """Decimals as JSON floats."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def orders(seed: int) -> Family:
    style = random.Random(seed)
    free_from, rare = style.choice([50, 100, 10_000]), style.choice([0.02, 0.2, 0.7])

    def make(rng: random.Random) -> Row:
        items = []
        for _ in range(rng.randint(1, 6)):
            quantity, price = rng.randint(1, 9), money(rng, 0.5, 120)
            items.append(
                {
                    "sku": f"A{rng.randint(100, 999)}",
                    "quantity": quantity,
                    "unit_price": price,
                    "line_total": quantity * price,
                }
            )
        subtotal = sum((item["line_total"] for item in items), Decimal(0))
        shipping = Decimal(0) if subtotal > free_from else money(rng, 3, 15)
        discount = money(rng, 1, float(subtotal) / 2 + 1) if rng.random() < rare else Decimal(0)
        tax = cents(subtotal * Decimal("0.2"))
        row = {"items": items, "item_count": len(items), "subtotal": subtotal, "tax": tax, "shipping": shipping,
               "discount": discount, "total": subtotal + tax + shipping - discount}  # fmt: skip
        return plain(row)

    return Family(
        "orders", make, ["subtotal", "tax", "total", "item_count"], [("items", "line_total")], [("subtotal", "total")]
    )


def invoices(seed: int) -> Family:
    """Several tax rates: a rate on each line, taxes of lines rounded one by one."""
    style = random.Random(seed)
    rates = style.choice([[5.5, 10, 20], [7, 19], [0, 5, 12.5]])
    rounding = style.choice([ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN])

    def make(rng: random.Random) -> Row:
        lines = []
        for _ in range(rng.randint(1, 5)):
            hours, price, rate, off = (
                rng.randint(1, 12),
                money(rng, 5, 300),
                rng.choice(rates),
                rng.choice([0, 0, 5, 10, 15]),
            )
            net = cents(hours * price * (100 - off) / 100, rounding)
            lines.append({"description": "x", "qty": hours, "price": price, "discount_percent": off, "net": net,
                          "tax_rate": rate, "tax": cents(net * Decimal(str(rate)) / 100, rounding)})  # fmt: skip
        net = sum((line["net"] for line in lines), Decimal(0))
        tax = sum((line["tax"] for line in lines), Decimal(0))
        paid = cents((net + tax) * Decimal(rng.choice(["0", "0", "0.3", "1"])))
        issued = datetime.date(2025, 1, 1) + datetime.timedelta(days=rng.randint(0, 400))
        return plain({"number": f"F-{rng.randint(1, 9999)}", "issued": issued.isoformat(),
                      "due": (issued + datetime.timedelta(days=rng.choice([0, 15, 30, 60]))).isoformat(), "lines": lines,
                      "totals": {"net": net, "tax": tax, "gross": net + tax}, "paid": paid, "balance_due": net + tax - paid})  # fmt: skip

    return Family("invoices", make, ["totals.net", "totals.tax", "totals.gross", "balance_due"],
                  [("lines", "net"), ("lines", "tax")], [("totals.net", "totals.tax"), ("totals.net", "totals.gross")])  # fmt: skip


def discounts(seed: int) -> Family:
    """One rate for the whole, a discount in percent as a member, both rounded to cents; no line totals."""
    style = random.Random(seed)
    rates = style.choice([["20"], ["0.2", "0.1", "0.055"], ["8.25", "6.5", "7"]])

    def make(rng: random.Random) -> Row:
        items = [{"n": rng.randint(1, 20), "each": money(rng, 1, 80)} for _ in range(rng.randint(1, 5))]
        goods = sum((item["n"] * item["each"] for item in items), Decimal(0))
        off, rate = rng.choice([0, 5, 10, 20, 25]), Decimal(rng.choice(rates))
        discount = cents(goods * off / 100)
        taxable = goods - discount
        vat = cents(taxable * rate / (100 if rate > 1 else 1))
        return plain({"items": items, "goods": goods, "discount_rate": off, "discount": discount, "taxable": taxable,
                      "vat_rate": rate, "vat": vat, "grand_total": taxable + vat})  # fmt: skip

    return Family(
        "discounts",
        make,
        ["goods", "discount", "taxable", "vat", "grand_total"],
        [("items", "each")],
        [("goods", "grand_total")],
    )


def payroll(seed: int) -> Family:
    def make(rng: random.Random) -> Row:
        hours, rate = Decimal(rng.randint(60, 170)), money(rng, 12, 60)
        extra = Decimal(rng.choice([0, 0, 4, 8, 12]))
        gross = cents(hours * rate + extra * rate * Decimal("1.5"))
        base, bonus = cents(hours * rate), cents(extra * rate * Decimal("1.5"))
        tax, pension = cents(gross * Decimal("0.22")), cents(gross * Decimal("0.07"))
        return plain({"employee": {"id": rng.randint(1, 5000), "age": rng.randint(18, 65)}, "hours": hours, "hourly_rate": rate,
                      "base_pay": base, "overtime_pay": bonus, "gross": gross, "income_tax": tax, "pension": pension,
                      "net": gross - tax - pension})  # fmt: skip

    return Family(
        "payroll", make, ["base_pay", "gross", "net", "income_tax"], [], [("gross", "net"), ("gross", "base_pay")]
    )


def statements(seed: int) -> Family:
    """A running balance over the entries."""

    def make(rng: random.Random) -> Row:
        opening = balance = money(rng, -500, 5000)
        day = datetime.date(2026, 1, 1)
        entries = []
        for _ in range(rng.randint(2, 9)):
            amount = money(rng, -400, 600)
            balance += amount
            day += datetime.timedelta(days=rng.randint(0, 5))
            entries.append({"day": day.isoformat(), "amount": amount, "balance": balance})
        return plain(
            {"account": rng.randint(10_000, 99_999), "opening": opening, "entries": entries, "closing": balance}
        )

    return Family(
        "statements", make, ["closing"], [("entries", "balance"), ("entries", "amount")], [("opening", "closing")]
    )


def trips(seed: int) -> Family:
    style = random.Random(seed)
    as_text = style.random() < 0.5

    def make(rng: random.Random) -> Row:
        start = rng.randint(1000, 250_000)
        distance = rng.randint(5, 900)
        per_km = Decimal(rng.choice(["0.45", "0.52", "0.61"]))
        cost, tolls = cents(distance * per_km), money(rng, 0, 40)
        first = datetime.date(2025, 6, 1) + datetime.timedelta(days=rng.randint(0, 300))
        nights = rng.randint(0, 12)
        row = {"odometer_start": start, "odometer_end": start + distance, "distance_km": distance, "rate": per_km, "mileage": cost,
               "tolls": tolls, "total": cost + tolls, "nights": nights, "departure": first.isoformat(),
               "return": (first + datetime.timedelta(days=nights)).isoformat()}  # fmt: skip
        return {
            key: str(value) if as_text and isinstance(value, Decimal) else plain(value) for key, value in row.items()
        }

    return Family(
        "trips",
        make,
        ["distance_km", "mileage", "total", "nights"],
        [],
        [("odometer_start", "odometer_end"), ("mileage", "total")],
    )


def timesheets(seed: int) -> Family:
    def make(rng: random.Random) -> Row:
        days, total = [], Decimal(0)
        for _ in range(rng.randint(3, 7)):
            tasks = [{"hours": Decimal(rng.randint(1, 16)) / 4} for _ in range(rng.randint(1, 4))]
            hours = sum((task["hours"] for task in tasks), Decimal(0))
            days.append({"tasks": tasks, "hours": hours})
            total += hours
        rate = money(rng, 20, 150)
        start = datetime.date(2026, 1, 5) + datetime.timedelta(weeks=rng.randint(0, 60))
        return plain({"week_start": start.isoformat(), "week_end": (start + datetime.timedelta(days=rng.randint(4, 6))).isoformat(),
                      "days": days, "total_hours": total, "rate": rate, "amount": cents(total * rate)})  # fmt: skip

    return Family("timesheets", make, ["total_hours", "amount"], [("days", "hours")], [])


def grouped_taxes(seed: int) -> Family:
    """Nullable discounts, an optional shipping, taxes by group, deep totals; a few tax-free customers."""
    style = random.Random(seed)
    rates = style.choice([[5.5, 20], [0, 7, 19], [21]])
    free = style.choice([0.0, 0.02])

    def make(rng: random.Random) -> Row:
        is_free = rng.random() < free
        items: list[Row] = []
        bases: dict[float, Decimal] = {}
        for _ in range(rng.randint(1, 5)):
            quantity = Decimal(rng.choice([1, 2, 3, 10, "0.5", "2.25"]))
            price, off = money(rng, 2, 250), rng.choice([None, None, money(rng, 0.1, 1)])
            amount = cents(quantity * price) - (off or 0)
            rate = rng.choice(rates)
            bases[rate] = bases.get(rate, Decimal(0)) + amount
            items.append(
                {"label": "x", "quantity": quantity, "price": price, "discount": off, "amount": amount, "vat": rate}
            )
        taxes = [{"rate": rate, "base": base, "tax": Decimal(0) if is_free else cents(base * Decimal(str(rate)) / 100)}
                 for rate, base in sorted(bases.items())]  # fmt: skip
        net, tax = sum(bases.values(), Decimal(0)), sum((group["tax"] for group in taxes), Decimal(0))
        shipping = money(rng, 4, 12) if rng.random() < 0.3 else None
        gross = net + tax + (shipping or 0)
        deposit = cents(gross * Decimal("0.3")) if rng.random() < 0.4 else Decimal(0)
        summary = {"net": net, "vat": tax, "gross": gross} | ({} if shipping is None else {"shipping": shipping})
        return plain({"items": items, "taxes": taxes, "summary": summary, "deposit": deposit, "due": gross - deposit})

    return Family("grouped_taxes", make, ["summary.net", "summary.vat", "summary.gross", "due"],
                  [("items", "amount"), ("taxes", "base")], [("summary.net", "summary.gross"), ("deposit", "due")])  # fmt: skip


def inclusive(seed: int) -> Family:
    """Prices that include the tax; a coupon in percent; energy by meter readings."""
    style = random.Random(seed)
    rate = Decimal(style.choice(["0.2", "0.19", "0.0825"]))

    def make(rng: random.Random) -> Row:
        first = rng.randint(1000, 90_000)
        used = rng.randint(50, 4000)
        price, fee = Decimal(rng.choice(["0.2516", "0.3012", "0.1999"])), money(rng, 5, 20)
        energy = cents(used * price)
        coupon = rng.choice([0, 0, 10, 15])
        discount = cents((energy + fee) * coupon / 100)
        net = energy + fee - discount
        tax = cents(net * rate)
        return plain({"meter": {"start": first, "end": first + used}, "kwh": used, "price_per_kwh": price, "standing_charge": fee,
                      "energy": energy, "coupon_percent": coupon, "discount": discount, "net": net, "vat": tax, "to_pay": net + tax})  # fmt: skip

    return Family(
        "inclusive",
        make,
        ["kwh", "energy", "discount", "net", "vat", "to_pay"],
        [],
        [("net", "to_pay"), ("meter.start", "meter.end")],
    )


def loans(seed: int) -> Family:
    """A schedule: interest on the balance before, the rest pays back."""

    def make(rng: random.Random) -> Row:
        principal, rate = money(rng, 2000, 50_000), Decimal(rng.choice(["0.03", "0.045", "0.06"]))
        payment, balance, schedule = money(rng, 300, 900), principal, []
        for month in range(1, rng.randint(4, 9)):
            interest = cents(balance * rate / 12)
            balance -= payment - interest
            schedule.append(
                {
                    "month": month,
                    "payment": payment,
                    "interest": interest,
                    "repaid": payment - interest,
                    "balance": balance,
                }
            )
        paid = sum((entry["interest"] for entry in schedule), Decimal(0))
        return plain(
            {"principal": principal, "rate": rate, "schedule": schedule, "interest_total": paid, "remaining": balance}
        )

    return Family(
        "loans",
        make,
        ["interest_total", "remaining"],
        [("schedule", "repaid"), ("schedule", "balance")],
        [("principal", "remaining")],
    )


def deductions(seed: int) -> Family:
    """Two products in one rounded sum, a list that is subtracted, a mean."""
    style = random.Random(seed)
    factor = Decimal(style.choice(["1.25", "1.5", "2"]))

    def make(rng: random.Random) -> Row:
        hours, rate = Decimal(rng.randint(240, 700)) / 4, money(rng, 12, 60)
        extra = Decimal(rng.randint(0, 60)) / 4
        overtime = cents(rate * factor)
        gross = cents(hours * rate + extra * overtime)
        taken = [{"kind": "k", "amount": money(rng, 5, 150)} for _ in range(rng.randint(1, 5))]
        total = sum((entry["amount"] for entry in taken), Decimal(0))
        bonus = rng.choice([None, money(rng, 50, 500)])
        return plain({"hours": hours, "rate": rate, "overtime_hours": extra, "overtime_rate": overtime, "gross": gross, "bonus": bonus,
                      "deductions": taken, "deductions_total": total, "net_pay": gross + (bonus or 0) - total})  # fmt: skip

    return Family(
        "deductions", make, ["gross", "deductions_total", "net_pay"], [("deductions", "amount")], [("gross", "net_pay")]
    )


def nothing(seed: int) -> Family:
    """No invariant at all: random, small, correlated and skewed numbers, dates, lists."""
    style = random.Random(seed)
    spread = style.choice([0.02, 0.1, 0.5])

    def make(rng: random.Random) -> Row:
        a = rng.gauss(100, 20)
        day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randint(0, 700))
        row: Row = {f"n{i}": rng.randint(0, style_range) for i, style_range in enumerate((1, 3, 5, 9, 20, 100, 10_000))}
        row |= {f"f{i}": round(rng.lognormvariate(3, 1), 2) for i in range(4)}
        row |= {
            "zero": 0,
            "mostly_zero": 7 if rng.random() < 0.02 else 0,
            "constant": 42,
            "flag": int(rng.random() < 0.98),
        }
        row |= {
            "a": round(a, 1),
            "b": round(a * (1 + rng.gauss(0.05, spread)), 1),
            "c": int(a / 2 + rng.gauss(30, 14)),
            "whole": int(a),
        }
        row |= {"first": day.isoformat(), "second": (day + datetime.timedelta(days=int(rng.gauss(20, 10)))).isoformat(),
                "other": datetime.date(2024, 1, 1 + rng.randint(0, 27)).isoformat(), "age": rng.randint(18, 90)}  # fmt: skip
        row["list"] = [
            {"x": rng.randint(1, 3), "y": round(rng.random() * 5, 2)} for _ in range(rng.choice([0, 1, 1, 1, 2]))
        ]
        row["count"] = rng.randint(1, 3)
        row["maybe"] = rng.choice([None, rng.randint(1, 5)])
        return row

    return Family("nothing", make)


FAMILIES = (
    orders, invoices, discounts, payroll, statements, trips, timesheets, grouped_taxes, inclusive, loans, deductions,
)  # fmt: skip
FAULTS = ("cent", "swap", "element", "sign")


def member(row: Row, path: str) -> tuple[Row, str]:
    *steps, last = path.split(".")
    for step in steps:
        row = row[step]
    return row, last


def shifted(value: Any, step: str) -> Any:
    if isinstance(value, str):
        return str(Decimal(value) + Decimal(step))
    moved = Decimal(repr(value)) + Decimal(step)
    return int(value) + 1 if isinstance(value, int) else float(moved)


def broken(row: Row, family: Family, kind: str, rng: random.Random) -> Row | None:
    """The row with one fault of a kind; None where the family, or this row, has no such fault."""
    row = copy.deepcopy(row)
    before = copy.deepcopy(row)
    if kind == "cent":
        owner, name = member(row, rng.choice(family.computed))
        owner[name] = shifted(owner[name], rng.choice(["0.01", "-0.01"]))
    elif kind == "swap" and family.swaps:
        one, other = rng.choice(family.swaps)
        (first, a), (second, b) = member(row, one), member(row, other)
        first[a], second[b] = second[b], first[a]
    elif kind == "element" and family.elements:
        array, name = rng.choice(family.elements)
        element = rng.choice(row[array])
        element[name] = shifted(element[name], rng.choice(["0.01", "1", "10.5", "-0.07"]))
    elif kind == "sign" and family.computed:
        owner, name = member(row, rng.choice(family.computed))
        owner[name] = str(-Decimal(owner[name])) if isinstance(owner[name], str) else -owner[name]
    return row if row != before else None


def corpus(
    family: Family, count: int, share: float, seed: int, kinds: tuple[str, ...] = FAULTS
) -> tuple[list[Row], dict[int, str]]:
    """Rows, and which of them carry which fault; `share` of the rows is the most that do."""
    rng = random.Random(seed)
    rows = [family.make(rng) for _ in range(count)]
    faults: dict[int, str] = {}
    for index in rng.sample(range(count), int(count * share)):
        kind = rng.choice(kinds)
        faulty = broken(rows[index], family, kind, rng)
        if faulty is not None:
            rows[index], faults[index] = faulty, kind
    return rows, faults
