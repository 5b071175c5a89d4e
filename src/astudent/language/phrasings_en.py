"""How English asks."""

from astudent.language.phrasings import Phrasings

_NUMBER_VERBS = {
    "eq": ("is {v}", "[equals|does not equal] {v}", "[is|is not] equal to {v}", "[is|is not] exactly {v}"),
    "neq": ("is different from {v}", "is other than {v}", "is anything except {v}", "is not {v}"),
    "gt": ("[is|is not] above {v}", "[is|is not] greater than {v}", "[is|is not] over {v}", "[exceeds|does not exceed] {v}",
           "[is|is not] more than {v}"),
    "gte": ("[is|is not] at least {v}", "is {v} or more", "[is|is not] greater than or equal to {v}", "is no less than {v}"),
    "lt": ("[is|is not] below {v}", "[is|is not] less than {v}", "is under {v}", "[is|is not] smaller than {v}"),
    "lte": ("[is|is not] at most {v}", "is {v} or less", "[is|is not] less than or equal to {v}", "is no more than {v}"),
    "between": ("[is|is not] between {lo} and {hi}", "[lies|does not lie] between {lo} and {hi}",
                "ranges from {lo} to {hi}", "[is|is not] in the range from {lo} to {hi}"),
}  # fmt: skip
_DATE_VERBS = {
    "eq": ("is {v}", "[falls|does not fall] on {v}", "[is|is not] exactly {v}"),
    "neq": ("is not {v}", "is any day except {v}", "is other than {v}"),
    "gt": ("[is|is not] after {v}", "[is|is not] later than {v}", "[comes|does not come] after {v}"),
    "gte": ("is {v} or later", "[is|is not] on or after {v}", "is no earlier than {v}"),
    "lt": ("[is|is not] before {v}", "[is|is not] earlier than {v}", "[comes|does not come] before {v}"),
    "lte": ("is {v} or earlier", "[is|is not] on or before {v}", "is no later than {v}"),
    "between": ("[is|is not] between {lo} and {hi}", "[falls|does not fall] between {lo} and {hi}",
                "[lies|does not lie] between {lo} and {hi}"),
}  # fmt: skip
_CHOICE_VERBS = {
    "eq": ("is {v}", "[equals|does not equal] {v}", "is exactly {v}"),
    "neq": ("is not {v}", "is different from {v}", "is other than {v}", "is anything except {v}"),
    "in": ("[is|is not] one of {v}", "is either {v}", "is among {all}", "[is|is not] in the list {all}"),
    "not_in": ("is not one of {v}", "is neither {neither}", "is not among {all}"),
}
_TEXT_VERBS = _CHOICE_VERBS | {
    "contains": ("[contains|does not contain] {v}", "[includes|does not include] {v}", "[has|does not have] {v} in it"),
    "starts_with": ("[starts|does not start] with {v}", "[begins|does not begin] with {v}"),
    "ends_with": ("[ends|does not end] with {v}", "[ends|does not end] in {v}"),
}

_NUMBER_NOUNS = {
    "eq": ("{a} of {v}", "{a} equal to {v}", "{a} of exactly {v}"),
    "neq": ("{a} other than {v}", "{a} different from {v}"),
    "gt": ("{a} above {v}", "{a} greater than {v}", "{a} over {v}", "{a} of more than {v}"),
    "gte": ("{a} of at least {v}", "{a} of {v} or more", "a minimum {f} of {v}"),
    "lt": ("{a} below {v}", "{a} less than {v}", "{a} under {v}", "{a} of less than {v}"),
    "lte": ("{a} of at most {v}", "{a} of {v} or less", "{a} up to {v}", "a maximum {f} of {v}"),
    "between": ("{a} between {lo} and {hi}", "{a} from {lo} to {hi}"),
}
_DATE_NOUNS = {
    "eq": ("{a} of {v}", "{a} on {v}"),
    "neq": ("{a} other than {v}",),
    "gt": ("{a} after {v}", "{a} later than {v}"),
    "gte": ("{a} of {v} or later", "{a} on or after {v}", "{a} from {v} onwards"),
    "lt": ("{a} before {v}", "{a} earlier than {v}"),
    "lte": ("{a} of {v} or earlier", "{a} on or before {v}", "{a} no later than {v}"),
    "between": ("{a} between {lo} and {hi}", "{a} from {lo} to {hi}"),
}
_CHOICE_NOUNS = {
    "eq": ("{the} {v}", "{a} of {v}", "{a} equal to {v}", "{v} as their {f}"),
    "neq": ("{a} other than {v}", "{a} different from {v}"),
    "in": ("{a} among {all}", "{a} that is one of {v}"),
    "not_in": ("{a} that is not one of {v}", "{a} other than {v}"),
}
_TEXT_NOUNS = _CHOICE_NOUNS | {
    "contains": ("{a} containing {v}", "{a} that includes {v}", "{v} in their {f}"),
    "starts_with": ("{a} starting with {v}", "{a} beginning with {v}"),
    "ends_with": ("{a} ending with {v}", "{a} that ends in {v}"),
}
_TERSE_NUMBER = {
    "eq": ("{f} {v}", "{f}: {v}", "{f} of {v}", "{f} exactly {v}"),
    "neq": ("{f} not {v}", "{f} other than {v}"),
    "gt": ("{f} above {v}", "{f} over {v}", "{f} more than {v}"),
    "gte": ("{f} at least {v}", "{f} {v} or more", "{f} from {v} up", "min {f} {v}"),
    "lt": ("{f} below {v}", "{f} under {v}", "{f} less than {v}"),
    "lte": ("{f} at most {v}", "{f} {v} or less", "{f} up to {v}", "max {f} {v}"),
    "between": ("{f} between {lo} and {hi}", "{f} {lo} to {hi}"),
}
_TERSE_DATE = {
    "eq": ("{f} {v}", "{f} on {v}"),
    "neq": ("{f} not {v}", "{f} other than {v}"),
    "gt": ("{f} after {v}", "{f} later than {v}"),
    "gte": ("{f} on or after {v}", "{f} {v} or later"),
    "lt": ("{f} before {v}", "{f} earlier than {v}"),
    "lte": ("{f} on or before {v}", "{f} {v} or earlier"),
    "between": ("{f} between {lo} and {hi}", "{f} from {lo} to {hi}"),
}
_TERSE_TEXT = {
    "eq": ("{f} {v}", "{f}: {v}"),
    "neq": ("{f} not {v}", "{f} other than {v}"),
    "in": ("{f} one of {v}", "{f} among {all}"),
    "not_in": ("{f} not among {all}", "{f} not one of {v}"),
    "contains": ("{f} containing {v}", "{f} contains {v}"),
    "starts_with": ("{f} starting with {v}", "{f} begins with {v}"),
    "ends_with": ("{f} ending with {v}", "{f} ends in {v}"),
}

ENGLISH = Phrasings(
    verbs={"number": _NUMBER_VERBS, "date": _DATE_VERBS, "text": _TEXT_VERBS, "choice": _CHOICE_VERBS},
    nouns={"number": _NUMBER_NOUNS, "date": _DATE_NOUNS, "text": _TEXT_NOUNS, "choice": _CHOICE_NOUNS},
    terse={"number": _TERSE_NUMBER, "date": _TERSE_DATE, "text": _TERSE_TEXT, "choice": _TERSE_TEXT},
    counts={
        "eq": ("exactly {v} {f}",),
        "gt": ("more than {v} {f}", "over {v} {f}"),
        "gte": ("at least {v} {f}", "{v} or more {f}"),
        "lt": ("fewer than {v} {f}", "under {v} {f}"),
        "lte": ("at most {v} {f}", "no more than {v} {f}"),
        "between": ("between {lo} and {hi} {f}", "{lo} to {hi} {f}"),
    },
    flags={
        "relative": {
            True: ("that are {f}", "which are {f}", "that are marked as {f}"),
            False: ("that are not {f}", "which are not {f}", "that aren't {f}", "that are not marked as {f}"),
        },
        "clause": {
            True: ("{f} is true", "{f} is set to true", "{f} is set to yes"),
            False: ("{f} is false", "{f} is set to false", "{f} is set to no"),
        },
        "noun": {True: ("{f} set to true", "{f} set to yes"), False: ("{f} set to false", "{f} set to no")},
        "terse": {True: ("{f}", "{f}: yes"), False: ("{f}: no", "{f}: false")},
    },
    flags_neq={
        "relative": ("whose {f} is not {v}", "whose {f} is other than {v}"),
        "clause": ("{f} is not {v}", "{f} is different from {v}"),
        "noun": ("{f} other than {v}", "{f} different from {v}"),
        "terse": ("{f} not {v}", "{f} other than {v}"),
    },
    truth={True: "true", False: "false"},
    leads={
        "clause": (" where ", " for which ", " such that ", " where "),
        "noun": (" with ", " having "),
        "relative": (" ",),
        "terse": ("",),
    },
    relative="whose {f} {predicate}",
    clause=("{the} {predicate}", "{the} {predicate}", "{f} {predicate}"),
    both=("both ", " and "),
    both_frames=frozenset({"clause", "noun"}),
    either=("either ", " or "),
    either_frames=frozenset({"clause", "noun", "terse"}),
    joins={"and": (" and ", " and ", ", and "), "or": (" or ", " or ", ", or ")},
    words={"and": "and", "or": "or", "nor": "nor", "not": "not", "yes_no": "yes/no", "ask": "?", "semicolon": "; "},
    all_of=(" for which all of the following hold: ", " meeting every one of these conditions: "),
    any_of=(" for which at least one of the following holds: ", " meeting at least one of these conditions: "),
    denied=("it is not true that {c}", "it is not the case that {c}"),
    except_those=(", except those {c}", ", but not those {c}", ", excluding those {c}", ", leaving out the ones {c}"),
    all_except=("all {e} except those {c}", "every one of the {e} but those {c}", "the {e}, excluding those {c}"),
    such_that="for which ",
    adjective="{adjective} {e}",
    wholes=("{e}", "the {e}", "the {e}", "all {e}", "all the {e}"),
    intros=(
        "show me {x}", "show {x}", "find {x}", "find me {x}", "list {x}", "give me {x}", "get {x}", "get me {x}",
        "display {x}", "return {x}", "I need {x}", "I want to see {x}", "I'm looking for {x}", "I'd like {x}",
        "could you find {x}", "can you show me {x}", "please list {x}", "look up {x}", "search for {x}",
        "we need a list of {x}", "pull up {x}", "I would like to see {x}", "let me see {x}", "would you list {x}",
    ),
    questions={
        "noun": ("which {e} have ", "what {e} have "),
        "relative": ("which are the {e} ", "can you tell me the {e} ", "could I see the {e} "),
        "clause": ("what are the {e} for which ", "could you list the {e} where "),
    },
    terse_intros=("{e}: ", "{e} - ", "{e}, ", "only {e}: "),
    greetings=("Hello, ", "Hi, ", "Good morning, ", "Good afternoon, "),
    thanks=(", please", ", thanks", ", thank you"),
    first_n=("the first {n} {e}", "at most {n} {e}", "only the first {n} {e}", "up to {n} {e}"),
    sorts={
        "any": {
            "asc": ("by ascending {f}", "by {f} in ascending order", "by {f}, ascending", "by increasing {f}"),
            "desc": ("by descending {f}", "by {f} in descending order", "by {f}, descending", "by decreasing {f}"),
        },
        "number": {
            "asc": ("by {f} from lowest to highest", "by {f}, smallest first", "by {f} with the lowest first"),
            "desc": ("by {f} from highest to lowest", "by {f}, largest first", "by {f} with the highest first"),
        },
        "date": {
            "asc": ("by {f}, oldest first", "by {f} from earliest to latest"),
            "desc": ("by {f}, newest first", "by {f}, most recent first", "by {f} from latest to earliest"),
        },
        "text": {
            "asc": ("alphabetically by {f}", "by {f} from A to Z"),
            "desc": ("by {f} in reverse alphabetical order", "by {f} from Z to A"),
        },
    },
    sort_tail=(", sorted {s}", ", ordered {s}", ", sorted {s}", ", arranged {s}"),
    sort_next=(", then ", " and then "),
    sort_front=("sorted {s}, ", "ordered {s}, "),
    sort_sentence=(". Sort them {s}", ". Order the results {s}", ". Put them in order {s}"),
    limit_tail=(", limited to {n}", ", no more than {n} results", ", only the first {n}", ", at most {n} of them", ", just {n} results"),
    limit_one=(", only the first one", ", just 1 result", ", limited to 1", ", a single result"),
    limit_sentence=(". Return at most {n}", ". Keep only the first {n}", ". Limit the answer to {n}", ". Stop after {n} results"),
    limit_one_sentence=(". Keep only the first one", ". A single result is enough", ". Limit the answer to 1"),
    among="among {x}, ",
    top_n={
        "number": {
            "desc": ("the {n} with the highest {f}", "the {n} with the largest {f}", "the top {n} by {f}"),
            "asc": ("the {n} with the lowest {f}", "the {n} with the smallest {f}", "the bottom {n} by {f}"),
        },
        "date": {
            "desc": ("the {n} with the latest {f}", "the {n} with the most recent {f}"),
            "asc": ("the {n} with the earliest {f}", "the {n} with the oldest {f}"),
        },
    },
    top_one={
        "number": {"desc": ("the one with the highest {f}",), "asc": ("the one with the lowest {f}",)},
        "date": {"desc": ("the one with the latest {f}",), "asc": ("the one with the earliest {f}",)},
    },
    measures={
        "sum": ("the sum {ofthe}", "the total {f}", "the combined {f}"),
        "avg": ("the average {f}", "the mean {f}", "the average {f}"),
        "min": ("the lowest {f}", "the minimum {f}", "the smallest {f}"),
        "max": ("the highest {f}", "the maximum {f}", "the largest {f}"),
    },
    count_questions=("how many {e}{c} are there{g}?", "how many {e} are there{c}{g}?", "what is the number of {e}{c}{g}?"),
    count_orders=("count the {e}{c}{g}", "give me the number of {e}{c}{g}", "I need a count of the {e}{c}{g}", "tell me how many {e} there are{c}{g}"),
    measure_questions=("what is {m} of the {e}{c}{g}?", "what's {m} for the {e}{c}{g}?", "for the {e}{c}, what is {m}{g}?"),
    measure_orders=("give me {m} of the {e}{c}{g}", "compute {m} for the {e}{c}{g}", "calculate {m} over the {e}{c}{g}", "I need {m} of the {e}{c}{g}"),
    group_front=("for each {g}, ", "for every {g}, "),
    group_tail=(", per {g}", ", for each {g}", ", broken down by {g}", ", grouped by {g}", ", by {g}"),
    grouped=(", grouped by {g}",),
)  # fmt: skip
