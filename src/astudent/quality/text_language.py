"""Whether a text contradicts its declared language: by words that stand in English or in French alone.

No statistics: a text of few or foreign words says nothing, and other languages than these two are not judged.
"""

import re
from collections.abc import Iterator

from astudent.quality.check import Check, GateRow
from astudent.quality.violations import Violation

WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
MARKS = {
    "en": frozenset(
        """the of and with which whose where are was were is has have had this that these those there their they them
        from for than then not does do did what who how many much each every by at least most more less only show list
        find give get all any your my our his her its will would can could should please want need between below above
        under without order ordered sorted than about been but into when while because hi hello thanks thank dear you we
        i'd i'm i've don't doesn't can't it's""".split()
    ),
    "fr": frozenset(
        """le la les un une des du de et avec dont où qui que sont est était étaient ont avait ce cette ces leur leurs ils
        elles pour dans par pas ne aux au quel quelle quels quelles combien chaque moins plus seulement montre montrez
        affiche affichez liste donne donnez trouve trouvez tous toutes tout toute votre vos mon ma mes notre nos son sa ses
        entre sous sans trié triés triées été mais quand parce bonjour merci cher chère vous nous je j'ai n'est c'est sur
        en il elle à veux voudrais besoin numéro""".split()
    ),
}
ELISIONS = re.compile(r"^(?:[cdjlmnst]|qu)'")
SHARED = frozenset(
    "on me a as or mon son ton sur plus pour est sale liste sans par sous entre tout des en la le les de do".split()
)
"""Words of both languages, or of names that either uses; they say nothing alone."""
MAX_READ = 4_000
"""Characters of a text by which it is judged."""
LEAST_MARKS, MAJORITY = 2, 4
"""A text contradicts its language by so many different words of the other one, and so many for each of its own."""


def marks(text: str) -> dict[str, set[str]]:
    """The different words of the text that stand in one of the languages alone."""
    words = set(WORDS.findall(text[:MAX_READ].casefold().replace("’", "'")))
    found = {language: (words & known) - SHARED for language, known in MARKS.items()}
    found["fr"] |= {word for word in words if "'" in word and ELISIONS.match(word) and word not in MARKS["en"]}
    return found


def contradiction(text: str, language: str) -> str | None:
    """The language that the text is clearly in instead of the declared one; None where it may be as declared."""
    declared = language.casefold().replace("_", "-").partition("-")[0]
    if declared not in MARKS:
        return None
    found = marks(text)
    own = len(found.pop(declared))
    other, words = next(iter(found.items()))
    return other if len(words) >= max(LEAST_MARKS, MAJORITY * own) else None


class TextLanguage(Check):
    """The `language` of each row against its text."""

    def row(self, row: GateRow) -> Iterator[Violation]:
        """A clear contradiction."""
        if row.language is None or not row.is_valid:
            return
        other = contradiction(row.query, row.language)
        if other is not None:
            words = ", ".join(sorted(marks(row.query)[other])[:8])
            yield row.place.finding(
                "wrong_language", f"words of {other}: {words}", f"a text in {row.language}", "/query"
            )
