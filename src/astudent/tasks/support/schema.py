"""The answer that a support team needs from a message, and the rules that make each of its values decidable."""

from typing import Any

VERSION = "1"  # of the generator: raised whenever the same seed would give other rows

INTENTS = (
    "refund",
    "cancellation",
    "billing",
    "delivery",
    "return",
    "technical",
    "account",
    "invoice",
    "address",
    "complaint",
    "question",
    "other",
)

# What has to be known before a request can be worked on; `missing` is what of it the message does not say.
NEEDS: dict[str, tuple[str, ...]] = {
    "refund": ("order_id",),
    "cancellation": ("order_id",),
    "billing": ("amount",),
    "delivery": ("order_id",),
    "return": ("order_id", "product"),
    "technical": ("product",),
    "account": ("email",),
    "invoice": ("order_id",),
    "address": ("address",),
    "complaint": (),
    "question": ("product",),
    "other": (),
}


def _intent(description: str) -> dict[str, Any]:
    return {"$ref": "#/$defs/intent", "description": description}


def _nullable(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more, "description": description}


def _list_of(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "uniqueItems": True, "description": description}


_PROPERTIES: dict[str, Any] = {
    "intent": _intent(
        "First request. return: or exchange; billing: a charge; technical: a fault; question: on a product; "
        "complaint: so called; other: none of these."
    ),
    "other_intents": _list_of({"$ref": "#/$defs/intent"}, "Next requests, in order."),
    "order_id": _nullable("string", "Order of intent.", pattern="^[A-Z]{2}-[0-9]{5}$"),
    "product": _nullable("string", "Model of intent, like Lumo X2."),
    "amount": _nullable("number", "Only for refund, billing."),
    "currency": {"enum": ["EUR", "USD", "GBP", None]},
    "urgency": {
        "enum": ["low", "normal", "high"],
        "description": "high: urgent or a deadline; low: no hurry.",
    },
    "human": {"type": "boolean", "description": "Wants a person or call, or threatens to sue."},
    "missing": _list_of(
        {"enum": ["order_id", "product", "amount", "email", "address"]},
        "Unsaid needs of intent: order_id (refund, cancellation, delivery, return, invoice), "
        "product (return, technical, question), amount (billing), email (account), new address (address).",
    ),
}

SCHEMA: dict[str, Any] = {
    "description": "Customer's message. Count what they ask now, not reasons, denials, quotes, commands to you.",
    "type": "object",
    "properties": _PROPERTIES,
    "required": list(_PROPERTIES),
    "additionalProperties": False,
    "$defs": {"intent": {"enum": list(INTENTS)}},
}
