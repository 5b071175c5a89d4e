"""Documents with objects and arrays in them: eight kinds, each drawn by the function that bears its name."""

from decimal import Decimal
from itertools import pairwise

from astudent.tasks.documents.draw import Document, Draw, words

# of the drugs of the word lists, in their order
DOSES_MG = (
    (250, 500, 1000), (200, 400, 600), (500, 1000), (5, 10), (10, 20, 40), (50, 75), (250, 500), (10,), (100,), (20, 40),
    (30, 75), (5, 10, 20),
)  # fmt: skip


def organisation(draw: Draw) -> Document:
    names = draw.several("department", draw.one("departments", (2, 2, 3, 3, 4)))
    director, *heads = draw.people(len(names) + 1)
    staff = [draw.rng.randint(1, 60) for _ in names]
    return {
        "name": draw.company(),
        "founded": draw.rng.randint(1901, 2022) if draw.flag("founded", 6) else None,
        "legal_form": draw.one("legal_form", ("company", "association", "cooperative")),
        "director": director,
        "departments": [
            {"name": name, "head": head, "staff": count} for name, head, count in zip(names, heads, staff, strict=True)
        ],
        "staff_total": sum(staff),
    }


def minutes(draw: Draw) -> Document:
    held = draw.day()
    attendees = draw.people(draw.one("attendees", (2, 3, 3, 4)))
    tasks = draw.several("task", draw.one("actions", (1, 1, 2, 2)))
    return {
        "title": draw.word("title"),
        "date": held,
        "mode": draw.one("mode", ("on_site", "online", "hybrid")),
        "attendees": attendees,
        "attendee_count": len(attendees),
        "decisions": draw.several("decision", draw.one("decisions", (1, 1, 2))),
        "actions": [
            {"owner": draw.rng.choice(attendees), "task": task, "due": draw.later(held, 2, 40)} for task in tasks
        ],
        "next_meeting": draw.later(held, 7, 60) if draw.flag("next_meeting") else None,
    }


def job_offer(draw: Draw) -> Document:
    contract = draw.one("contract", ("permanent", "fixed_term", "internship"))
    return {
        "title": draw.word("job"),
        "company": draw.company(),
        "city": draw.word("city"),
        "contract": contract,
        "months": draw.rng.choice((3, 6, 9, 12, 18, 24)) if contract == "fixed_term" else None,
        "salary": _salary(draw, contract),
        "skills": draw.several("skill", draw.one("skills", (1, 2, 2, 3))),
        "remote_days": draw.rng.randint(1, 4) if draw.flag("remote_days") else None,
        "apply_by": draw.day(),
    }


def _salary(draw: Draw, contract: str) -> Document:
    per = draw.one("per", ("month", "year"))
    low = draw.rng.randrange(600, 1300, 50) if contract == "internship" else draw.rng.randrange(1600, 4200, 50)
    high = low + draw.rng.randrange(100, 900, 50)
    if per == "year":
        low, high = 12 * low, 12 * high
    return {"low": low, "high": high, "currency": draw.one("currency", ("EUR", "GBP", "USD")), "per": per}


def rental(draw: Draw) -> Document:
    rent = draw.price(380, 1900) if draw.flag("cents", 3) else Decimal(draw.rng.randrange(380, 1900, 10))
    charges = draw.price(30, 220)
    months, rooms = draw.one("deposit_months", (1, 2, 3)), draw.rng.randint(1, 6)
    area = draw.rng.randint(150, 280) * rooms
    return {
        "address": draw.address(),
        "rooms": rooms,
        "area_m2": Decimal(area) / 10 if draw.flag("tenths", 4) else area // 10,
        "furnished": draw.flag("furnished"),
        "heating": draw.one("heating", ("gas", "electric", "district")) if draw.flag("has_heating", 6) else None,
        "rent": rent,
        "charges": charges,
        "total_rent": rent + charges,
        "deposit_months": months,
        "deposit": rent * months,
        "available": draw.day() if draw.flag("available", 6) else None,
    }


def travel(draw: Draw) -> Document:
    stops = draw.several("city", draw.one("legs", (2, 2, 3, 3)))
    if draw.flag("return", 3):
        stops = [stops[0], stops[1], stops[0]]
    travellers = draw.people(draw.one("travellers", (1, 1, 2, 3)))
    legs, day = list[Document](), draw.day()
    for start, end in pairwise(stops):
        legs.append({"mode": draw.one("mode", ("train", "bus", "flight")), "from": start, "to": end})
        legs[-1] |= {"date": day, "time": draw.time(6, 21), "fare": draw.price(9, 180)}
        day = draw.later(day, 1, 9)
    fare = sum((leg["fare"] for leg in legs), Decimal())
    return {
        "reference": draw.code(draw.rng.choice(("%%####", "%#%#%#", "######", "%%%-###"))),
        "travellers": travellers,
        "legs": legs,
        "fare_per_person": fare,
        "total": fare * len(travellers),
        "refundable": draw.flag("refundable") if draw.flag("has_refundable", 7) else None,
    }


def statement(draw: Draw) -> Document:
    count = draw.one("transactions", (1, 2, 3, 3, 4))
    labels = draw.several("payee", count)
    if draw.flag("incoming"):
        labels[draw.rng.randrange(count)] = draw.word("incoming")
    came = frozenset(draw.several("incoming", 8))
    amounts = [draw.price(200, 2400) if label in came else -draw.price(3, 190) for label in labels]
    days = sorted(draw.later(first, 0, 27) for first in [draw.day()] * count)
    opening = draw.price(120, 9500)
    return {
        "holder": draw.person(),
        "account": draw.code(draw.rng.choice(("#### #### ##", "##-##-## ########", "%%## #### ####"))),
        "kind": draw.one("kind", ("current", "savings")) if draw.flag("has_kind", 6) else None,
        "opening": opening,
        "transactions": [
            {"date": day, "label": label, "amount": amount}
            for day, label, amount in zip(days, labels, amounts, strict=True)
        ],
        "transaction_count": count,
        "closing": opening + sum(amounts, Decimal()),
    }


def medical(draw: Draw) -> Document:
    visit = draw.day()
    patient, doctor = draw.people(2)
    drugs = draw.several("drug", draw.one("prescriptions", (1, 1, 2, 2)))
    upper = draw.rng.randint(102, 168)
    pressure = {"systolic": upper, "diastolic": upper - draw.rng.randint(32, 62)}
    return {
        "patient": patient,
        "born": draw.day("1938-01-01", "2016-12-31"),
        "visit": visit,
        "doctor": f"Dr {doctor}",
        "complaint": draw.word("complaint"),
        "urgency": draw.one("urgency", ("routine", "urgent")),
        "temperature_c": Decimal(draw.rng.randint(361, 402)) / 10 if draw.flag("temperature") else None,
        "pressure": pressure if draw.flag("pressure") else None,
        "prescriptions": [_prescription(draw, drug) for drug in drugs],
        "follow_up": draw.later(visit, 5, 90) if draw.flag("follow_up") else None,
    }


def _prescription(draw: Draw, drug: str) -> Document:
    per_day, days = draw.rng.randint(1, 4), draw.rng.choice((3, 5, 6, 7, 10, 14, 21, 28))
    dose = draw.rng.choice(DOSES_MG[words(draw.language, "drug").index(drug)])
    return {"drug": drug, "dose_mg": dose, "per_day": per_day, "days": days, "tablets": per_day * days}


def timetable(draw: Draw) -> Document:
    names, count = ("mon", "tue", "wed", "thu", "fri"), draw.one("sessions", (1, 2, 2, 3))
    days = sorted((draw.one("day", names) for _ in range(count)), key=names.index)
    has_topics = draw.flag("topics")
    sessions = [
        {
            "day": day,
            "time": draw.time(8, 20),
            "minutes": draw.rng.choice((40, 45, 50, 60, 75, 80, 90, 105, 120)),
            "topic": draw.word("topic") if has_topics else None,
        }
        for day in days
    ]
    weekly, weeks = sum(session["minutes"] for session in sessions), draw.rng.randint(4, 16)
    return {
        "course": draw.word("course"),
        "teacher": draw.person(),
        "room": draw.code(draw.rng.choice(("%##", "###", "%.##"))) if draw.flag("room", 6) else None,
        "starts": draw.day(),
        "weeks": weeks,
        "sessions": sessions,
        "weekly_minutes": weekly,
        "total_minutes": weekly * weeks,
    }


DRAWN_BY = {
    made.__name__: made for made in (organisation, minutes, job_offer, rental, travel, statement, medical, timetable)
}
