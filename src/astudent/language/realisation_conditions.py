"""Conditions in words. One request says all its conditions in one frame, so that they join well:

    clause    where the price is above 5 and the status is shipped
    relative  whose price is above 5 and that are archived
    noun      with a price above 5 and a status of shipped
    terse     price above 5, status shipped

Mixed and/or is always bracketed, by parentheses or by a final "either A or B"; a denied group always has parentheses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from astudent.language.phrasings import Phrasings, form
from astudent.language.realisation_grammar import (
    OPEN,
    Noun,
    agreeing,
    elides,
    english_noun,
    french_noun,
    protect,
    strip_marks,
)
from astudent.language.realisation_values import Style
from astudent.language.vocabulary import FieldInfo, Vocabulary

Condition = Mapping[str, Any]
FRAMES = ("relative", "clause", "noun")
_KINDS = {"number": "number", "integer": "number", "date": "date", "string": "text", "enum": "choice"}
_DASH_LIKE = re.compile(r"^\{(v|lo)\}|\{f\} \{(v|lo)\}")  # where a minus could be read as a dash
_KEY_AS_NAME, _ADJECTIVE, _EXCEPT, _LISTED = 0.12, 0.2, 0.6, 0.2


@dataclass(frozen=True)
class Said:
    """A condition in words: `adjective` before or after the entity, `lead` and `body` after it, `exception` at the end."""

    frame: str
    lead: str = ""
    body: str = ""
    exception: str = ""
    adjective: str = ""
    all_except: str = ""  # the body of "all orders except those …"; then nothing else is set


@dataclass(frozen=True)
class ConditionWriter:
    """Writes the conditions of one request; every choice comes from `rng`."""

    vocabulary: Vocabulary
    language: str
    phrasings: Phrasings
    entity: dict[str, str]
    style: Style
    rng: Random

    def say(self, condition: Condition, frame: str | None = None, ends: bool = True) -> Said:
        """The whole condition, in `frame` or in one that suits it.

        Exceptions and lists of conditions only where it `ends` the sentence's account of the entities.
        """
        condition = _undoubled(condition)
        if ends and "not" in condition and frame is None and self.rng.random() < _EXCEPT:
            return Said("relative", all_except=self._those(condition["not"]))
        adjective, rest = self._take_adjective(condition)
        exception, rest = self._take_exception(rest) if ends else ("", rest)
        if rest is None:
            return Said("relative", exception=exception, adjective=adjective)
        if ends and frame is None and len(_children(rest)) > 1 and self.rng.random() < _LISTED:
            return self._listed(rest, exception, adjective)
        frame = frame or self.rng.choice([each for each in FRAMES if self._suits(rest, each)])
        lead = self._fill(self._pick(self.phrasings.leads[frame]))
        return Said(frame, lead, self.body(rest, frame), exception, adjective)

    def body(self, condition: Condition, frame: str, depth: int = 0, last: bool = True, within: str = "") -> str:
        """A condition and those below it; `within` is the connective around it."""
        condition = _undoubled(condition)
        if "not" in condition:
            return self._denial(condition["not"], frame, within)
        if "field" in condition:
            return self._leaf(condition, frame, denied=False, within=within)
        word, children = _group(condition)
        texts = [self.body(c, frame, depth + 1, c is children[-1], word) for c in children]
        plain = all("field" in child for child in children)
        if depth == 0:
            return self._joined_at_top(word, texts, frame)
        if last and depth == 1 and plain and len(texts) == 2 and self.rng.random() < 0.5:
            if word == "or" and frame in self.phrasings.either_frames:
                return self.phrasings.either[0] + self.phrasings.either[1].join(texts)
            if word == "and" and frame in self.phrasings.both_frames:
                return self.phrasings.both[0] + self.phrasings.both[1].join(texts)
        return f"({self._joined(word, texts, frame)})"

    def noun(self, name: str) -> Noun:
        """A field's name with its articles; in English sometimes the key itself, with spaces."""
        field = self.vocabulary.fields[name]
        label = field.labels[self.language]
        if self.language == "fr":
            return french_noun(label, field.type)
        return english_noun(name.replace("_", " ") if self.rng.random() < _KEY_AS_NAME else label, field.type)

    def kind(self, name: str) -> str:
        """number, date, text, choice or flag."""
        return _KINDS.get(self.vocabulary.fields[name].type, "flag")

    def _joined_at_top(self, word: str, texts: list[str], frame: str) -> str:
        if frame == "terse" and word == "and":
            return ", ".join(texts)
        flat = len(texts) == 2 and not any(text.startswith((self.phrasings.either[0], "(")) for text in texts)
        if word == "or" and flat and frame in self.phrasings.either_frames and self.rng.random() < 0.4:
            return self.phrasings.either[0] + self.phrasings.either[1].join(texts)
        if len(texts) == 2:
            return self._pick(self.phrasings.joins[word]).join(texts)
        return self._joined(word, texts, frame)

    def _joined(self, word: str, texts: list[str], frame: str) -> str:
        """Says "A, B and C", or a word between each pair where commas could be read as "and"."""
        between = f" {self.phrasings.words[word]} "
        blurred = word == "or" and frame in ("relative", "terse")
        if blurred or any(text.startswith("(") for text in texts) or self.rng.random() < 0.3:
            return between.join(texts)
        return ", ".join(texts[:-1]) + between + texts[-1]

    def _listed(self, condition: Condition, exception: str, adjective: str) -> Said:
        """Says "for which all of the following hold: A; B; C"."""
        word, children = _group(condition)
        lead = self._fill(self._pick(self.phrasings.all_of if word == "and" else self.phrasings.any_of))
        items = [self.body(child, "clause", 1, True, word) for child in children]
        return Said("list", lead, self.phrasings.words["semicolon"].join(items), exception, adjective)

    def _suits(self, condition: Condition, frame: str) -> bool:
        """Denials need a verb: no denial in the noun frame, no denied group in the relative frame."""
        if "not" in condition:
            inner = _undoubled(condition["not"])
            return frame == "clause" or (frame == "relative" and "field" in inner and self._deniable(inner))
        return all(self._suits(_undoubled(child), frame) for child in _children(condition))

    def _deniable(self, leaf: Condition) -> bool:
        kind = self.kind(leaf["field"])
        return kind == "flag" or any("[" in each for each in self.phrasings.verbs[kind][leaf["operator"]])

    def _denial(self, inner: Condition, frame: str, within: str) -> str:
        """Says "does not exceed 5", "it is not true that (A or B)", "not (A or B)"."""
        if "field" in inner and self._deniable(inner) and frame in ("clause", "relative"):
            return self._leaf(inner, frame, denied=True, within=within)
        text = self._leaf(inner, frame, False, within) if "field" in inner else self.body(inner, frame, depth=2)
        bracketed = text if text.startswith("(") else f"({text})"
        if frame == "terse":
            return f"{self.phrasings.words['not']} {bracketed}"
        return self._pick(self.phrasings.denied).format(c=bracketed)

    def _take_adjective(self, condition: Condition) -> tuple[str, Condition | None]:
        """Says "cancelled orders": the first condition as an adjective, where a word alone says it."""
        children = list(_children(condition)) if "and" in condition else [condition]
        word = self._adjective(children[0]) if "field" in children[0] and self.rng.random() < _ADJECTIVE else None
        if word is None:
            return "", condition
        if len(children) < 3:
            return word, children[1] if len(children) == 2 else None
        return word, {"and": children[1:]}

    def _adjective(self, leaf: Condition) -> str | None:
        field = self.vocabulary.fields[leaf["field"]]
        if leaf["operator"] != "eq":
            return None
        if field.type == "boolean" and leaf["value"] is True:
            label = field.labels[self.language]
            word = label if self.language == "en" else agreeing(label, self.entity["ceux"] == "celles")
            if word is None:
                return None
            # the ending that agrees stands outside the protected label
            return protect(label) + word[len(label) :] if self._only(label) else None
        if field.type == "enum" and self.language == "en":
            label = self._value_label(field, leaf["value"])
            return protect(label) if label.isalpha() and self._only(label) else None
        return None

    def _only(self, label: str) -> bool:
        """Whether one field or value alone bears this word, so that it needs no field's name beside it."""
        if self.language == "en" and not label.isalpha():
            return False
        fields = self.vocabulary.fields.values()
        names = [text for f in fields for text in {f.labels[self.language], f.name.replace("_", " ")}]
        values = [text for f in fields for value, labels in f.values for text in {labels[self.language], str(value)}]
        return [text.casefold() for text in names + values].count(label.casefold()) == 1

    def _take_exception(self, condition: Condition | None) -> tuple[str, Condition | None]:
        """The last member of an `and`, when it is a denial, as "except those …"."""
        if condition is None or "and" not in condition:
            return "", condition
        children = list(_children(condition))
        last = _undoubled(children[-1])
        if "not" not in last or self.rng.random() >= _EXCEPT:
            return "", condition
        rest = children[0] if len(children) == 2 else {"and": children[:-1]}
        return self._pick(self.phrasings.except_those).format(c=self._those(last["not"]), **self.entity), rest

    def _those(self, condition: Condition) -> str:
        """What follows "those": a relative clause, or a whole condition after "for which"."""
        condition = _undoubled(condition)
        if "field" in condition and self.rng.random() < 0.8:
            return self._leaf(condition, "relative", denied=False)
        return self._fill(self.phrasings.such_that) + self.body(
            condition, "clause", depth=0 if "field" in condition else 1
        )

    def _leaf(self, leaf: Condition, frame: str, denied: bool, within: str = "") -> str:
        noun, kind = self.noun(leaf["field"]), self.kind(leaf["field"])
        if kind == "flag":
            return self._flag(leaf, frame, denied)
        slots = noun.slots() | self._value_slots(leaf, within, frame)
        if frame in ("noun", "terse"):
            return self._nominal(leaf["operator"], kind, noun, frame, slots)
        templates = self._templates(self.phrasings.verbs[kind], leaf["operator"], slots)
        if denied:
            templates = [template for template in templates if "[" in template]
        predicate = form(self._pick(templates), second=denied).format_map(slots)
        shape = self.phrasings.relative if frame == "relative" else self._pick(self.phrasings.clause)
        return shape.format_map(slots | {"predicate": predicate})

    def _nominal(self, operator: str, kind: str, noun: Noun, frame: str, slots: dict[str, str]) -> str:
        if noun.counted and operator in self.phrasings.counts and self.rng.random() < 0.6:
            by_operator, slots = self.phrasings.counts, slots | {"f": noun.counted}
        else:
            by_operator = (self.phrasings.nouns if frame == "noun" else self.phrasings.terse)[kind]
        templates = self._templates(by_operator, operator, slots)
        if frame == "terse" and _is_negative(slots):
            templates = [each for each in templates if not _DASH_LIKE.search(each)]
        return self._pick(templates).format_map(slots)

    def _templates(self, by_operator: Mapping[str, tuple[str, ...]], operator: str, slots: dict[str, str]) -> list[str]:
        """The templates of an operator; a list of one value is said like that value alone."""
        if slots.get("single"):
            operator = {"in": "eq", "not_in": "neq"}[operator]
        templates = list(by_operator[operator])
        if slots.get("v", "").startswith("("):
            templates = [t for t in templates if "either {v}" not in t and "{neither}" not in t]
        return templates

    def _flag(self, leaf: Condition, frame: str, denied: bool) -> str:
        field = self.vocabulary.fields[leaf["field"]]
        value = leaf["value"] ^ denied ^ (leaf["operator"] == "neq")
        label = field.labels[self.language]
        noun = self.noun(leaf["field"])
        slots = {**self.entity, "f": noun.f, "q": self.style.quoted(label)}
        if leaf["operator"] == "neq" and "eq" in field.operators and not denied:
            slots["v"] = self.phrasings.truth[leaf["value"]]
            return self._pick(self.phrasings.flags_neq[frame]).format_map(slots)
        templates = self.phrasings.flags[frame][value]
        if self.language == "fr" and frame == "relative":
            agreed = agreeing(label, self.entity["ceux"] == "celles")
            slots["f"] = protect(label) + agreed[len(label) :] if agreed else ""
            templates = [t for t in templates if agreed or "{f}" not in t]
        return self._pick(templates).format_map(slots)

    def _value_slots(self, leaf: Condition, within: str, frame: str) -> dict[str, str]:
        """`{v}`, or `{lo}` and `{hi}`, or the list's `{v}` (or), `{all}` (and), `{neither}` (nor).

        A list stands in parentheses where its own "or" or "and" could be taken for the connective around it.
        """
        field, value = self.vocabulary.fields[leaf["field"]], leaf["value"]
        if leaf["operator"] == "between":
            return {"lo": self._value(field, value[0]), "hi": self._value(field, value[1])}
        if not isinstance(value, list):
            return _with_particles(self._value(field, value))
        items = [self._value(field, each) for each in value]
        if len(items) == 1:
            return _with_particles(items[0]) | {"single": "yes"}
        words, bracketed = self.phrasings.words, f"({', '.join(items)})"
        if within == "or" or frame == "terse":
            return {"v": bracketed, "all": bracketed}
        every = bracketed if within == "and" else _series(items, words["and"])
        return {"v": _series(items, words["or"]), "all": every, "neither": f" {words['nor']} ".join(items)}

    def _value(self, field: FieldInfo, value: Any) -> str:
        if field.type == "enum":
            return self.style.label(self._value_label(field, value), self.rng)
        return self.style.scalar(value, field.type, self.rng)

    def _value_label(self, field: FieldInfo, value: Any) -> str:
        labels = next(labels for known, labels in field.values if known == value)
        if self.language == "en" and self.rng.random() < _KEY_AS_NAME:
            return str(value).replace("_", " ")
        return labels[self.language]

    def _fill(self, template: str) -> str:
        return template.format_map(self.entity)

    def _pick(self, options: Any) -> str:
        return self.rng.choice(options)


def _with_particles(value: str) -> dict[str, str]:
    """The slots of one value: alone, and after the French de and que, which keep their vowel before a quote."""
    if value.startswith(OPEN) and elides(strip_marks(value)):
        return {"v": value, "de_v": f"d'{value}", "que_v": f"qu'{value}"}
    return {"v": value, "de_v": f"de {value}", "que_v": f"que {value}"}


def _is_negative(slots: Mapping[str, str]) -> bool:
    return strip_marks(slots.get("v", slots.get("lo", ""))).startswith("-")


def _series(items: list[str], word: str) -> str:
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def _undoubled(condition: Condition) -> Condition:
    """Without double denials and groups of one, which no sentence shows."""
    while True:
        if "not" in condition and "not" in condition["not"]:
            condition = condition["not"]["not"]
        elif len(_children(condition)) == 1:
            condition = _children(condition)[0]
        else:
            return condition


def _children(condition: Condition) -> list[Condition]:
    return condition.get("and") or condition.get("or") or []


def _group(condition: Condition) -> tuple[str, list[Condition]]:
    return ("and", condition["and"]) if "and" in condition else ("or", condition["or"])
