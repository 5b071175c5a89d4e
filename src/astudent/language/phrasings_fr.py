"""How French asks."""

from astudent.language.phrasings import Phrasings

_NUMBER_VERBS = {
    "eq": ("[est égal{e}|n'est pas égal{e}] à {v}", "[vaut|ne vaut pas] {v}", "est de {v}", "est exactement de {v}"),
    "neq": ("est différent{e} de {v}", "n'est pas de {v}", "est autre que {v}"),
    "gt": ("[dépasse|ne dépasse pas] {v}", "[est supérieur{e}|n'est pas supérieur{e}] à {v}", "est strictement supérieur{e} à {v}",
           "[est au-dessus|n'est pas au-dessus] de {v}", "[excède|n'excède pas] {v}"),
    "gte": ("[est supérieur{e} ou égal{e}|n'est pas supérieur{e} ou égal{e}] à {v}", "est d'au moins {v}", "est de {v} ou plus",
            "[atteint au moins|n'atteint pas] {v}"),
    "lt": ("[est inférieur{e}|n'est pas inférieur{e}] à {v}", "[est en dessous|n'est pas en dessous] de {v}", "est strictement inférieur{e} à {v}",
           "reste sous {v}"),
    "lte": ("[est inférieur{e} ou égal{e}|n'est pas inférieur{e} ou égal{e}] à {v}", "est d'au plus {v}", "est de {v} ou moins",
            "est de {v} au maximum"),
    "between": ("[est compris{e}|n'est pas compris{e}] entre {lo} et {hi}", "[se situe|ne se situe pas] entre {lo} et {hi}", "va de {lo} à {hi}"),
}  # fmt: skip
_DATE_VERBS = {
    "eq": ("est le {v}", "[tombe|ne tombe pas] le {v}", "est exactement le {v}"),
    "neq": ("n'est pas le {v}", "est autre que le {v}", "est différent{e} du {v}"),
    "gt": ("[est postérieur{e}|n'est pas postérieur{e}] au {v}", "[vient|ne vient pas] après le {v}", "[est|n'est pas] après le {v}"),
    "gte": ("est le {v} ou après", "est au plus tôt le {v}", "[est égal{e} ou postérieur{e}|n'est pas égal{e} ou postérieur{e}] au {v}"),
    "lt": ("[est antérieur{e}|n'est pas antérieur{e}] au {v}", "[vient|ne vient pas] avant le {v}", "[est|n'est pas] avant le {v}"),
    "lte": ("est le {v} ou avant", "est au plus tard le {v}", "[est égal{e} ou antérieur{e}|n'est pas égal{e} ou antérieur{e}] au {v}"),
    "between": ("[est compris{e}|n'est pas compris{e}] entre le {lo} et le {hi}", "[se situe|ne se situe pas] entre le {lo} et le {hi}",
                "[tombe|ne tombe pas] entre le {lo} et le {hi}"),
}  # fmt: skip
_CHOICE_VERBS = {
    "eq": ("est {v}", "[est égal{e}|n'est pas égal{e}] à {v}", "[vaut|ne vaut pas] {v}", "est exactement {v}"),
    "neq": ("n'est pas {v}", "est différent{e} {de_v}", "est autre {que_v}"),
    "in": ("[est|n'est pas] l'une des valeurs {all}", "figure parmi {all}", "[se trouve|ne se trouve pas] parmi {all}"),
    "not_in": ("n'est ni {neither}", "n'est aucune des valeurs {all}", "ne figure pas parmi {all}"),
}  # fmt: skip
_TEXT_VERBS = _CHOICE_VERBS | {
    "contains": ("[contient|ne contient pas] {v}", "[comporte|ne comporte pas] {v}", "[inclut|n'inclut pas] {v}"),
    "starts_with": ("[commence|ne commence pas] par {v}", "[débute|ne débute pas] par {v}"),
    "ends_with": ("[finit|ne finit pas] par {v}", "[se termine|ne se termine pas] par {v}"),
}

_NUMBER_NOUNS = {
    "eq": ("{a} de {v}", "{a} égal{e} à {v}", "{a} d'exactement {v}"),
    "neq": ("{a} différent{e} de {v}", "{a} autre que {v}"),
    "gt": ("{a} supérieur{e} à {v}", "{a} de plus de {v}", "{a} au-dessus de {v}", "{a} dépassant {v}"),
    "gte": ("{a} d'au moins {v}", "{a} de {v} ou plus", "{a} supérieur{e} ou égal{e} à {v}"),
    "lt": ("{a} inférieur{e} à {v}", "{a} de moins de {v}", "{a} en dessous de {v}"),
    "lte": ("{a} d'au plus {v}", "{a} de {v} ou moins", "{a} inférieur{e} ou égal{e} à {v}", "{a} de {v} au maximum"),
    "between": ("{a} compris{e} entre {lo} et {hi}", "{a} situé{e} entre {lo} et {hi}", "{a} allant de {lo} à {hi}"),
}
_DATE_NOUNS = {
    "eq": ("{a} fixé{e} au {v}", "{a} égal{e} au {v}"),
    "neq": ("{a} autre que le {v}", "{a} différent{e} du {v}"),
    "gt": ("{a} postérieur{e} au {v}", "{a} qui vient après le {v}"),
    "gte": ("{a} à partir du {v} inclus", "{a} le {v} ou après"),
    "lt": ("{a} antérieur{e} au {v}", "{a} qui vient avant le {v}"),
    "lte": ("{a} le {v} ou avant", "{a} jusqu'au {v} inclus"),
    "between": ("{a} compris{e} entre le {lo} et le {hi}", "{a} situé{e} entre le {lo} et le {hi}"),
}
_CHOICE_NOUNS = {
    "eq": ("{the} {v}", "{a} égal{e} à {v}", "comme {f} {v}", "pour {f} {v}"),
    "neq": ("{a} autre {que_v}", "{a} différent{e} {de_v}"),
    "in": ("{a} parmi {all}", "{a} figurant parmi {all}"),
    "not_in": ("{a} qui n'est ni {neither}", "{a} ne figurant pas parmi {all}"),
}
_TEXT_NOUNS = _CHOICE_NOUNS | {
    "contains": ("{a} contenant {v}", "{a} qui contient {v}", "{a} comportant {v}"),
    "starts_with": ("{a} commençant par {v}", "{a} qui commence par {v}"),
    "ends_with": ("{a} finissant par {v}", "{a} qui se termine par {v}"),
}
_TERSE_NUMBER = {
    "eq": ("{f} {v}", "{f} : {v}", "{f} égal{e} à {v}"),
    "neq": ("{f} différent{e} de {v}", "{f} autre que {v}"),
    "gt": ("{f} supérieur{e} à {v}", "{f} au-dessus de {v}", "{f} de plus de {v}"),
    "gte": ("{f} d'au moins {v}", "{f} {v} ou plus", "{f} minimum de {v}"),
    "lt": ("{f} inférieur{e} à {v}", "{f} en dessous de {v}", "{f} de moins de {v}"),
    "lte": ("{f} d'au plus {v}", "{f} {v} ou moins", "{f} maximum de {v}"),
    "between": ("{f} compris{e} entre {lo} et {hi}", "{f} entre {lo} et {hi}", "{f} de {lo} à {hi}"),
}
_TERSE_DATE = {
    "eq": ("{f} le {v}", "{f} : {v}"),
    "neq": ("{f} autre que le {v}", "{f} différent{e} du {v}"),
    "gt": ("{f} après le {v}", "{f} postérieur{e} au {v}"),
    "gte": ("{f} le {v} ou après", "{f} à partir du {v} inclus"),
    "lt": ("{f} avant le {v}", "{f} antérieur{e} au {v}"),
    "lte": ("{f} le {v} ou avant", "{f} jusqu'au {v} inclus"),
    "between": ("{f} compris{e} entre le {lo} et le {hi}", "{f} entre le {lo} et le {hi}", "{f} du {lo} au {hi}"),
}
_TERSE_TEXT = {
    "eq": ("{f} {v}", "{f} : {v}"),
    "neq": ("{f} autre {que_v}", "{f} différent{e} {de_v}"),
    "in": ("{f} parmi {all}", "{f} au choix parmi {all}"),
    "not_in": ("{f} absent{e} de {all}", "{f} ni {neither}"),
    "contains": ("{f} contenant {v}", "{f} contient {v}"),
    "starts_with": ("{f} commençant par {v}", "{f} commence par {v}"),
    "ends_with": ("{f} finissant par {v}", "{f} se termine par {v}"),
}

FRENCH = Phrasings(
    verbs={"number": _NUMBER_VERBS, "date": _DATE_VERBS, "text": _TEXT_VERBS, "choice": _CHOICE_VERBS},
    nouns={"number": _NUMBER_NOUNS, "date": _DATE_NOUNS, "text": _TEXT_NOUNS, "choice": _CHOICE_NOUNS},
    terse={"number": _TERSE_NUMBER, "date": _TERSE_DATE, "text": _TERSE_TEXT, "choice": _TERSE_TEXT},
    counts={
        "eq": ("exactement {v} {f}",),
        "gt": ("plus de {v} {f}",),
        "gte": ("au moins {v} {f}", "un minimum de {v} {f}"),
        "lt": ("moins de {v} {f}",),
        "lte": ("au plus {v} {f}", "un maximum de {v} {f}"),
        "between": ("entre {lo} et {hi} {f}", "de {lo} à {hi} {f}"),
    },
    flags={
        "relative": {
            True: ("qui sont {f}", "marqu{és} comme {q}", "dont l'indicateur {q} est vrai"),
            False: ("qui ne sont pas {f}", "non marqu{és} comme {q}", "dont l'indicateur {q} est faux"),
        },
        "clause": {
            True: ("{q} est vrai", "{q} vaut vrai", "l'indicateur {q} est vrai"),
            False: ("{q} est faux", "{q} vaut faux", "l'indicateur {q} est faux"),
        },
        "noun": {True: ("{q} à vrai", "l'indicateur {q} à oui"), False: ("{q} à faux", "l'indicateur {q} à non")},
        "terse": {True: ("{f}", "{f} : oui"), False: ("{f} : non", "{f} : faux")},
    },
    flags_neq={
        "relative": ("dont l'indicateur {q} n'est pas {v}", "dont l'indicateur {q} est autre que {v}"),
        "clause": ("l'indicateur {q} n'est pas {v}", "{q} est autre que {v}"),
        "noun": ("l'indicateur {q} autre que {v}", "l'indicateur {q} différent de {v}"),
        "terse": ("{f} autre que {v}", "{f} différent de {v}"),
    },
    truth={True: "vrai", False: "faux"},
    leads={
        "clause": (" pour {lesquels} ", " où ", " {tels} que "),
        "noun": (" avec ", " ayant "),
        "relative": (" ",),
        "terse": ("",),
    },
    relative="dont {the} {predicate}",
    clause=("{the} {predicate}",),
    both=("", ""),  # "avec A, ou à la fois B et C" is awkward: brackets say it better
    both_frames=frozenset(),
    either=("soit ", ", soit "),
    either_frames=frozenset({"clause", "noun", "terse"}),
    joins={"and": (" et ", " et ", ", et "), "or": (" ou ", " ou ", ", ou ")},
    words={"and": "et", "or": "ou", "nor": "ni", "not": "non", "yes_no": "oui/non", "ask": " ?", "semicolon": " ; "},
    all_of=(" remplissant toutes ces conditions : ", " pour {lesquels} tout ceci est vrai : "),
    any_of=(" remplissant au moins une de ces conditions : ", " pour {lesquels} au moins un de ces points est vrai : "),
    denied=("il n'est pas vrai que {c}", "il est faux que {c}"),
    except_those=(", sauf {ceux} {c}", ", à l'exception de {ceux} {c}", ", mais pas {ceux} {c}", ", en excluant {ceux} {c}"),
    all_except=("{tous} les {e} sauf {ceux} {c}", "les {e} à l'exception de {ceux} {c}", "les {e}, en excluant {ceux} {c}"),
    such_that="pour {lesquels} ",
    adjective="{e} {adjective}",
    wholes=("les {e}", "les {e}", "{tous} les {e}"),
    intros=(
        "[montre|montrez]-moi {x}", "[affiche|affichez] {x}", "[trouve|trouvez] {x}", "[liste|listez] {x}", "[donne|donnez]-moi {x}",
        "[cherche|cherchez] {x}", "[trouve|trouvez]-moi {x}", "[sors|sortez]-moi {x}", "[renvoie|renvoyez] {x}", "je veux voir {x}",
        "je voudrais {x}", "j'aimerais voir {x}", "j'ai besoin de voir {x}", "je cherche {x}", "nous voulons {x}", "peut-on voir {x}",
        "[peux-tu|pouvez-vous] trouver {x}", "[peux-tu|pouvez-vous] me montrer {x}", "[pourrais-tu|pourriez-vous] lister {x}",
        "[pourrais-tu|pourriez-vous] afficher {x}",
    ),
    questions={
        "noun": ("{quels} {e} ont ", "{quels} sont les {e} avec "),
        "relative": ("{quels} sont les {e} ", "[peux-tu|pouvez-vous] me dire {quels} sont les {e} "),
        "clause": ("{quels} sont les {e} pour {lesquels} ",),
    },
    terse_intros=("{e} : ", "{e} - ", "{e}, ", "seulement les {e} : "),
    greetings=("Bonjour, ", "[Salut|Bonjour], ", "S'il [te|vous] plaît, ", "Bonsoir, "),
    thanks=(", s'il [te|vous] plaît", ", s'il [te|vous] plaît", ", merci"),
    first_n=("les {n} {premiers} {e}", "au plus {n} {e}", "seulement les {n} {premiers} {e}", "un maximum de {n} {e}"),
    sorts={
        "any": {
            "asc": ("par {f} croissant{e}", "par ordre croissant {of}", "selon {the} en ordre croissant"),
            "desc": ("par {f} décroissant{e}", "par ordre décroissant {of}", "selon {the} en ordre décroissant"),
        },
        "number": {
            "asc": ("selon {the}, du plus petit au plus grand", "selon {the}, du plus bas au plus haut"),
            "desc": ("selon {the}, du plus grand au plus petit", "selon {the}, du plus haut au plus bas"),
        },
        "date": {
            "asc": ("selon {the}, du plus ancien au plus récent", "selon {the}, en commençant par le plus ancien"),
            "desc": ("selon {the}, du plus récent au plus ancien", "selon {the}, en commençant par le plus récent"),
        },
        "text": {
            "asc": ("par ordre alphabétique {of}", "selon {the} de A à Z"),
            "desc": ("par ordre alphabétique inverse {of}", "selon {the} de Z à A"),
        },
    },
    sort_tail=(", {triés} {s}", ", {classés} {s}", ", {triés} {s}", ", {rangés} {s}"),
    sort_next=(", puis ", " et ensuite "),
    sort_front=("avec un tri {s}, ", "dans un classement {s}, "),  # a participle here would go with the verb's subject
    sort_sentence=(". [Trie|Triez] le tout {s}", ". [Classe|Classez] le résultat {s}", ". [Trie|Triez] le résultat {s}"),
    limit_tail=(", pas plus de {n} résultats", ", seulement les {n} {premiers}", ", au maximum {n}", ", {n} résultats au plus"),
    limit_one=(", seulement {le_premier}", ", un seul résultat", ", pas plus d'un résultat", ", 1 résultat au plus"),
    limit_sentence=(". [Garde|Gardez] seulement les {n} {premiers}", ". [Limite|Limitez] la réponse à {n}", ". Pas plus de {n} résultats"),
    limit_one_sentence=(". [Garde|Gardez] seulement {le_premier}", ". Un seul résultat suffit", ". [Limite|Limitez] la réponse à 1"),
    among="parmi {x}, ",
    top_n={
        "number": {
            "desc": ("les {n} qui ont {the} {le} plus élevé{e}", "les {n} {premiers} par {f} décroissant{e}"),
            "asc": ("les {n} qui ont {the} {le} plus bas{se}", "les {n} {premiers} par {f} croissant{e}"),
        },
        "date": {
            "desc": ("les {n} qui ont {the} {le} plus récent{e}",),
            "asc": ("les {n} qui ont {the} {le} plus ancien{ne}",),
        },
    },
    top_one={
        "number": {"desc": ("{celui} qui a {the} {le} plus élevé{e}",), "asc": ("{celui} qui a {the} {le} plus bas{se}",)},
        "date": {"desc": ("{celui} qui a {the} {le} plus récent{e}",), "asc": ("{celui} qui a {the} {le} plus ancien{ne}",)},
    },
    measures={
        "sum": ("la somme {ofthe}", "le total {ofthe}", "le cumul {ofthe}"),
        "avg": ("la moyenne {ofthe}", "{the} moyen{ne}", "la valeur moyenne {ofthe}"),
        "min": ("le minimum {ofthe}", "{the} minimal{e}", "la plus petite valeur {ofthe}"),
        "max": ("le maximum {ofthe}", "{the} maximal{e}", "la plus grande valeur {ofthe}"),
    },
    count_questions=("combien {de_e} y a-t-il{c}{g} ?", "combien y a-t-il {de_e}{c}{g} ?", "quel est le nombre {de_e}{c}{g} ?"),
    count_orders=("[compte|comptez] les {e}{c}{g}", "[donne|donnez]-moi le nombre {de_e}{c}{g}", "je veux savoir combien il y a {de_e}{c}{g}"),
    measure_questions=("que vaut {m} pour les {e}{c}{g} ?", "pour les {e}{c}, que vaut {m}{g} ?"),
    measure_orders=("[donne|donnez]-moi {m} pour les {e}{c}{g}", "[calcule|calculez] {m} pour les {e}{c}{g}", "j'aimerais connaître {m} des {e}{c}{g}"),
    group_front=("pour chaque {g}, ", "par {g}, "),
    group_tail=(", par {g}", ", pour chaque {g}", ", en groupant par {g}", ", avec une ventilation par {g}"),
    grouped=(", regroup{és} par {g}",),
)  # fmt: skip
