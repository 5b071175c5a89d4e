"""A service of the Schema-Guided Dialogue format (MultiWOZ 2.2 has it too) -> the schema of its dialogue states, and a state."""

from typing import Any

from pydantic import BaseModel, Field

from astudent.importing.scope import Json, RejectedError, read_as

NO_INTENT, NO_PREFERENCE = "NONE", "dontcare"


class Slot(BaseModel):
    """One slot; `possible_values` are all that it takes where it is categorical."""

    name: str
    description: str = ""
    is_categorical: bool = False
    possible_values: list[str] = Field(default_factory=list)


class Intent(BaseModel):
    """What a user may want of the service."""

    name: str
    description: str = ""


class Service(BaseModel):
    """An entry of a schema.json."""

    service_name: str
    description: str = ""
    slots: list[Slot]
    intents: list[Intent]


class State(BaseModel):
    """A frame's `state`: each slot with the spellings of its value."""

    active_intent: str
    requested_slots: list[str] = Field(default_factory=list)
    slot_values: dict[str, list[str] | str] = Field(default_factory=dict)


def state_schema(service: Json) -> dict[str, Json]:
    """The schema of {"intent", "slots", "requested"}: intents and slots of the service, `dontcare` for each slot."""
    read = read_as(Service, service, "a service")
    names = [slot.name for slot in read.slots]
    said = {"description": read.description} if read.description else {}
    return {
        "type": "object",
        "title": read.service_name,
        **said,
        "properties": {
            "intent": {"oneOf": [*map(_constant, read.intents), {"const": NO_INTENT}]},
            "slots": {
                "type": "object",
                "properties": {slot.name: _slot_schema(slot) for slot in read.slots},
                "additionalProperties": False,
            },
            "requested": {"type": "array", "items": {"enum": names} if names else False},
        },
        "required": ["intent", "slots", "requested"],
        "additionalProperties": False,
    }


def state_answer(state: Json, service: Json) -> dict[str, Json]:
    """The state in that form: the first spelling of each value; slots and what is requested in the service's order."""
    read, names = read_as(State, state, "a state"), [slot.name for slot in read_as(Service, service, "a service").slots]
    values = {
        name: value if isinstance(value, str) else _first(name, value) for name, value in read.slot_values.items()
    }
    return {
        "intent": read.active_intent,
        "slots": {name: values[name] for name in sorted(values, key=lambda name: _rank(name, names))},
        "requested": sorted(set(read.requested_slots), key=lambda name: _rank(name, names)),
    }


def _rank(name: str, names: list[str]) -> tuple[int, str]:
    return (names.index(name) if name in names else len(names), name)


def _first(name: str, values: list[str]) -> str:
    if not values:
        raise RejectedError(f"the slot {name[:80]!r} without a value")
    return values[0]


def _constant(intent: Intent) -> dict[str, Json]:
    return {"const": intent.name} | ({"description": intent.description} if intent.description else {})


def _slot_schema(slot: Slot) -> dict[str, Any]:
    is_closed = slot.is_categorical and slot.possible_values
    values = {"enum": list(dict.fromkeys([*slot.possible_values, NO_PREFERENCE]))} if is_closed else {"type": "string"}
    return values | ({"description": slot.description} if slot.description else {})
