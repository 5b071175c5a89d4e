"""Numbers, amounts, dates and times as one English or French document writes them all over."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from astudent.language.realisation_values import MONTHS, NUMBER_WORDS
from astudent.records import Language

WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
}
MONEY: dict[Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "USD": ("${}", "USD {}", "{} USD"),
        "EUR": ("€{}", "EUR {}", "{} EUR"),
        "GBP": ("£{}", "GBP {}", "{} GBP"),
        "CHF": ("CHF {}", "{} CHF"),
    },
    "fr": {
        "USD": ("{} USD", "{} $ US"),
        "EUR": ("{} €", "{}\u00a0€", "{} EUR"),
        "GBP": ("{} £", "{} GBP"),
        "CHF": ("{} CHF", "{}\u00a0CHF"),
    },
}
DATES: dict[Language, tuple[str, ...]] = {
    "en": ("day first", "month first", "short", "iso", "dd/mm/yyyy", "mm/dd/yyyy"),
    "fr": ("day first", "day first", "dd/mm/yyyy", "dd/mm/yyyy", "dd.mm.yyyy", "iso"),
}
TIMES: dict[Language, tuple[str, ...]] = {"en": ("24", "am/pm"), "fr": ("24", "h", " h ")}
GROUPS: dict[Language, tuple[str, ...]] = {"en": (",", ",", ""), "fr": (" ", " ", "\u202f", "")}
# 03/12/2026 is two days in English, so a text that has such a date says which
CONVENTION = {
    "dd/mm/yyyy": ("Dates are written day/month/year.", "(dates: dd/mm/yyyy)"),
    "mm/dd/yyyy": ("Dates are written month/day/year.", "(dates: mm/dd/yyyy)"),
}


@dataclass(frozen=True)
class Notation:
    """How one document writes. `group` stands between thousands, `money` around an amount, `date` names a form."""

    language: Language
    group: str
    money_form: str
    date_form: str
    time_form: str
    convention: str

    @classmethod
    def draw(cls, language: Language, currency: str | None, rng: Random) -> "Notation":
        """A notation; without a `currency` that the document states, in one that is usual in the language."""
        currency = currency or rng.choice(("USD", "EUR", "GBP") if language == "en" else ("EUR", "EUR", "CHF"))
        date = rng.choice(DATES[language])
        stated = rng.choice(CONVENTION[date]) if language == "en" and date in CONVENTION else ""
        money = rng.choice(MONEY[language][currency])
        return cls(language, rng.choice(GROUPS[language]), money, date, rng.choice(TIMES[language]), stated)

    def number(self, value: float) -> str:
        """1,234.5 or 1 234,5: thousands in groups, no zeros at the end."""
        return self._digits(Decimal(str(value)))

    def money(self, value: float) -> str:
        """An amount with its two decimals and the currency; the sign stands first."""
        amount = Decimal(str(value)).quantize(Decimal("0.01"))
        return ("-" if amount < 0 else "") + self.money_form.format(self._digits(abs(amount)))

    def round_money(self, value: int) -> str:
        """A whole amount without decimals, as salaries are written."""
        return self.money_form.format(self._digits(Decimal(value)))

    def bare_money(self, value: float) -> str:
        """An amount with its two decimals and no currency, as rates for a kilometre are written."""
        return self._digits(Decimal(str(value)).quantize(Decimal("0.01")))

    def percent(self, value: float) -> str:
        """20% or 5,5 %."""
        return self.number(value) + ("%" if self.language == "en" else " %")

    def words(self, value: int) -> str:
        """A number from 2 to 12 in words, any other one in digits."""
        return NUMBER_WORDS[self.language][value - 2] if 2 <= value <= 12 else self.number(value)

    def date(self, value: str, weekday: bool = False) -> str:
        """A day in the document's form; `weekday` puts its name before a day whose month is written out."""
        day = datetime.date.fromisoformat(value)
        if self.date_form == "iso":
            return value
        if "yyyy" in self.date_form:
            return day.strftime(self.date_form.replace("dd", "%d").replace("mm", "%m").replace("yyyy", f"{day.year}"))
        written = self._written(day)
        name = WEEKDAYS[self.language][day.weekday()]
        return f"{name}{',' if self.date_form == 'month first' else ''} {written}" if weekday else written

    def month(self, value: str) -> str:
        """`2026-03` as March 2026, mars 2026 or 03/2026."""
        year, month = value.split("-")
        return f"{month}/{year}" if "/" in self.date_form else f"{MONTHS[self.language][int(month) - 1]} {year}"

    def time(self, value: str) -> str:
        """`14:30` as 14:30, 2:30 pm, 14h30 or 14 h 30; a whole hour without minutes where that is usual."""
        hour, minute = value.split(":")
        if self.time_form == "am/pm":
            shown = f"{(int(hour) - 1) % 12 + 1}" + (f":{minute}" if minute != "00" else "")
            return f"{shown} {'am' if int(hour) < 12 else 'pm'}"
        if "h" in self.time_form:
            return f"{int(hour)}{self.time_form}{minute if minute != '00' else ''}".strip()
        return value

    def _written(self, day: datetime.date) -> str:
        month = MONTHS[self.language][day.month - 1]
        if self.language == "fr":
            return f"{'1er' if day.day == 1 else day.day} {month} {day.year}"
        if self.date_form == "month first":
            return f"{month} {day.day}, {day.year}"
        return f"{day.day} {month[:3] if self.date_form == 'short' else month} {day.year}"

    def _digits(self, value: Decimal) -> str:
        text = f"{value:,f}".replace(",", self.group if self.language == "en" else "'")
        if self.language == "fr":
            text = text.replace(".", ",").replace("'", self.group)
        return text
