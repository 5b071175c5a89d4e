"""What pre-training's languages may not share with the pipeline's, checked on drawn dialects: words, shapes and phrasings.

Shared on purpose: the notation, the prompt's order, JSON, the ways to write numbers and dates, bare joiners ("and", "or"), plain lists of names, and
the words that English and French have for a relation ("at least", "before"), in other sentences.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from astudent.language.notation import render_compact
from astudent.language.phrasings_en import ENGLISH as PIPELINE_ENGLISH
from astudent.language.phrasings_fr import FRENCH as PIPELINE_FRENCH
from astudent.student.pretraining.phrasings import FRAMED, PHRASINGS
from astudent.student.pretraining.queries import TASKS, QueryTask
from astudent.student.pretraining.tokenizer import letter_pieces, read
from astudent.student.pretraining.words import FORBIDDEN, WordMaker
from astudent.teacher.lexicon import load_lexicon

Json = Any
TRIVIAL = "{name}"  # one key with one constant, which is how anybody would ask for a count
COPULAS = r"^(?:is|are|be|whose|with|having|which|that|est|sont|dont|avec|ayant|qui)\b"


def problems(template: Json, catalog: Json, dialects: int = 2000, pieces: list[str] | None = None) -> list[str]:
    """Everything that is shared and should not be; empty when pre-training keeps its distance."""
    found = [
        f"{word!r} is of the pipeline's language and not in words.FORBIDDEN"
        for word in sorted(own_words(template, catalog) - FORBIDDEN)
    ]
    rng, words = Random(0), WordMaker(pieces or [])
    own_shapes = set(shapes(template["schema"])) | {shape(template["comparison"])}
    for _ in range(dialects):
        schema = QueryTask(rng, words).schema
        found += [f"a dialect has the key or name {word!r}" for word in sorted(set(names(schema)) & FORBIDDEN)]
        found += [f"a dialect has the pipeline's shape {text}" for text in sorted(set(shapes(schema)) & own_shapes)]
    found += [f"pre-training says {text!r}, and so does the pipeline" for text in sorted(spoken_alike(catalog))]
    return sorted(set(found))


def texts(tokenizer: Path) -> Iterator[str]:
    """What pre-training shows, without end: schemas in short form, and requests."""
    rng, words = Random(0), WordMaker(letter_pieces(read(tokenizer)), avoided=avoided_words())
    while True:
        task = TASKS[rng.choice(list(TASKS))](rng, words)
        schema = render_compact(task.schema)
        for language in ("en", "fr") * 3:
            yield f"{schema} {task.example(language).query}"


def avoided_words() -> frozenset[str]:
    """What pre-training may not even make up by chance: the language's own words, and the embedded teacher's fields and values of one word."""
    lexicon = load_lexicon()
    fields = [*lexicon.common, *(field for domain in lexicon.domains for field in domain.fields)]
    names = {
        name.casefold() for field in fields for name in (field.name, *(value.value for value in field.values or ()))
    }
    return FORBIDDEN | {name for name in names if name.isalpha()}


def own_words(template: Json, catalog: Json) -> set[str]:
    """Keys and constants of the template, operators of the catalogue."""
    return (
        {word for word in names(template["schema"]) if "{" not in word}
        | set(names(template["comparison"]))
        | {o["name"] for o in catalog}
    )


def names(node: Json) -> Iterator[str]:
    """Every property, const and enum value of a schema."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        yield from [value for value in [node.get("const"), *_listed(node.get("enum"))] if isinstance(value, str)]
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from names(child)


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def shapes(schema: Json) -> Iterator[str]:
    """The shapes of all that a condition may be, and of the parts of a query that are objects or lists of objects."""
    for branch in (node for definition in schema["$defs"].values() for node in definition.get("anyOf", [])):
        if isinstance(branch, dict) and shape(_resolved(branch, schema)) != TRIVIAL:
            yield shape(_resolved(branch, schema))
    for part in schema["properties"].values():
        part = _resolved(part, schema)
        if "{" in shape(part) and shape(part) != TRIVIAL:
            yield shape(part)


def _resolved(node: Json, schema: Json) -> Json:
    """The definition that a reference names, lists followed inside; a slot of the template is none."""
    if not isinstance(node, dict):
        return {}
    if "$ref" in node:
        return _resolved(schema["$defs"].get(node["$ref"].rpartition("/")[2], {}), schema)
    return node | {"items": _resolved(node["items"], schema)} if isinstance(node.get("items"), dict) else node


def shape(node: Json) -> str:
    """What is left of a schema node without names: `{name,name,value}`, `{[node]}`."""
    if not isinstance(node, dict):
        return "value"
    if node.get("type") == "object":
        return "{" + ",".join(shape(child) for child in node.get("properties", {}).values()) + "}"
    if "prefixItems" in node:
        return "places"
    if node.get("type") == "array":
        return f"[{shape(node['items'])}]"
    if "$ref" in node:
        return "node"
    return "name" if {"enum", "const", "oneOf"} & node.keys() else "value"


def spoken_alike(catalog: Json) -> set[str]:
    """Phrasings of two words or more that both sides use."""
    theirs = {
        plain(text) for spoken in (PIPELINE_ENGLISH, PIPELINE_FRENCH) for text in _texts(dataclasses.asdict(spoken))
    }
    theirs |= {
        plain(text)
        for entry in catalog
        for text in _texts(entry["phrasings"]) | _texts(entry.get("phrasings_by_type", {}))
    }
    spoken = [*PHRASINGS.values(), *FRAMED.values()]
    ours = {
        plain(said) for phrasing in spoken for texts in phrasing.values() for text in texts for said in _texts(text)
    }
    return {text for text in ours & theirs if len(re.findall(r"[^\W\d]{2,}", text)) >= 2}


def _texts(value: Json) -> set[str]:
    if isinstance(value, str):
        denied = re.sub(r"\[([^|\]]*)\|([^\]]*)\]", r"\2", value)
        return {re.sub(r"\[([^|\]]*)\|([^\]]*)\]", r"\1", value), denied}
    children = (
        value.values()
        if isinstance(value, dict)
        else value
        if isinstance(value, list | tuple | set | frozenset)
        else []
    )
    return set().union(*map(_texts, children))


def plain(text: str) -> str:
    """A phrasing without slots, case, articles and what only leads up to it."""
    text = re.sub(r"\{\w+\}", " ", text.casefold())
    text = " ".join(re.sub(r"\b(?:the|a|an|le|la|les|un|une|des)\b", " ", text).split())
    return re.sub(COPULAS, "", text).strip(" ,:;.")


def load(path: Path) -> Json:
    return json.loads(path.read_text(encoding="utf-8"))
