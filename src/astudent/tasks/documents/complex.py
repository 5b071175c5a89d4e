"""Documents whose amounts follow from each other: eight kinds, each drawn by the function that bears its name.

Amounts are computed with `decimal`; what is rounded is rounded to cents, half a cent away from zero.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from astudent.tasks.documents.draw import Draw, cents

Document = dict[str, Any]
CURRENCIES = ("EUR", "GBP", "USD")
COUNTS = (1, 2, 2, 3)
RATES = {"en": ("20", "5", "8.25", "19", "6.5", "0"), "fr": ("20", "10", "5.5", "8.1", "2.1", "0")}


def total_of(parts: Sequence[Document], member: str) -> Decimal:
    """The sum of a member over the items of an array."""
    return sum((part[member] for part in parts), Decimal())


def share(amount: Decimal, percent: Decimal | int) -> Decimal:
    """So many percent of an amount, in cents."""
    return cents(amount * percent / 100)


def _items(draw: Draw) -> list[Document]:
    """What was bought: `name`, `quantity`, `unit_price`, `line_total`."""
    names = draw.several("product", draw.one("items", COUNTS))
    items = [{"name": name, "quantity": draw.rng.randint(1, 6), "unit_price": draw.price(2, 90)} for name in names]
    return [item | {"line_total": cents(item["quantity"] * item["unit_price"])} for item in items]


def cart(draw: Draw) -> Document:
    items = _items(draw)
    subtotal = total_of(items, "line_total")
    delivery = draw.one("delivery", ("standard", "express", "pickup"))
    shipping = Decimal() if delivery == "pickup" else draw.price(3, 16)
    percent = draw.rng.choice((5, 8, 10, 12, 15, 20, 25))
    code = f"{draw.word('coupon')}{draw.rng.choice((percent, draw.rng.randint(10, 99)))}"
    coupon = {"code": code, "percent": percent, "amount": share(subtotal, percent)} if draw.flag("coupon") else None
    return {
        "customer": draw.person(),
        "currency": draw.one("currency", CURRENCIES),
        "items": items,
        "units": sum(item["quantity"] for item in items),
        "subtotal": subtotal,
        "coupon": coupon,
        "delivery": delivery,
        "shipping": shipping,
        "total": subtotal - (coupon["amount"] if coupon else 0) + shipping,
    }


def order(draw: Draw) -> Document:
    items, ordered, name = _items(draw), draw.day(), draw.person()
    subtotal, shipping = total_of(items, "line_total"), draw.price(3, 16)
    discount = _discount(draw, subtotal) if draw.flag("discount") else None
    if discount:
        discount = {"reason": draw.one("reason", ("loyalty", "volume", "clearance"))} | discount
    taxed = subtotal - (discount["amount"] if discount else 0) + shipping
    rate = _rate(draw)
    status = draw.one("status", ("pending", "paid", "shipped"))
    return {
        "number": draw.code(draw.rng.choice(("A-#####", "######", "%%-####", "W##-###"))),
        "ordered": ordered,
        "customer": {"name": name, "email": draw.email(name)},
        "items": items,
        "currency": draw.one("currency", CURRENCIES),
        "subtotal": subtotal,
        "discount": discount,
        "shipping": shipping,
        "tax_rate": rate,
        "tax": share(taxed, rate),
        "total": taxed + share(taxed, rate),
        "status": status,
        "paid_on": None if status == "pending" else draw.later(ordered, 0, 6),
    }


def _discount(draw: Draw, subtotal: Decimal) -> Document:
    percent = draw.rng.choice((2, 3, 5, 7, 10, 12, 15, 20))
    return {"percent": percent, "amount": share(subtotal, percent)}


def _rate(draw: Draw) -> Decimal:
    return Decimal(draw.rng.choice(RATES[draw.language]))


def invoice(draw: Draw) -> Document:
    lines = [_invoice_line(draw, name) for name in draw.several("service", draw.one("lines", COUNTS))]
    bases = {rate: total_of([line for line in lines if line["tax_rate"] == rate], "net") for rate in _rates(lines)}
    taxes = [{"rate": rate, "base": base, "amount": share(base, rate)} for rate, base in bases.items()]
    issued, days = draw.day(), draw.rng.choice((7, 10, 14, 15, 21, 30, 45, 60))
    net, tax = total_of(lines, "net"), total_of(taxes, "amount")
    return {
        "number": draw.code(draw.rng.choice(("INV-####", "2026-####", "F######", "R-##/###"))),
        "issued": issued,
        "payment_days": days,
        "due": draw.later(issued, days, days),
        "seller": draw.company(),
        "buyer": draw.company(),
        "currency": draw.one("currency", CURRENCIES),
        "lines": lines,
        "taxes": taxes,
        "net_total": net,
        "tax_total": tax,
        "total": net + tax,
    }


def _invoice_line(draw: Draw, description: str) -> Document:
    quantity = Decimal(draw.rng.randint(1, 40)) / (2 if draw.rng.random() < 0.3 else 1)
    price = draw.price(15, 320)
    net = cents(quantity * price)
    return {"description": description, "quantity": quantity, "unit_price": price, "tax_rate": _rate(draw), "net": net}


def _rates(lines: Sequence[Document]) -> list[Decimal]:
    return sorted({line["tax_rate"] for line in lines})


def expenses(draw: Draw) -> Document:
    start, trip_days = draw.day(), draw.rng.randint(1, 6)
    categories = [draw.one("category", ("travel", "lodging", "meals", "other")) for _ in range(draw.one("n", COUNTS))]
    spent = [
        {
            "date": draw.later(start, 0, trip_days - 1),
            "category": category,
            "description": draw.word(category),
            "amount": draw.price(60, 290) if category == "lodging" else draw.price(4, 140),
        }
        for category in categories
    ]
    mileage = _mileage(draw) if draw.flag("mileage") else None
    total = total_of(spent, "amount") + (mileage["amount"] if mileage else 0)
    advance = cents(total * draw.rng.randint(2, 8) / 10).quantize(Decimal(1)) if draw.flag("advance") else None
    return {
        "employee": draw.person(),
        "cost_centre": draw.code(draw.rng.choice(("####", "CC-###", "%##"))),
        "start": start,
        "end": draw.later(start, trip_days - 1, trip_days - 1),
        "trip_days": trip_days,
        "expenses": sorted(spent, key=lambda expense: expense["date"]),
        "mileage": mileage,
        "total": total,
        "advance": advance,
        "balance": total - (advance or 0),
    }


def _mileage(draw: Draw) -> Document:
    km, rate = draw.rng.randint(12, 640), Decimal(draw.rng.choice(("0.30", "0.35", "0.38", "0.42", "0.45", "0.52")))
    return {"km": km, "rate": rate, "amount": cents(km * rate)}


def payslip(draw: Draw) -> Document:
    contract = draw.one("contract", ("full_time", "part_time"))
    half_hours = draw.rng.randint(280, 336) if contract == "full_time" else draw.rng.randint(100, 220)
    hours, rate = Decimal(half_hours) / 2, draw.price(12, 46)
    base = cents(hours * rate)
    overtime = _overtime(draw, rate) if draw.flag("overtime") else None
    bonus = Decimal(draw.rng.randrange(50, 900, 25)) if draw.flag("bonus", 4) else None
    gross = base + (overtime["pay"] if overtime else 0) + (bonus or 0)
    deductions = [_deduction(draw, name, gross) for name in draw.several("deduction", draw.one("deductions", COUNTS))]
    paid = draw.day()
    deducted = total_of(deductions, "amount")
    return {
        "employee": draw.person(),
        "employer": draw.company(),
        "month": f"{paid:%Y-%m}",
        "contract": contract,
        "hours": hours,
        "hourly_rate": rate,
        "base_pay": base,
        "overtime": overtime,
        "bonus": bonus,
        "gross": gross,
        "deductions": deductions,
        "deduction_total": deducted,
        "net": gross - deducted,
        "paid": paid,
    }


def _overtime(draw: Draw, rate: Decimal) -> Document:
    hours, raised = Decimal(draw.rng.randint(1, 40)) / 2, cents(rate * Decimal("1.25"))
    return {"hours": hours, "rate": raised, "pay": cents(hours * raised)}


def _deduction(draw: Draw, name: str, gross: Decimal) -> Document:
    rate = Decimal(draw.rng.randint(5, 145)) / 10
    return {"name": name, "rate": rate, "amount": share(gross, rate)}


def purchase(draw: Draw) -> Document:
    status = draw.one("status", ("waiting", "partial", "complete"))
    lines = [_purchase_line(draw, name, status) for name in draw.several("article", draw.one("lines", COUNTS))]
    delivered, ordered = sum(line["delivered"] for line in lines), draw.day()
    return {
        "number": draw.code(draw.rng.choice(("PO-####", "B#####", "45######"))),
        "ordered": ordered,
        "supplier": draw.company(),
        "currency": draw.one("currency", CURRENCIES),
        "lines": lines,
        "deliveries": _deliveries(draw, ordered, delivered),
        "open_units": sum(line["open"] for line in lines),
        "total": total_of(lines, "amount"),
        "delivered_value": sum((line["delivered"] * line["unit_price"] for line in lines), Decimal()),
        "status": status,
    }


def _purchase_line(draw: Draw, article: str, status: str) -> Document:
    quantity = draw.rng.randint(2, 60)
    arrived = {"waiting": 0, "partial": draw.rng.randint(1, quantity - 1), "complete": quantity}[status]
    price = draw.price(1, 120)
    line = {"article": article, "quantity": quantity, "delivered": arrived, "open": quantity - arrived}
    return line | {"unit_price": price, "amount": cents(quantity * price)}


def _deliveries(draw: Draw, ordered: Any, units: int) -> list[Document]:
    """The units in one delivery or two; none where nothing came."""
    first = draw.rng.randint(1, units - 1) if units > 1 and draw.rng.random() < 0.5 else units
    deliveries, day = list[Document](), ordered
    for count in (first, units - first):
        day = draw.later(day, 2, 20)
        deliveries += [{"date": day, "note": draw.code("L#####"), "units": count}] if count else []
    return deliveries


def claim(draw: Draw) -> Document:
    damages = [_damage(draw, name) for name in draw.several("damage", draw.one("damages", COUNTS))]
    accepted, deductible = total_of(damages, "accepted"), Decimal(draw.rng.choice((50, 75, 100, 150, 200, 250, 300)))
    happened = draw.day()
    return {
        "policy": draw.code(draw.rng.choice(("H-######", "%%######", "####-####"))),
        "holder": draw.person(),
        "phone": draw.phone() if draw.flag("phone") else None,
        "incident": {
            "kind": draw.one("kind", ("fire", "water", "theft", "storm")),
            "date": happened,
            "city": draw.word("city"),
        },
        "reported": draw.later(happened, 0, 20),
        "police_report": draw.flag("police_report") if draw.flag("has_police_report", 6) else None,
        "damages": damages,
        "claimed_total": total_of(damages, "claimed"),
        "accepted_total": accepted,
        "deductible": deductible,
        "payout": max(accepted - deductible, Decimal()),
    }


def _damage(draw: Draw, item: str) -> Document:
    claimed, depreciation = draw.price(60, 1400), draw.rng.choice((0, 5, 10, 15, 20, 25, 30, 40, 50, 60))
    return {
        "item": item,
        "claimed": claimed,
        "depreciation": depreciation,
        "accepted": share(claimed, 100 - depreciation),
    }


def quote(draw: Draw) -> Document:
    units = [draw.one("unit", ("hour", "m2", "piece")) for _ in range(draw.one("positions", COUNTS))]
    works = {unit: draw.several(unit, len(units)) for unit in units}
    positions = [_position(draw, works[unit].pop(), unit) for unit in units]
    subtotal = total_of(positions, "amount")
    discount = _discount(draw, subtotal) if draw.flag("discount") else None
    net = subtotal - (discount["amount"] if discount else 0)
    rate, deposit, days = (
        _rate(draw),
        draw.rng.choice((10, 20, 25, 30, 40, 50)),
        draw.rng.choice((14, 21, 30, 45, 60, 90)),
    )
    total, issued = net + share(net, rate), draw.day()
    return {
        "number": draw.code(draw.rng.choice(("Q-####", "##-####", "D#####"))),
        "issued": issued,
        "valid_days": days,
        "valid_until": draw.later(issued, days, days),
        "client": draw.company() if draw.flag("company", 4) else draw.person(),
        "positions": positions,
        "subtotal": subtotal,
        "discount": discount,
        "net": net,
        "tax_rate": rate,
        "tax": share(net, rate),
        "total": total,
        "deposit_percent": deposit,
        "deposit": share(total, deposit),
    }


def _position(draw: Draw, work: str, unit: str) -> Document:
    tenths = {
        "hour": draw.rng.randrange(10, 300, 5),
        "m2": draw.rng.randint(30, 900),
        "piece": draw.rng.randrange(20, 130, 10),
    }
    quantity, price = Decimal(tenths[unit]) / 10, draw.price(12, 95) if unit != "piece" else draw.price(20, 480)
    return {"work": work, "unit": unit, "quantity": quantity, "unit_price": price, "amount": cents(quantity * price)}


DRAWN_BY = {made.__name__: made for made in (cart, order, invoice, expenses, payslip, purchase, claim, quote)}
