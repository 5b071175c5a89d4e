"""Accounts between people and firms whose amounts follow from each other, each drawn by the function that bears its name."""

from decimal import Decimal

from astudent.tasks.documents.draw import COUNTS, Document, Draw
from astudent.tasks.documents.money import cents, share, total_of


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
    paid = draw.day().replace(day=draw.rng.randint(24, 28))
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


DRAWN_BY = {made.__name__: made for made in (expenses, payslip, claim)}
