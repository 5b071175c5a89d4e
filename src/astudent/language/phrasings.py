"""The shape of a language's phrasings; the words stand in phrasings_en.py and phrasings_fr.py.

Slots of a field's templates: `{f}` the name, `{the}` `{a}` `{ofthe}` with article, `{e}` a feminine e where the name
is feminine; `{v}` the value or the list joined by "or", `{neither}` the list joined by "nor", `{lo}` `{hi}` a range;
`{de_v}` `{que_v}` the value after de and que, which lose their vowel before another.
`[is|is not]` is a verb and its denial; a template without one cannot be denied. In what addresses the reader,
`[trie|triez]` is said to a friend and to others.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ByOperator = Mapping[str, tuple[str, ...]]
_FORMS = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")


def form(template: str, second: bool) -> str:
    """A template with the first or the second form of each `[is|is not]`."""
    return _FORMS.sub(r"\2" if second else r"\1", template)


@dataclass(frozen=True)
class Phrasings:
    """All that one language says. `kind` is number, date, text (strings), choice (enums)."""

    verbs: Mapping[str, ByOperator]  # kind -> operator -> "[is|is not] above {v}"; after {the} or whose
    nouns: Mapping[str, ByOperator]  # kind -> operator -> "{a} above {v}"; after with
    terse: Mapping[str, ByOperator]  # kind -> operator -> "{f} above {v}"; in a list of catchwords
    counts: ByOperator  # operator -> "more than {v} {f}"; for names that count things
    flags: Mapping[str, Mapping[bool, tuple[str, ...]]]  # frame -> value -> "that are {f}"
    flags_neq: Mapping[str, tuple[str, ...]]  # frame -> "{f} is not {v}", where "{f} is" would be another AST
    truth: Mapping[bool, str]
    leads: Mapping[str, tuple[str, ...]]  # frame -> " where ", " with "
    relative: str  # "whose {f} {predicate}"
    clause: tuple[str, ...]  # "{the} {predicate}"
    both: tuple[str, str]  # "both A and B"
    both_frames: frozenset[str]  # where that is good style
    either: tuple[str, str]  # "either A or B"
    either_frames: frozenset[str]
    joins: Mapping[str, tuple[str, ...]]  # and, or -> what stands between two conditions
    words: Mapping[str, str]  # and, or, nor, not, yes_no, ask, semicolon -> the bare word or mark
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    denied: tuple[str, ...]  # "it is not true that {c}"
    except_those: tuple[str, ...]
    all_except: tuple[str, ...]
    such_that: str  # what opens a whole clause after "those"
    adjective: str  # "{adjective} {e}"
    wholes: tuple[str, ...]  # "the {e}"
    intros: tuple[str, ...]  # "show me {x}"
    questions: Mapping[str, tuple[str, ...]]  # frame -> opening of a question
    terse_intros: tuple[str, ...]
    greetings: tuple[str, ...]
    thanks: tuple[str, ...]
    first_n: tuple[str, ...]
    sorts: Mapping[str, Mapping[str, tuple[str, ...]]]  # kind or any -> asc, desc -> "by ascending {f}"
    sort_tail: tuple[str, ...]
    sort_next: tuple[str, ...]
    sort_front: tuple[str, ...]
    sort_sentence: tuple[str, ...]
    limit_tail: tuple[str, ...]
    limit_one: tuple[str, ...]  # the tail for a limit of 1
    limit_sentence: tuple[str, ...]
    limit_one_sentence: tuple[str, ...]
    among: str
    top_n: Mapping[str, Mapping[str, tuple[str, ...]]]  # kind -> asc, desc -> "the {n} with the highest {f}"
    top_one: Mapping[str, Mapping[str, tuple[str, ...]]]  # the same for a limit of 1
    measures: Mapping[str, tuple[str, ...]]  # function -> "the average {f}"
    count_questions: tuple[str, ...]
    count_orders: tuple[str, ...]
    measure_questions: tuple[str, ...]
    measure_orders: tuple[str, ...]
    group_front: tuple[str, ...]
    group_tail: tuple[str, ...]
    grouped: tuple[str, ...]
