"""Fills the base template: a domain's fields and a sample of typed operators become one JSON Schema 2020-12.

    data/base_schema_template.json + data/operator_catalog.json + a domain spec -> the schema of one query language

In the template a string `"{slot}"` is replaced by the slot's value and a list entry `"{...slot}"` by its entries.
"""

import copy
import json
import random
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from astudent.errors import RunError, UsageError

if TYPE_CHECKING:
    from astudent.records import DomainSpec, FieldSpec

GROUPS = {"number": "number", "integer": "integer", "string": "text", "date": "date", "boolean": "flag"}
SHARED_PREFIXES = {*GROUPS.values(), "group"}
FUNCTIONS = ("sum", "avg", "min", "max")
MAX_LIMITS = (10, 20, 25, 50, 100)
DRAWS = 500  # enough to meet a set of four operators that serves every type, whatever the fields

Template = dict[str, Any]


class Operator(BaseModel):
    """One comparison: the field types that it serves, the shape of its value, and how people say it.

    `phrasings_by_type` replaces `phrasings` for a type (dates are later, not greater).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    types: tuple[str, ...]
    value: Literal["scalar", "pair", "list"]
    phrasings: dict[str, tuple[str, ...]]
    phrasings_by_type: dict[str, dict[str, tuple[str, ...]]] = {}

    def phrases(self, field_type: str, language: str) -> tuple[str, ...]:
        """Phrasings with `{field}` and `{value}` slots (a pair has two) for one field type in `en` or `fr`."""
        return self.phrasings_by_type.get(field_type, self.phrasings)[language]


def load_catalog(path: Path) -> tuple[Operator, ...]:
    """The operators in the file's order; RunError when the file is no catalogue."""
    try:
        return tuple(Operator.model_validate(entry) for entry in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        detail = " ".join(str(error).split())
        raise RunError(f"operator catalogue {path}: {detail}", "Restore it from the repository.") from error


def load_template(path: Path) -> Template:
    """The base template: `schema` and the forms that it is filled with; RunError when a part is missing."""
    try:
        template = json.loads(path.read_text(encoding="utf-8"))
        missing = [part for part in ("schema", "comparison", "values", "types") if part not in template]
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"schema template {path}: {error}", "Restore it from the repository.") from error
    if missing:
        raise RunError(f"schema template {path}: no part {missing[0]!r}", "Restore it from the repository.")
    return template


def build_schema(
    spec: "DomainSpec",
    catalog: Sequence[Operator],
    template: Template,
    rng: random.Random,
    min_operators: int,
    max_operators: int,
) -> tuple[dict[str, Any], list[str]]:
    """One schema and the names of its operators, in the catalogue's order.

    Every field keeps at least one operator. Sorting, limits, grouping and aggregates come and go with `rng`, so
    that schemas of one domain differ. UsageError when the spec or the operators cannot give a language.
    """
    _check_fields(spec)
    operators = sample_operators(catalog, {field.type for field in spec.fields}, rng, min_operators, max_operators)
    defs = _comparison_defs(spec.fields, operators, template)
    optional, slots = _optional_parts(spec.fields, rng)
    slots |= {
        "entity": _nfc(spec.entity_en),
        "entity_labels": {"fr": _nfc(spec.entity_fr)},
        "comparisons": [{"$ref": f"#/$defs/{name}"} for name in defs if not name.endswith(("_field", "_value"))],
    }
    skeleton = _without(template["schema"], {"group_by", "aggregate", "sort", "limit"} - optional)
    schema = _fill(skeleton, slots)
    schema["$defs"] |= defs
    return inline_single_uses(schema), [operator.name for operator in operators]


def inline_single_uses(schema: dict[str, Any]) -> dict[str, Any]:
    """The same language with each definition that is referred to once put where it is used.

    A schema stands in every prompt: the names of such definitions would cost a third of its tokens and say nothing.
    """
    definitions = schema["$defs"]
    uses = Counter(_references(schema))

    def put(node: Any) -> Any:
        if isinstance(node, list):
            return [put(item) for item in node]
        if not isinstance(node, dict):
            return node
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if uses[name] == 1 and name in definitions:
            return put(definitions[name])
        return {key: put(value) for key, value in node.items()}

    kept = {name: put(node) for name, node in definitions.items() if uses[name] > 1}
    return put({key: value for key, value in schema.items() if key != "$defs"}) | {"$defs": kept}


def _references(node: Any) -> Iterator[str]:
    """The names of all definitions that a node refers to, once for each reference."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].removeprefix("#/$defs/")
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _references(item)


def sample_operators(
    catalog: Sequence[Operator], types: set[str], rng: random.Random, low: int, high: int
) -> list[Operator]:
    """Between `low` and `high` operators, uniform among the sets that serve each of `types`, in catalogue order."""
    usable = [operator for operator in catalog if types & set(operator.types)]
    if unserved := types - {served for operator in usable for served in operator.types}:
        raise UsageError(f"no operator for fields of type {', '.join(sorted(unserved))}", "Add one to the catalogue.")
    size = min(rng.randint(low, high), len(usable))
    for _ in range(DRAWS):
        drawn = set(rng.sample(range(len(usable)), size))
        chosen = [operator for index, operator in enumerate(usable) if index in drawn]
        if types <= {served for operator in chosen for served in operator.types}:
            return chosen
    raise UsageError(f"{size} operators cannot serve all of {', '.join(sorted(types))}", "Raise max_operators.")


def _check_fields(spec: "DomainSpec") -> None:
    names = [field.name for field in spec.fields]
    problems = [f"field {name!r} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    for field in spec.fields:
        values = [_nfc(value.value) for value in field.values]
        if field.type == "enum" and (len(values) < 2 or len(set(values)) < len(values)):
            problems.append(f"enum field {field.name!r} needs two or more distinct values")
    if not spec.fields:
        problems.append("no fields")
    if problems:
        raise UsageError(f"domain spec {spec.schema_id}: {'; '.join(problems)}", "Mend that row of the domain specs.")


def _comparison_defs(
    fields: "Sequence[FieldSpec]", operators: Sequence[Operator], template: Template
) -> dict[str, Any]:
    """`$defs` of typed comparisons: fields of one plain type share theirs, each enum field has its own."""
    defs: dict[str, Any] = {}
    for field_type, group in GROUPS.items():
        entries = [labelled(m.name, m.label_en, m.label_fr) for m in fields if m.type == field_type]
        if entries:
            defs[f"{group}_field"] = {"oneOf": entries} if len(entries) > 1 else entries[0]
            defs |= _forms(group, field_type, template["types"][field_type], operators, template)
    for field in fields:
        if field.type == "enum":
            # a field named like a shared definition would overwrite it
            prefix = f"{field.name}_enum" if field.name in SHARED_PREFIXES else field.name
            defs[f"{prefix}_field"] = labelled(field.name, field.label_en, field.label_fr)
            defs[f"{prefix}_value"] = {"oneOf": [labelled(_nfc(v.value), v.label_en, v.label_fr) for v in field.values]}
            defs |= _forms(prefix, "enum", {"$ref": f"#/$defs/{prefix}_value"}, operators, template)
    return defs


def _forms(
    prefix: str, field_type: str, value: Any, operators: Sequence[Operator], template: Template
) -> dict[str, Any]:
    """The comparison, range and membership definitions that the sampled operators give to the fields of one type."""
    field = {"$ref": f"#/$defs/{prefix}_field"}
    forms: dict[str, Any] = {}
    for shape, suffix in (("scalar", "comparison"), ("pair", "range"), ("list", "membership")):
        names = [o.name for o in operators if o.value == shape and field_type in o.types]
        if names:
            slots = {"field": field, "operators": names, "value": _fill(template["values"][shape], {"type": value})}
            forms[f"{prefix}_{suffix}"] = _fill(template["comparison"], slots)
    return forms


def _optional_parts(fields: "Sequence[FieldSpec]", rng: random.Random) -> tuple[set[str], dict[str, Any]]:
    """Which of group_by, aggregate, sort and limit the language has, and the values of their slots."""
    numbers = _of_types(fields, "number", "integer")
    groups = _some(_of_types(fields, "enum", "boolean", "string"), rng)
    sorts = _some(_of_types(fields, "number", "integer", "date", "string"), rng)
    parts = {name for name in ("group_by", "aggregate", "sort", "limit") if rng.random() < 0.75}
    parts -= {"group_by"} if not groups or "aggregate" not in parts else set()
    parts -= {"sort"} if not sorts else set()
    parts |= {"limit"} if not parts else set()
    functions = [name for name in FUNCTIONS if name in rng.sample(FUNCTIONS, rng.randint(2, 4))]
    slots = {
        "group_fields": groups,
        "numeric_fields": numbers,
        "functions": functions if numbers else [],
        "sort_fields": sorts,
        "max_groups": min(2, max(1, len(groups))),
        "max_sorts": min(2, max(1, len(sorts))),
        "max_limit": rng.choice(MAX_LIMITS),
    }
    return parts, slots


def _of_types(fields: "Sequence[FieldSpec]", *types: str) -> list[str]:
    return [field.name for field in fields if field.type in types]


def _some(names: Sequence[str], rng: random.Random) -> list[str]:
    """At least half of the names, in their order."""
    if not names:
        return []
    kept = set(rng.sample(range(len(names)), rng.randint((len(names) + 1) // 2, len(names))))
    return [name for index, name in enumerate(names) if index in kept]


def labelled(name: str, english: str | None, french: str | None) -> dict[str, Any]:
    """`{"const": name}` and its labels; an English label that only spells the name with spaces is left out."""
    labels = {"en": _nfc(english or ""), "fr": _nfc(french or "")}
    kept = {k: v for k, v in labels.items() if v and not (k == "en" and v == name.replace("_", " "))}
    return {"const": name} | ({"x-labels": kept} if kept else {})


def _without(schema: Template, parts: Iterable[str]) -> Template:
    """The skeleton without some of its optional parts and the definitions that only they use."""
    skeleton = copy.deepcopy(schema)
    own = {"group_by": "group_field", "aggregate": "aggregate", "sort": "sort_key", "limit": None}
    for part in parts:
        del skeleton["properties"][part]
        skeleton["$defs"].pop(own[part], None)
    return skeleton


def _fill(node: Any, slots: dict[str, Any]) -> Any:
    """A copy of `node` with its slots filled; a slot that has no value here stays for a later filling."""
    if isinstance(node, dict):
        filled = {key: _fill(value, slots) for key, value in node.items()}
        # an aggregate over no numeric field can never be written: its alternative goes
        if isinstance(filled.get("anyOf"), list):
            filled["anyOf"] = [option for option in filled["anyOf"] if not _impossible(option)]
        return filled
    if isinstance(node, list):
        return [entry for item in node for entry in _fill_entry(item, slots)]
    if isinstance(node, str) and node[:1] == "{" and node[1:-1] in slots:
        return copy.deepcopy(slots[node[1:-1]])
    return node


def _fill_entry(item: Any, slots: dict[str, Any]) -> list[Any]:
    if isinstance(item, str) and item.startswith("{..."):
        return list(slots[item[4:-1]])
    return [_fill(item, slots)]


def _impossible(option: Any) -> bool:
    return any(part.get("enum") == [] for part in option.get("properties", {}).values() if isinstance(part, dict))


def _nfc(text: str) -> str:
    """Composed Unicode: the language compares texts in this form, so the vocabulary is written in it."""
    return unicodedata.normalize("NFC", text)
