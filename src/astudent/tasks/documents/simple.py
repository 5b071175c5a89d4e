"""Documents of one level: eight kinds, each drawn by the function that bears its name."""

from astudent.tasks.documents.draw import Document, Draw


def contact(draw: Draw) -> Document:
    name = draw.person()
    return {
        "name": name,
        "company": draw.company() if draw.flag("company", 6) else None,
        "email": draw.email(name),
        "phone": draw.phone() if draw.flag("phone", 6) else None,
    }


def email(draw: Draw) -> Document:
    sender, recipient = draw.people(2)
    return {
        "from": draw.email(sender),
        "to": draw.email(recipient),
        "subject": draw.word("subject"),
        "sent": draw.day(),
        "attachments": draw.one("attachments", (0, 0, 1, 1, 2, 3, 4)),
    }


def registration(draw: Draw) -> Document:
    return {
        "event": draw.word("event"),
        "name": draw.person(),
        "date": draw.day(),
        "seats": draw.one("seats", (1, 1, 2, 2, 3, 4, 5, 6)),
        "meal": draw.one("meal", ("meat", "vegetarian", "vegan")) if draw.flag("has_meal", 7) else None,
    }


def appointment(draw: Draw) -> Document:
    return {
        "purpose": draw.word("purpose"),
        "with": draw.person(),
        "date": draw.day(),
        "time": draw.time(),
        "minutes": draw.rng.choice((15, 20, 30, 45, 50, 60, 75, 90, 120)) if draw.flag("minutes", 6) else None,
    }


def book(draw: Draw) -> Document:
    return {
        "title": draw.word("book"),
        "author": draw.person(),
        "year": draw.rng.randint(1958, 2026),
        "pages": draw.rng.randint(84, 780) if draw.flag("pages", 6) else None,
        "format": draw.one("format", ("hardcover", "paperback", "ebook")),
    }


def parcel(draw: Draw) -> Document:
    return {
        "tracking": draw.code(draw.rng.choice(("%%#########", "%#-####-###", "### ### ####", "%%%######"))),
        "recipient": draw.person(),
        **draw.address(),
        "weight_kg": draw.rng.randint(2, 249) / (10 if draw.rng.random() < 0.7 else 100),
    }


def recipe(draw: Draw) -> Document:
    prep, cook = draw.rng.randrange(5, 65, 5), draw.rng.randrange(5, 125, 5)
    return {
        "dish": draw.word("dish"),
        "servings": draw.rng.choice((1, 2, 3, 4, 4, 5, 6, 8, 10, 12)),
        "level": draw.one("level", ("easy", "medium", "hard")),
        "prep_minutes": prep,
        "cook_minutes": cook,
        "total_minutes": prep + cook,
    }


def lost_item(draw: Draw) -> Document:
    return {
        "status": draw.one("status", ("lost", "found")),
        "item": draw.word("item"),
        "color": draw.one("color", ("black", "blue", "brown", "green", "grey", "red")),
        "place": draw.word("place"),
        "date": draw.day(),
    }


DRAWN_BY = {
    made.__name__: made for made in (contact, email, registration, appointment, book, parcel, recipe, lost_item)
}
