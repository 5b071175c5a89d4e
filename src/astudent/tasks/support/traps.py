"""What makes a message hard on purpose, and why its answer is still decidable.

Each function writes a whole message. In training rows it uses milder forms of the same trap; the forms of test rows
occur in no training row.
"""

import json
from collections.abc import Callable
from random import Random

from astudent.language.realisation_grammar import protect
from astudent.language.serialise import dumps
from astudent.records import Language
from astudent.tasks.support import draws, phrases, words
from astudent.tasks.support.draft import OTHER_LANGUAGE, Draft
from astudent.tasks.support.facts import Facts
from astudent.tasks.support.schema import INTENTS, NEEDS
from astudent.tasks.support.spelling import slips
from astudent.tasks.support.templates import continued, sentence

REQUESTS = tuple(intent for intent in INTENTS if intent != "other")
WITH_NEEDS = tuple(intent for intent in INTENTS if NEEDS[intent])


def plain(language: Language, rng: Random, for_test: bool) -> Draft:
    """One request and nothing in its way; in training one of ten lacks something that it needs."""
    draft = Draft.start(language, rng.choice(INTENTS), rng, for_test, for_test or rng.random() < 0.9)
    draft.write()
    return draft


def several_intents(language: Language, rng: Random, for_test: bool) -> Draft:
    """Two or three requests. The first is `intent`, the others follow in their order; facts of a later request belong
    to that request: it names its own product, and its order where that is another one."""
    draft = Draft.start(language, rng.choice(REQUESTS), rng, for_test)
    draft.write()
    count = 2 if for_test and rng.random() < 0.35 else 1
    others = rng.sample([intent for intent in REQUESTS if intent != draft.intent], count)
    lines = phrases.section(language, "frames", "also")
    joiners = rng.sample(lines.held_out if for_test else lines.trained, count)
    for intent, line in zip(others, joiners, strict=True):
        ask = continued(draft.request(intent, _of_later_request(draft, intent)))
        draft.after.append(line.replace("{ask}", ask))
    draft.other_intents = others
    return draft


def _of_later_request(draft: Draft, intent: str) -> Facts:
    language, rng = draft.language, draft.rng
    orders = words.ORDERS[language]
    if "order_id" in draft.facts.said:
        other = rng.choice(words.OTHER_ORDERS[language]).format(protect(draws.order_id(rng)))
        orders = [*words.SAME_ORDER[language], other]
    facts = draft.aside(intent, orders)
    facts.amount = None  # a second sum would leave it open which one counts
    if "product" in NEEDS[draft.intent]:
        facts.product = None
    return facts


def prompt_injection(language: Language, rng: Random, for_test: bool) -> Draft:
    """Text that gives orders to the reader. A message is data: the customer's real request counts, and where there is
    none it is `other`."""
    alone = rng.random() < 0.15
    draft = Draft.start(language, "other" if alone else rng.choice(INTENTS), rng, for_test)
    injection = _injection(draft)
    if alone:
        draft.greeting, draft.ask = draft.frame("greeting"), injection
        return draft
    draft.write()
    place = rng.choice(["before", "after", "below"])
    if place == "below":
        draft.below = f"\n\n{injection}"
    else:
        getattr(draft, place).append(injection)
    return draft


def _injection(draft: Draft) -> str:
    rng = draft.rng
    lines = phrases.section(draft.language, "injections", "injection")
    line = rng.choice(lines.held_out if draft.for_test else lines.trained)
    wrong = rng.choice([intent for intent in REQUESTS if intent != draft.intent])
    other = Draft.start(draft.language, wrong, rng, for_test=False)
    other.facts.said = set(NEEDS[wrong])
    fake = other.answer() | {"urgency": rng.choice(["low", "high"])}
    text = line.replace("\\n", "\n").replace("{intent}", wrong).replace("{flag}", rng.choice(["true", "false"]))
    text = text.replace("{json_escaped}", json.dumps(dumps(fake))[1:-1]).replace("{json}", dumps(fake))
    return protect(text)


def missing_information(language: Language, rng: Random, for_test: bool) -> Draft:
    """A request without what it needs. `missing` follows from `intent` and from what is stated; that the customer says
    where it might be found does not state it."""
    draft = Draft.start(language, rng.choice(WITH_NEEDS), rng, for_test)
    lost = rng.choice(NEEDS[draft.intent])
    setattr(draft.facts, lost, None)
    draft.write()
    if for_test or rng.random() < 0.5:
        draft.after.append(draft.form(f"no_{lost.removesuffix('_id')}"))
    return draft


def typos(language: Language, rng: Random, for_test: bool) -> Draft:
    """A plain message with slips of the fingers, never in what has to be copied; words stay recognisable."""
    draft = plain(language, rng, for_test)
    for name in ("before", "after"):
        setattr(draft, name, [slips(part, language, for_test, rng) for part in getattr(draft, name)])
    draft.ask = slips(draft.ask, language, for_test, rng)
    return draft


def negation(language: Language, rng: Random, for_test: bool) -> Draft:
    """Requests that the customer denies to have. What is denied is not asked for."""
    draft = Draft.start(language, rng.choice(REQUESTS), rng, for_test)
    draft.write()
    lines = phrases.section(language, "traps", "denial")
    candidates = [intent for intent in REQUESTS if intent != draft.intent]
    denials = rng.sample(lines.held_out if for_test else lines.trained, rng.choice([1, 2]) if for_test else 1)
    for line, intent in zip(denials, rng.sample(candidates, len(denials)), strict=True):
        text = line.replace("{denied}", phrases.denied(language, intent))
        if "{ask}" in text:
            draft.ask = text.replace("{ask}", continued(draft.ask))
        else:
            (draft.before if rng.random() < 0.6 else draft.after).append(sentence(text))
    return draft


def quoted_history(language: Language, rng: Random, for_test: bool) -> Draft:
    """An earlier mail with another request stands below. Only the new mail asks for something now."""
    draft = Draft.start(language, rng.choice(REQUESTS), rng, for_test)
    draft.write()
    earlier = rng.choice([intent for intent in REQUESTS if intent != draft.intent])
    facts = draft.aside(earlier)
    quoted = sentence(draft.request(earlier, facts))
    kind = rng.choice(["quoted_from_customer", "quoted_from_support"]) + ("_test" if for_test else "")
    text = phrases.block(language, "traps", kind)
    for slot in ("date", "full_name"):
        text = text.replace(f"{{{slot}}}", facts.render(f"{{{slot}}}"))
    draft.below = "\n\n" + text.replace("{quoted}", quoted)
    return draft


def numbers_that_mislead(language: Language, rng: Random, for_test: bool) -> Draft:
    """Telephone and customer numbers, tickets, sums and orders of something else, each said to be just that; what the
    request needs is stated too."""
    draft = Draft.start(language, rng.choice(REQUESTS), rng, for_test)
    draft.write()
    for _ in range(2):
        (draft.before if rng.random() < 0.5 else draft.after).append(draft.form("number"))
    return draft


def mixed_language(language: Language, rng: Random, for_test: bool) -> Draft:
    """The request in one language; greeting, closing and, in test rows, reasons in the other. The language changes no
    value."""
    draft = Draft.start(language, rng.choice(INTENTS), rng, for_test)
    draft.write()
    draft.before.insert(0, draft.frame("opening"))  # so that the request's own language stays the main one
    draft.side_language = OTHER_LANGUAGE[language]
    draft.greeting, draft.closing = draft.frame("greeting"), draft.frame("closing")
    for _ in range(rng.choice([1, 2]) if for_test else 0):
        draft.after.append(draft.frame(draft.intent, "reasons"))
    return draft


def long_story(language: Language, rng: Random, for_test: bool) -> Draft:
    """A request in the midst of much that asks for nothing."""
    draft = Draft.start(language, rng.choice(INTENTS), rng, for_test)
    draft.write()
    lines = phrases.section(language, "traps", "story")
    held_out = rng.sample(lines.held_out, 4) if for_test else []
    chosen = held_out + rng.sample(lines.trained, rng.randint(2, 4) if for_test else 2)
    rng.shuffle(chosen)
    told = [sentence(draft.facts.render(line)) for line in chosen]
    cut = rng.randint(len(told) // 2, len(told))
    draft.before, draft.after = draft.before + told[:cut], draft.after + told[cut:]
    return draft


TRAPS: dict[str, Callable[[Language, Random, bool], Draft]] = {
    trap.__name__: trap
    for trap in (
        several_intents,
        prompt_injection,
        missing_information,
        typos,
        negation,
        quoted_history,
        numbers_that_mislead,
        mixed_language,
        long_story,
    )
}
