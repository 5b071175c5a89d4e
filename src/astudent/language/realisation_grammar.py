"""Nouns in a sentence: articles, agreement, elision, and spans that a typo must never touch.

A schema's labels come without gender or number, so both are guessed from the head noun's ending; for a made-up word
any guess is right.
"""

import re
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"  # private-use characters around a span that is copied letter by letter

_WORD_END = re.compile("[ '\u2019-]")
# Heads whose complement says of what kind they are; elsewhere the article may matter ("jour de la semaine").
_INNER_ARTICLE = re.compile(
    r"(nom|titre|numéro|code|type|thème|taille|date|durée) (?:du |des |de la |de l['\u2019])(?!jour\b)(.+)",
    re.IGNORECASE,
)
_PLURAL = re.compile(r"[^\W\d_]{2,}[^sui]s$")
_PLURAL_LOOKALIKES = frozenset(
    {"gas", "canvas", "atlas", "lens", "prix", "poids", "temps", "fois", "accès", "cours", "pays", "bus", "status"}
)
_PLURAL_ARE_COUNTS = frozenset({"number", "integer"})

_MASCULINE_ENDINGS = (
    "age", "isme", "ège", "ème", "aire", "oire", "être", "ètre", "ble", "iste", "gramme", "cle", "ice", "phe", "rbre",
    "intre", "ôme", "ange", "ige", "uble", "ibre", "tre", "que",
)  # fmt: skip
_MASCULINE = frozenset(
    {
        "nombre", "titre", "mode", "type", "rythme", "volume", "code", "rayon", "tempo", "poste", "service", "montant",
        "régime", "modèle", "groupe", "thème", "centre", "système", "indice", "déchet", "kilomètre", "siècle", "mètre",
        "pourcentage", "musée", "lycée", "trophée", "côté", "été", "comité", "degré", "engin", "congé", "délai",
        "litre", "gramme", "chiffre", "genre", "cadre", "membre", "ordre", "registre", "astre", "gabarit", "artiste",
        "peintre", "astronome", "analyste", "dramaturge", "interprète", "orfèvre", "capitaine", "employé", "navire",
        "terminus", "dénivelé", "café", "blé", "acte", "texte", "terme", "site", "compte", "acompte", "carbone",
        "sinistre", "élève", "prêtre", "vivre", "marché", "arrêté", "produit", "relevé", "symptôme", "numéro", "objet",
        "véhicule", "risque", "canapé", "pôle", "contrôle", "domaine", "espace", "parfum",
        "vignoble", "timbre", "meuble", "diplôme", "verbe", "âge", "score",
        "solde", "principe", "garde", "trafic", "manque", "reste", "exemple", "échange", "problème", "pétale", "lexique",
    }
)  # fmt: skip
_FEMININE = frozenset(
    {
        "fin", "main", "faim", "part", "mer", "nuit", "dent", "loi", "foi", "fois", "voix", "croix", "noix", "paix",
        "couleur", "longueur", "largeur", "hauteur", "profondeur", "épaisseur", "teneur", "fleur", "valeur", "chaleur",
        "vapeur", "odeur", "saveur", "vigueur", "ardeur", "rigueur", "humeur", "grosseur", "douceur", "lueur", "sœur",
        "boisson", "saison", "maison", "raison", "livraison", "prison", "leçon", "façon", "rançon", "région", "option",
        "essence", "superficie", "pension", "tension", "image", "page", "plage", "cage", "rage", "nage", "matrice",
        "police", "notice", "justice", "malice", "épice", "mémoire", "histoire", "victoire", "affaire", "grammaire",
        "marque", "banque", "technique", "musique", "boutique", "brique", "barque", "mécanique", "rubrique", "époque",
        "lettre", "fenêtre", "montre", "vitre", "rencontre", "clé", "clef", "conclusion", "forme", "note", "liste",
        "riposte", "piste", "table", "cible", "œuvre", "offre", "boîte", "fréquence", "cargaison", "reliure", "devise",
        "catégorie", "unité", "langue", "référence", "réponse", "étape", "phase", "charge", "vigilance",
    }
)  # fmt: skip
_FEMININE_ENDINGS = ("tion", "sion", "té", "tié", "xion", "aison", "nion", "tude", "rté", "gion")
_ASPIRATED = frozenset(
    {
        "huit", "huitième", "hauteur", "haut", "haute", "hauts", "hautes", "hall", "handicap", "handball", "héros", "hors", "hausse",
        "hangar", "hache", "hameau", "hameaux", "haie", "haies", "haricot", "haricots", "harpe", "hasard", "hêtre", "hêtres", "hibou",
        "hiboux", "hockey", "homard", "homards", "hareng", "harengs", "houblon", "housse", "hublot", "huis", "hiérarchie", "halte",
        "halle", "halles", "hamster", "hamsters", "hérisson", "hérissons", "héron", "hérons", "hernie", "hongrois", "hongroise",
        "hollandais", "hollandaise", "hanche", "houille", "hard", "hip", "havre", "hamburger",
    }
)  # fmt: skip
_VOWELS = "aeiouâàäéèêëîïôöùûüœæ"


@dataclass(frozen=True)
class Noun:
    """A field's name in one language, ready for templates: `{f}`, `{the}`, `{a}`, `{of}`, `{ofthe}`, `{e}` (feminine e).

    `counted` holds the bare label when it is a plural that counts things ("goals"), else None.
    """

    f: str
    the: str
    a: str
    of: str
    ofthe: str
    e: str
    counted: str | None

    def slots(self) -> dict[str, str]:
        """What templates about this field may hold; `{le}`, `{ne}`, `{se}` are French endings and articles."""
        feminine = bool(self.e)
        agreement = {"e": self.e, "le": "la" if feminine else "le", "ne": "ne" * feminine, "se": "se" * feminine}
        return {"f": self.f, "the": self.the, "a": self.a, "of": self.of, "ofthe": self.ofthe} | agreement


def protect(text: str) -> str:
    """Marks a span that the reader must copy."""
    return f"{OPEN}{text.replace(OPEN, '').replace(CLOSE, '')}{CLOSE}"


def strip_marks(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def _first_word(label: str) -> str:
    return _WORD_END.split(label.casefold(), maxsplit=1)[0]


def is_plural(label: str) -> bool:
    """Whether the head of a label looks like a plural: "goals", "nights stayed", "jours de retard"."""
    words = label.casefold().split()
    head = words[-1]
    for position, word in enumerate(words[1:], start=1):
        if word in _HEAD_STOPS or word.endswith(("ed", "ing")):
            head = words[position - 1]
            break
    return bool(_PLURAL.search(head)) and head not in _PLURAL_LOOKALIKES


_HEAD_STOPS = frozenset(
    [
        "in", "of", "on", "per", "to", "for", "late", "until", "from", "around", "due", "with", "within", "and", "left",
        "sold", "taken", "set", "driven", "ridden", "spent", "made", "won", "lost", "done", "seen", "drawn", "given",
    ]
)  # fmt: skip


def english_noun(label: str, field_type: str) -> Noun:
    """Articles around an English label; a plural of a number field becomes "number of goals"."""
    marked = protect(label)
    counted = marked if field_type in _PLURAL_ARE_COUNTS and is_plural(label) else None
    phrase = f"number of {marked}" if counted else marked
    article = "an" if not counted and label[:1].casefold() in "aeiou" else "a"
    return Noun(phrase, f"the {phrase}", f"{article} {phrase}", f"of {phrase}", f"of the {phrase}", "", counted)


def french_noun(label: str, field_type: str) -> Noun:
    """Articles, elision and agreement around a French label; a plural of a number field becomes "nombre de buts"."""
    marked = protect(label)
    head = _first_word(label)
    if field_type in _PLURAL_ARE_COUNTS and _is_french_plural(head):
        phrase = f"nombre {french_de(label, marked)}"
        return Noun(phrase, f"le {phrase}", f"un {phrase}", f"de {phrase}", f"du {phrase}", "", marked)
    feminine = is_feminine(head)
    if elides(label):
        the, ofthe = f"l'{marked}", f"de l'{marked}"
    else:
        the, ofthe = (f"la {marked}", f"de la {marked}") if feminine else (f"le {marked}", f"du {marked}")
    indefinite = f"{'une' if feminine else 'un'} {protect(without_inner_article(label))}"
    return Noun(marked, the, indefinite, french_de(label, marked), ofthe, "e" if feminine else "", None)


def without_inner_article(label: str) -> str:
    """What follows "un": "nom de station" for the label "nom de la station"."""
    match = _INNER_ARTICLE.match(label)
    if match is None:
        return label
    head, rest = match.groups()
    return f"{head} {french_de(rest, rest)}"


def french_de(label: str, marked: str) -> str:
    """Says "de prix", "d'âge"."""
    return f"d'{marked}" if elides(label) else f"de {marked}"


def elides(word: str) -> bool:
    """Whether le, la, de lose their vowel before this word."""
    first = _first_word(word)
    if first[:1] == "h":
        return first not in _ASPIRATED
    return first[:1] in _VOWELS and first not in {"onze", "oui", "ouistiti"}


def _is_french_plural(head: str) -> bool:
    return head.endswith(("s", "aux", "eux")) and head not in _PLURAL_LOOKALIKES and head not in _ALWAYS_SINGULAR


_ALWAYS_SINGULAR = frozenset({"taux", "terminus", "processus", "engrais", "colis", "avis", "os"})


def is_feminine(noun: str) -> bool:
    """The gender of a French noun in the singular, by list and by ending."""
    if noun in _FEMININE:
        return True
    if noun in _MASCULINE:
        return False
    if noun.endswith(_FEMININE_ENDINGS):
        return True
    return noun.endswith("e") and not noun.endswith(_MASCULINE_ENDINGS)


def singular(plural: str) -> str:
    """The head of a plural French noun, in the singular: "animaux" gives "animal"."""
    head = _first_word(plural)
    if head.endswith("aux") and not head.endswith("eaux"):
        return head[:-3] + "al"
    return head[:-1] if head.endswith(("s", "x")) else head


def agreeing(adjective: str, feminine: bool) -> str | None:
    """The plural of a French adjective when its letters stay ("archivé", "archivées"), else None."""
    if " " in adjective:
        return adjective if adjective.split()[0] in _INVARIABLE else None
    if adjective.endswith("é"):
        return adjective + ("es" if feminine else "s")
    return adjective + "s" if adjective.endswith("e") else None


_INVARIABLE = frozenset({"à", "au", "en", "sans", "sur", "hors", "recto"})
