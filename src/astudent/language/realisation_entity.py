"""The things that a request is about ("orders", "commandes") and the words that agree with them in French."""

from astudent.language.realisation_grammar import elides, is_feminine, singular


def entity_slots(plural: str, language: str) -> dict[str, str]:
    """Template slots: `{e}` the plural noun, and in French its agreeing words (`{triés}`, `{lesquels}`, `{ceux}`)."""
    if language == "en":
        return {"e": plural}
    feminine = is_feminine(singular(plural))
    agreeing = {
        "es": "es" if feminine else "s",
        "és": "ées" if feminine else "és",
        "lesquels": "lesquelles" if feminine else "lesquels",
        "ceux": "celles" if feminine else "ceux",
        "celui": "celle" if feminine else "celui",
        "le_premier": "la première" if feminine else "le premier",
        "tous": "toutes" if feminine else "tous",
        "tels": "telles" if feminine else "tels",
        "quels": "quelles" if feminine else "quels",
        "premiers": "premières" if feminine else "premiers",
    }
    sorting = {word: word[:-1] + ("es" if feminine else "s") for word in ("triés", "classés", "rangés")}
    return {"e": plural, "de_e": f"d'{plural}" if elides(plural) else f"de {plural}"} | agreeing | sorting
