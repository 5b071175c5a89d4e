"""Order confirmations with their JSON, for the benchmark of the gate: values that depend on others are computed, the
text states each of them, and the schema declares how they hang together."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

CENT = Decimal("0.01")
ITEMS = "lamp chair desk shelf mirror carpet clock vase stool bench frame curtain kettle teapot bowl tray".split()
COLOURS = "red blue green black white grey brown yellow".split()
NAMES = "Alice Bruno Chloé David Emma Felix Gina Hugo Inès Jonas Karin Louis Marta Nadia Oscar Paula".split()
FAMILIES = "Martin Bernard Dubois Weber Rossi Novak Silva Kowalski Jensen Moreau Fischer Costa Laurent Petit".split()
STATUSES = ["open", "paid", "shipped", "returned"]
NUMBER = {"type": "number"}


def schema(variant: int) -> dict[str, Any]:
    """One of any number of schemas of orders: they differ in a bound, so that each is another one."""
    line = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "quantity": {"type": "integer", "minimum": 1, "maximum": 1000 + variant},
            "unit_price": NUMBER,
            "line_total": NUMBER,
        },
        "required": ["name", "quantity", "unit_price", "line_total"],
        "additionalProperties": False,
        "x-invariants": ["line_total == quantity * unit_price"],
    }
    members = {
        "order_id": {"type": "string", "pattern": "^A-[0-9]+$"},
        "customer": {"type": "string"},
        "status": {"enum": STATUSES},
        "ordered_on": {"type": "string", "format": "date"},
        "due_on": {"type": "string", "format": "date"},
        "items": {"type": "array", "items": line, "minItems": 1},
        **{name: NUMBER for name in ("subtotal", "tax", "shipping", "total")},
    }
    return {
        "title": "order",
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
        "x-invariants": [
            "subtotal == sum(items.line_total)",
            "total == subtotal + tax + shipping",
            "ordered_on <= due_on",
        ],
    }


def orders(count: int, seed: int, schemas: int, test_share: float = 0.2) -> Iterator[dict[str, Any]]:
    """Rows of splits `train` and `test`, each of one of so many schemas."""
    rng = Random(seed)
    variants = [schema(variant) for variant in range(schemas)]
    for number in range(count):
        order = _order(rng, number)
        yield {
            "id": f"order-{number}",
            "language": "en",
            "split": "test" if rng.random() < test_share else "train",
            "schema_json": variants[rng.randrange(schemas)],
            "query": _text(order),
            "ast_json": order,
        }


def _order(rng: Random, number: int) -> dict[str, Any]:
    lines = [_line(rng, name) for name in rng.sample(ITEMS, rng.randint(1, 4))]
    subtotal = sum((line[1] for line in lines), Decimal())
    tax = (subtotal * Decimal("0.2")).quantize(CENT, ROUND_HALF_UP)
    shipping = Decimal(rng.choice([0, 490, 890, 1250])) / 100
    day, month = rng.randint(1, 14), rng.randint(1, 12)
    return {
        "order_id": f"A-{100_000 + number}",
        "customer": f"{rng.choice(NAMES)} {rng.choice(FAMILIES)}",
        "status": rng.choice(STATUSES),
        "ordered_on": f"2026-{month:02}-{day:02}",
        "due_on": f"2026-{month:02}-{day + rng.randint(1, 14):02}",
        "items": [line[0] for line in lines],
        "subtotal": float(subtotal),
        "tax": float(tax),
        "shipping": float(shipping),
        "total": float(subtotal + tax + shipping),
    }


def _line(rng: Random, name: str) -> tuple[dict[str, Any], Decimal]:
    quantity, price = rng.randint(1, 9), Decimal(rng.randint(199, 29_999)) / 100
    named = f"{rng.choice(COLOURS)} {name}"
    total = quantity * price
    return {"name": named, "quantity": quantity, "unit_price": float(price), "line_total": float(total)}, total


def _text(order: dict[str, Any]) -> str:
    lines = "\n".join(
        f"{line['quantity']} x {line['name']} at {line['unit_price']:.2f} each, which makes {line['line_total']:.2f}"
        for line in order["items"]
    )
    return (
        f"Hello {order['customer']}, this is your order {order['order_id']} of {order['ordered_on']}. It is {order['status']}.\n"
        f"{lines}\nThe subtotal is {order['subtotal']:.2f}, the tax {order['tax']:.2f} and the shipping {order['shipping']:.2f}. "
        f"Please pay {order['total']:.2f} by {order['due_on']}. Thank you for shopping with us."
    )
