"""A block of rows -> the relations that nearly all of them keep, each once and none that follows from the others."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from astudent.quality.invariants.found.columns import COUNT
from astudent.quality.invariants.found.features import Features, base, products, sums_of_products
from astudent.quality.invariants.found.frame import Frame, path_of, walk
from astudent.quality.invariants.found.judge import CANDIDATE, FEW_ROWS, Judged, best_reading, says_something
from astudent.quality.invariants.found.orders import order_relations
from astudent.quality.invariants.found.products import product_relations, product_sum_relations, rate_relations
from astudent.quality.invariants.found.relation import Path, Relation
from astudent.quality.invariants.found.span import Span
from astudent.quality.invariants.found.sums import Signature, holding, zero_sums
from astudent.quality.invariants.found.terms import (
    Column,
    Formula,
    Grouped,
    Picked,
    Previous,
    Product,
    Term,
    has_product,
)

SAMPLES = 8
MAX_CANDIDATES = 300  # of one table that are looked at closely
MAX_OF_A_TARGET = 12  # sums that are looked at closely, for one member
MAX_RELATIONS = 60  # of one schema
TRIPLES_BELOW = 64  # features; beyond, sums of at most four terms


def discover(root: Frame, rng: np.random.Generator) -> list[Relation]:
    """The relations of all tables, inner tables first."""
    found: list[Relation] = []
    for frame in reversed(walk(root)):
        found += _of_frame(frame, found, rng)
    return found[:MAX_RELATIONS]


def _of_frame(frame: Frame, inner: list[Relation], rng: np.random.Generator) -> list[Relation]:
    path = path_of(frame)
    features = Features.of(frame, base(frame))
    candidates = list(_sums(frame, path, features, inner, rng))
    candidates += [*product_relations(frame, path, rng), *product_relations(frame, path, rng)]
    candidates += [*product_sum_relations(frame, path, rng), *product_sum_relations(frame, path, rng)]
    readings = [best_reading(relation, frame, features) for relation in _distinct(candidates)[:MAX_CANDIDATES]]
    kept = _independent(readings, frame, path, inner, rng)
    kept += _constant_rates(frame, path, kept, rng)
    linked = {frozenset((a, b)) for relation in kept for a in _plain_terms(relation) for b in _plain_terms(relation)}
    return [*kept, *order_relations(frame, path, _connected(linked), rng)]


def _sums(
    frame: Frame, path: Path, features: Features, inner: list[Relation], rng: np.random.Generator
) -> Iterator[Relation]:
    size = 3 if len(features.terms) < TRIPLES_BELOW else 2
    yield from _relations(frame, path, features, zero_sums(features, size, SAMPLES, rng))
    known = {part for relation in inner for _, part in relation.formula.parts}
    bare: set[Term] = {Product(term.factors) for term in known if isinstance(term, Product)}
    sums = list(sums_of_products(frame, bare))
    yield from _equal_members(frame, path, [*base(frame), *sums])
    more = [*features.terms, *products(frame), *sums]
    if len(more) > len(features.terms):
        wide = Features.of(frame, more)
        wanted = np.array([has_product(term) for term in wide.terms])
        yield from _relations(frame, path, wide, zero_sums(wide, 2, SAMPLES // 2, rng, wanted))


def _relations(frame: Frame, path: Path, features: Features, signatures: set[Signature]) -> Iterator[Relation]:
    """The sums that nearly all objects keep, shortest first, solved for one of their members."""
    scored = []
    for signature in signatures:
        target = _target(features, signature)
        if target is None or _contains_itself(features, signature, target) or _is_repetition(features, signature):
            continue
        share = _share(features, signature, target)
        if share >= CANDIDATE - 0.05:
            scored.append((len(signature), -share, signature, target))
    taken: Counter[int] = Counter()
    for _, _, signature, target in sorted(scored):
        taken[target] += 1
        if taken[target] > MAX_OF_A_TARGET:
            continue
        own = dict(signature)[target]
        parts = tuple((-sign * own, features.terms[index]) for index, sign in signature if index != target)
        yield Relation(path, features.terms[target], Formula(parts))


def _share(features: Features, signature: Signature, target: int) -> float:
    """The share of objects that keep the sum: of those with its target, or of those with all terms where it is larger."""
    holds = holding(features, signature)
    complete = features.present[[index for index, _ in signature]].all(axis=0)
    shares = [float(holds[mask].mean()) for mask in (features.present[target], complete) if mask.sum() >= FEW_ROWS]
    return max(shares, default=0.0)


def _target(features: Features, signature: Signature) -> int | None:
    """The member that the others make: computed members tend to come last. Two totals over one array also compare."""
    members = [index for index, _ in signature if _is_member(features.terms[index])]
    if members:
        there = {index: int(features.present[index].sum()) for index in members}
        return max(index for index in members if there[index] == max(there.values()))
    terms = [features.terms[index] for index, _ in signature]
    is_balance = len(terms) == 2 and all(
        isinstance(t, Picked) and t.pick == "sum" and _is_member(t.inner) for t in terms
    )
    return signature[-1][0] if is_balance else None


def _contains_itself(features: Features, signature: Signature, target: int) -> bool:
    """Whether the target is also a factor: any relation times anything has that form."""
    factors = [factor.term for index, _ in signature for factor in getattr(features.terms[index], "factors", ())]
    return features.terms[target] in factors


def _is_repetition(features: Features, signature: Signature) -> bool:
    """An element like the one before is a habit, no rule."""
    return len(signature) == 2 and any(isinstance(features.terms[index], Previous) for index, _ in signature)


def _is_member(term: Term) -> bool:
    return isinstance(term, Column) and not (term.key and term.key[-1] == COUNT)


def _equal_members(frame: Frame, path: Path, terms: list[Term]) -> Iterator[Relation]:
    """Terms that are equal throughout the block count as one elsewhere, so they are told here."""
    first: dict[bytes, Term] = {}
    for term in terms:
        numbers = term.numbers(frame)
        code = numbers.exact.with_decimals(6).values.tobytes() if numbers.exact.decimals <= 6 else b""
        if code and code in first and (_is_member(term) or _is_member(first[code])):
            target, other = (term, first[code]) if _is_member(term) else (first[code], term)
            yield Relation(path, target, Formula(((1, other),)))
        first.setdefault(code, term)


def _distinct(relations: list[Relation]) -> list[Relation]:
    return list(dict.fromkeys(relations))


def _independent(
    readings: list[Judged], frame: Frame, path: Path, inner: list[Relation], rng: np.random.Generator
) -> list[Relation]:
    """The simplest relations first; what follows from those taken already says nothing new."""
    span = Span()
    for relation in inner:
        for pick in ("sum", "first", "last"):
            span.take(relation, within=path, pick=pick)
    kept: list[Relation] = []
    likely = [reading for reading in readings if reading.share >= CANDIDATE]
    plain: dict[Term, int] = {}
    for reading in sorted(_one_product_each(likely), key=lambda reading: (_size(reading.relation), reading.broken)):
        is_mixed = len(reading.relation.formula.parts) > 1 and any(map(has_product, reading.relation.terms()))
        if is_mixed and plain.get(reading.relation.target, reading.broken + 1) <= reading.broken:
            continue
        if says_something(reading.relation, frame, rng) and span.take(reading.relation, within=path):
            kept.append(reading.relation)
            if not any(map(has_product, reading.relation.terms())):
                plain.setdefault(reading.relation.target, reading.broken)
    return kept


def _one_product_each(readings: list[Judged]) -> Iterator[Judged]:
    """Of the relations that make one member of products, the simplest of those that few rows break.

    The others are the same with a factor written out, and rounded at another place.
    """
    by_target: dict[Term, list[Judged]] = {}
    for reading in readings:
        if any(has_product(term) for term in reading.relation.terms()):
            by_target.setdefault(reading.relation.target, []).append(reading)
        else:
            yield reading
    for group in by_target.values():
        fewest = min(reading.broken for reading in group)
        near = [reading for reading in group if reading.broken <= 2 * fewest + 1]
        yield min(near, key=lambda reading: (_size(reading.relation), reading.broken))


def _size(relation: Relation) -> float:
    """Factors count as terms, a percentage or remainder more, a total over an array a little more."""
    return sum(map(_weight, relation.terms()))


def _weight(term: Term) -> float:
    if isinstance(term, Grouped):
        term = term.ungrouped()
    if isinstance(term, Picked):
        return 0.2 + _weight(term.inner)
    if isinstance(term, Product):
        return sum(_weight(factor.term) + (factor.form != "x") for factor in term.factors)
    return 1


def _constant_rates(frame: Frame, path: Path, kept: list[Relation], rng: np.random.Generator) -> list[Relation]:
    """Constant rates for members that no product explains; for each, the one that most rows keep."""
    explained = {relation.target for relation in kept if len(relation.terms()) > 2 or has_product(relation.terms()[1])}
    best: dict[Term, Judged] = {}
    nothing = Features.of(frame, ())
    found = _distinct([*rate_relations(frame, path, rng), *rate_relations(frame, path, rng)])
    for relation in sorted(found, key=_length_of_rate):
        if relation.target in explained or _is_turned_round(relation, best):
            continue
        reading = best_reading(relation, frame, nothing)
        if reading.share >= CANDIDATE and says_something(reading.relation, frame, rng):
            before = best.get(relation.target)
            best[relation.target] = reading if before is None or reading.broken < before.broken else before
    return [reading.relation for reading in best.values()]


def _length_of_rate(relation: Relation) -> tuple[int, int]:
    product = relation.formula.parts[0][1]
    return (len(getattr(product, "factors", ())), len(product.text().rpartition(" ")[2]))


def _is_turned_round(relation: Relation, best: dict[Term, Judged]) -> bool:
    """Whether the amount has a rate of this target already."""
    return any(term in best and relation.target in _plain_terms(best[term].relation) for term in _plain_terms(relation))


def _plain_terms(relation: Relation) -> list[Term]:
    return [plain for term in relation.terms() for plain in (term, *(f.term for f in getattr(term, "factors", ())))]


def _connected(linked: set[frozenset[Term]]) -> set[frozenset[Term]]:
    """All pairs of terms that are linked over any number of equations."""
    groups: list[set[Term]] = []
    for pair in linked:
        touching = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [set(pair).union(*touching)]
    return {frozenset((a, b)) for group in groups for a in group for b in group}
