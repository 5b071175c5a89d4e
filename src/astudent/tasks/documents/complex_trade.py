"""Documents of buying and selling whose amounts follow from each other, each drawn by the function that bears its name."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from astudent.tasks.documents.draw import COUNTS, Document, Draw
from astudent.tasks.documents.money import cents, share, total_of

CURRENCIES = ("EUR", "GBP", "USD")
RATES = {"en": ("20", "5", "8.25", "19", "6.5", "0"), "fr": ("20", "10", "5.5", "8.1", "2.1", "0")}


def _items(draw: Draw) -> list[Document]:
    """What was bought: `name`, `quantity`, `unit_price`, `line_total`."""
    names = draw.several("product", draw.one("items", COUNTS))
    items = [{"name": name, "quantity": draw.rng.randint(1, 6), "unit_price": draw.price(3, 45)} for name in names]
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
        "number": draw.code(draw.rng.choice(("INV-####", "N####-##", "F######", "R-##/###"))),
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
    price = draw.price(1, 60)
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


DRAWN_BY = {made.__name__: made for made in (cart, order, invoice, purchase, quote)}
