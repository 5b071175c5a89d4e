"""Names, places and things of which customers write."""

from dataclasses import dataclass

from astudent.language.realisation_grammar import elides


@dataclass(frozen=True)
class Thing:
    """A kind of product in both languages; `feminine` is its French gender."""

    english: str
    french: str
    feminine: bool

    def the(self) -> str:
        """With the definite article: "la lampe", "l'écran"."""
        return f"l'{self.french}" if elides(self.french) else f"{'la' if self.feminine else 'le'} {self.french}"

    def my(self) -> str:
        """With the possessive: "ma lampe", "mon imprimante"."""
        return f"{'ma' if self.feminine and not elides(self.french) else 'mon'} {self.french}"


_FEMININE = {
    "lamp": "lampe",
    "kettle": "bouilloire",
    "coffee maker": "cafetière",
    "printer": "imprimante",
    "speaker": "enceinte",
    "tablet": "tablette",
    "camera": "caméra",
    "watch": "montre",
    "drill": "perceuse",
    "radio": "radio",
    "sewing machine": "machine à coudre",
}
_MASCULINE = {
    "headset": "casque",
    "vacuum cleaner": "aspirateur",
    "router": "routeur",
    "toaster": "grille-pain",
    "fan": "ventilateur",
    "keyboard": "clavier",
    "blender": "mixeur",
    "heater": "radiateur",
    "screen": "écran",
    "hair dryer": "sèche-cheveux",
    "phone": "téléphone",
}
THINGS = tuple(
    [Thing(english, french, True) for english, french in _FEMININE.items()]
    + [Thing(english, french, False) for english, french in _MASCULINE.items()]
)

# Made-up model names: no maker's, and far more than any training set repeats.
MODEL_STARTS = "Lu Ve Ka Bri Sol Ni Ta Mo Fe Or Za Du Ke Pri Al Gra Vo Cel Ti Ru Hel Sin".split()
MODEL_ENDS = "mo nta ro lix va do na rio tek sa zen lan lio ra bel dor nix pa to vi".split()

WOMEN = {
    "en": "Emily Grace Olivia Hannah Chloe Megan Amy Laura Zoe Ruth Priya Aisha Joanna Kate Wendy Ingrid".split(),
    "fr": "Camille Léa Manon Chloé Inès Sarah Élise Nadia Claire Margaux Fatou Aurélie Sylvie Hélène Odile".split(),
}
MEN = {
    "en": "James Oliver Harry Thomas Daniel Samuel Liam Owen Marcus Ravi Ahmed Peter Simon Victor Neil Colin".split(),
    "fr": "Lucas Hugo Louis Nathan Théo Mathis Karim Antoine Julien Pierre Mamadou Olivier Yann Bruno Étienne".split(),
}
SURNAMES = {
    "en": "Smith Jones Taylor Brown Walker Patel Evans Hughes Green Hall Khan Wood Clarke Reed Mills Okoro Frost".split(),
    "fr": "Martin Bernard Dubois Petit Robert Moreau Lefèvre Garcia Roux Fournier Girard Diallo Blanc Gauthier".split(),
}
CITIES = {
    "en": "Leeds Bristol York Cardiff Glasgow Dublin Boston Denver Oxford Norwich Exeter Portland Derby Belfast".split(),
    "fr": "Lyon Nantes Lille Rennes Bordeaux Dijon Tours Nancy Grenoble Reims Toulouse Strasbourg Brest Namur".split(),
}
STREETS = {
    "en": ["Mill Lane", "High Street", "Park Road", "Station Road", "Church Street", "Elm Avenue", "Queen Street"],
    "fr": ["rue des Lilas", "rue Victor-Hugo", "avenue de la Gare", "rue du Moulin", "place du Marché", "rue Pasteur"],
}
WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi".split(),
}
# How people speak of an order or a product whose number or model they do not give.
ORDERS = {
    "en": ["my order", "my last order", "my recent order", "the order I placed last week", "my order"],
    "fr": ["ma commande", "ma dernière commande", "ma commande récente", "ma commande de la semaine dernière"],
}
SAME_ORDER = {"en": ["the same order", "that order"], "fr": ["cette même commande", "cette commande"]}
NUMBERED_ORDERS = {
    "en": ["order {}", "my order {}", "order number {}", "my order no. {}", "order #{}"],
    "fr": ["la commande {}", "ma commande {}", "ma commande n° {}", "la commande numéro {}"],
}
OTHER_ORDERS = {
    "en": ["my other order {}", "my second order {}"],
    "fr": ["mon autre commande {}", "ma deuxième commande {}"],
}
