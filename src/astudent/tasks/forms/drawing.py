"""Draws a filled-in form: a card for each member, in an order of its own, with boxes of which some are crossed by hand."""

from random import Random

from PIL import Image, ImageDraw, ImageFont

from astudent.tasks.forms.kinds import Answers, FormKind

CARD = 56
"""Side of a card in pixels: what one image token of the tiny vision student sees (4 x 4 patches of 14 pixels)."""
COLUMNS = 3
BOX, GAP, TOP = 13, 4, 22
PAPER = ((255, 255, 255), (250, 246, 235), (240, 246, 252))
INKS = ((0, 0, 0), (16, 32, 140), (120, 16, 24))


def draw_form(kind: FormKind, answers: Answers, rng: Random) -> Image.Image:
    """The form as an image; the place of the cards, paper, ink and hand are drawn."""
    cards = rng.sample(kind.cards, len(kind.cards))
    rows = -(-len(cards) // COLUMNS)
    image = Image.new("RGB", (COLUMNS * CARD, rows * CARD), rng.choice(PAPER))
    ink = rng.choice(INKS)
    for place, card in enumerate(cards):
        corner = (place % COLUMNS * CARD, place // COLUMNS * CARD)
        _draw_card(ImageDraw.Draw(image), corner, kind, card, answers, ink, rng)
    return image


def _draw_card(
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    kind: FormKind,
    card: str,
    answers: Answers,
    ink: tuple[int, int, int],
    rng: Random,
) -> None:
    x, y = corner
    font = ImageFont.load_default(10)
    pen.rectangle((x, y, x + CARD - 1, y + CARD - 1), outline="gray")
    pen.text((x + 4, y + 3), card, fill="black", font=font)
    for place, meaning in enumerate(kind.boxes(card)):
        left, top = x + GAP + place * (BOX + GAP), y + TOP
        pen.rectangle((left, top, left + BOX, top + BOX), outline="black")
        if meaning is not True:
            pen.text((left + 4, top + BOX + 3), str(meaning)[0], fill="black", font=font)
        if answers[card] == meaning and isinstance(answers[card], bool) == isinstance(meaning, bool):
            _cross(pen, left, top, ink, rng)


def _cross(pen: ImageDraw.ImageDraw, left: int, top: int, ink: tuple[int, int, int], rng: Random) -> None:
    """Two strokes of an unsteady hand, in and a little around the box."""

    def near(value: int) -> int:
        return value + rng.randint(-1, 2)

    width = rng.randint(2, 3)
    pen.line((near(left), near(top), near(left + BOX), near(top + BOX)), fill=ink, width=width)
    pen.line((near(left), near(top + BOX), near(left + BOX), near(top)), fill=ink, width=width)
