"""An AST of the query language as a request in English or French, the way people ask.

    realise(ast, vocabulary, "en", random.Random(1)) -> "Could you list the orders whose price is above 5, newest first?"

A careful reader who sees only the schema and the request can write an equivalent AST: bounds are worded inclusive or
exclusive, mixed and/or is bracketed, what must be copied is copied letter by letter.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from astudent.language.phrasings import Phrasings, form
from astudent.language.phrasings_en import ENGLISH
from astudent.language.phrasings_fr import FRENCH
from astudent.language.realisation_conditions import ConditionWriter, Said
from astudent.language.realisation_entity import entity_slots
from astudent.language.realisation_grammar import OPEN, strip_marks
from astudent.language.realisation_typos import add_typos
from astudent.language.realisation_values import Style
from astudent.language.vocabulary import Vocabulary

PHRASINGS: Mapping[str, Phrasings] = {"en": ENGLISH, "fr": FRENCH}
_TERSE, _QUESTION, _POLITE, _SENTENCE, _FRONT, _TOP_N = 0.15, 0.15, 0.15, 0.15, 0.1, 0.5


def realise(ast: Mapping[str, Any], vocabulary: Vocabulary, language: str, rng: Random, typo_rate: float = 0.0) -> str:
    """The request that `ast` answers; a function of the arguments and the state of `rng` alone.

    `typo_rate` (0 to 1) is the share of free words that are misspelt, one at least; names and values never are.
    """
    text = _RequestWriter.make(vocabulary, language, rng).write(ast)
    return strip_marks(add_typos(text, typo_rate, rng))


@dataclass(frozen=True)
class _RequestWriter:
    """Puts the parts of one request in order."""

    conditions: ConditionWriter
    phrasings: Phrasings
    entity: dict[str, str]
    style: Style
    rng: Random

    @classmethod
    def make(cls, vocabulary: Vocabulary, language: str, rng: Random) -> "_RequestWriter":
        phrasings, entity = PHRASINGS[language], entity_slots(vocabulary.labels[language], language)
        style = Style.draw(language, rng)
        conditions = ConditionWriter(vocabulary, language, phrasings, entity, style, rng)
        return cls(conditions, phrasings, entity, style, rng)

    def write(self, ast: Mapping[str, Any]) -> str:
        if "aggregate" in ast:
            return self._finished(self._aggregated(ast))
        where, sort, limit = ast.get("where"), ast.get("sort"), ast.get("limit")
        if sort and limit and "group_by" not in ast and self._can_top(sort) and self._chance(_TOP_N):
            return self._finished(self._top_n(ast))
        if where and self._chance(_TERSE):
            return self._finished(self._terse(where) + self._tail(ast, self._chance(_SENTENCE)), polite=False)
        return self._finished(self._listing(ast))

    def _terse(self, where: Any) -> str:
        said = self.conditions.say(where, frame="terse", ends=False)
        entity = {**self.entity, "e": self._entity(said)}
        intro = self._pick(self.phrasings.terse_intros).format_map(entity)
        return intro + said.body if said.body else entity["e"]

    def _listing(self, ast: Mapping[str, Any]) -> str:
        """Says "show me the orders whose …, sorted by …, at most 5"."""
        said = self.conditions.say(ast["where"]) if "where" in ast else Said("relative")
        front, ast = self._sort_front(ast)
        if said.frame in self.phrasings.questions and said.body and not front and self._chance(_QUESTION):
            entity = {**self.entity, "e": self._entity(said)}
            opening = self._pick(self.phrasings.questions[said.frame]).format_map(entity)
            return opening + said.body + said.exception + self._tail(ast, apart=False) + self.phrasings.words["ask"]
        things, ast = self._things(said, ast)
        intro = self._pick(self.phrasings.intros).format(x=things)
        apart = said.frame == "list" or self._chance(_SENTENCE)
        return front + intro + said.lead + said.body + said.exception + self._tail(ast, apart)

    def _things(self, said: Said, ast: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Says "the orders", "the first 5 orders" (the limit is then said), "all orders except those …"."""
        entity = {**self.entity, "e": self._entity(said)}
        if said.all_except:
            return self._pick(self.phrasings.all_except).format_map(entity | {"c": said.all_except}), ast
        if ast.get("limit", 1) > 1 and "sort" not in ast and self._chance(0.4):
            number = self.style.number(ast["limit"], self.rng)
            return self._pick(self.phrasings.first_n).format_map(entity | {"n": number}), _without(ast, "limit")
        wholes = [each for each in self.phrasings.wholes if "limit" not in ast or not each.startswith(("all", "{tous"))]
        return self._pick(wholes).format_map(entity), ast

    def _top_n(self, ast: Mapping[str, Any]) -> str:
        """Says "among the orders whose …, give me the 5 with the highest price"."""
        key = ast["sort"][0]
        noun = self.conditions.noun(key["field"])
        shapes = self.phrasings.top_one if ast["limit"] == 1 else self.phrasings.top_n
        templates = shapes[self.conditions.kind(key["field"])][key["order"]]
        number = self.style.number(ast["limit"], self.rng)
        top = self._pick(templates).format_map({**self.entity, **noun.slots(), "n": number})
        request = self._pick(self.phrasings.intros).format(x=top)
        said = self.conditions.say(ast["where"], ends=False) if "where" in ast else Said("relative")
        whole = self.phrasings.wholes[1].format_map({**self.entity, "e": self._entity(said)})
        return self.phrasings.among.format(x=whole + said.lead + said.body) + request

    def _can_top(self, sort: list[Mapping[str, str]]) -> bool:
        return len(sort) == 1 and self.conditions.kind(sort[0]["field"]) in self.phrasings.top_n

    def _aggregated(self, ast: Mapping[str, Any]) -> str:
        """Says "for each city, what is the average price of the orders whose …?"."""
        said = self.conditions.say(ast["where"], ends=False) if "where" in ast else Said("relative")
        aggregate, asked = ast["aggregate"], self._chance(0.5)
        slots = {**self.entity, "e": self._entity(said), "c": said.lead + said.body}
        if self.style.language == "fr":
            slots["de_e"] = entity_slots(slots["e"], "fr")["de_e"]
        if aggregate["function"] == "count":
            templates = self.phrasings.count_questions if asked else self.phrasings.count_orders
        else:
            slots["m"] = self._measure(aggregate)
            templates = self.phrasings.measure_questions if asked else self.phrasings.measure_orders
        front, slots["g"] = self._grouping(ast.get("group_by", []))
        if front:
            templates = [template for template in templates if not template.startswith(("for the", "pour les"))]
        text = front + self._pick(templates).format_map(slots)
        rest = self._tail(_without(ast, "group_by"), apart=False)
        return text.rstrip(" ?") + rest + text[len(text.rstrip(" ?")) :]

    def _measure(self, aggregate: Mapping[str, str]) -> str:
        noun = self.conditions.noun(aggregate["field"])
        templates = self.phrasings.measures[aggregate["function"]]
        if re.search(r"\b(total|average|mean|lowest|highest|moyen)", strip_marks(noun.f)):
            templates = templates[:1]
        if self.style.language == "fr" and " " in noun.f:  # "le nombre de pages moyen" puts the adjective too far off
            templates = [template for template in templates if not template.startswith("{the} ")]
        return self._pick(templates).format_map(noun.slots())

    def _grouping(self, fields: list[str]) -> tuple[str, str]:
        """Says "for each city, " before the request or ", by city" after it."""
        if not fields:
            return "", ""
        names = f" {self.phrasings.words['and']} ".join(self._group_name(name) for name in fields)
        if self._chance(0.4):
            return self._pick(self.phrasings.group_front).format(g=names), ""
        return "", self._pick(self.phrasings.group_tail).format(g=names)

    def _group_name(self, name: str) -> str:
        label = self.conditions.noun(name).f
        return f"{label} ({self.phrasings.words['yes_no']})" if self.conditions.kind(name) == "flag" else label

    def _tail(self, ast: Mapping[str, Any], apart: bool) -> str:
        """Grouping, sorting and limit after the rest, as clauses or (`apart`) as sentences of their own."""
        tail = ""
        if ast.get("group_by"):
            names = f" {self.phrasings.words['and']} ".join(self._group_name(name) for name in ast["group_by"])
            tail += self._pick(self.phrasings.grouped).format_map(self.entity | {"g": names})
        if ast.get("sort"):
            templates = self.phrasings.sort_sentence if apart else self.phrasings.sort_tail
            tail += self._pick(templates).format_map(self.entity | {"s": self._sorting(ast["sort"])})
        if "limit" in ast:
            templates = self.phrasings.limit_sentence if apart else self.phrasings.limit_tail
            if ast["limit"] == 1:
                templates = self.phrasings.limit_one_sentence if apart else self.phrasings.limit_one
            slots = self.entity | {"n": self.style.number(ast["limit"], self.rng)}
            tail += self._pick(templates).format_map(slots)
        return tail

    def _sort_front(self, ast: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        if not ast.get("sort") or not self._chance(_FRONT):
            return "", ast
        front = self._pick(self.phrasings.sort_front).format_map(self.entity | {"s": self._sorting(ast["sort"])})
        return front, _without(ast, "sort")

    def _sorting(self, keys: list[Mapping[str, str]]) -> str:
        return self._pick(self.phrasings.sort_next).join(self._sort_key(key) for key in keys)

    def _sort_key(self, key: Mapping[str, str]) -> str:
        kind = self.conditions.kind(key["field"])
        by_kind = self.phrasings.sorts.get(kind, {}).get(key["order"], ())
        templates = self.phrasings.sorts["any"][key["order"]] + by_kind
        return self._pick(templates).format_map(self.entity | self.conditions.noun(key["field"]).slots())

    def _entity(self, said: Said) -> str:
        if not said.adjective:
            return self.entity["e"]
        return self.phrasings.adjective.format(e=self.entity["e"], adjective=said.adjective)

    def _finished(self, text: str, polite: bool = True) -> str:
        """Politeness, elision, capital letter and full stop."""
        asks = text.endswith("?")
        if polite and self._chance(_POLITE):
            if self._chance(0.5):
                text = self._pick(self.phrasings.greetings) + text
            elif not asks and ". " not in text:
                text += self._pick(self.phrasings.thanks)
        if self.style.language == "fr":
            text = re.sub(r"\b([Qq])ue (ils?\b|elles?\b)", r"\1u'\2", text)
        if self._chance(0.85) and not text.startswith(OPEN):
            text = text[:1].upper() + text[1:]
        return text if asks or text.endswith("?") or self._chance(0.4) else f"{text.removesuffix('.')}."

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _pick(self, options: Any) -> str:
        """One of the templates, in the register of the whole request."""
        return form(self.rng.choice(options), second=self.style.formal)


def _without(ast: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return {name: value for name, value in ast.items() if name != key}
