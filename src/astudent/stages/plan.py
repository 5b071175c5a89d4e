"""What stage 04 decides before the first row: which schemas are trained on, and whose names the others share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from astudent.language.splits import known_name_shares, seen_schema_shares, unseen_domains
from astudent.language.vocabulary import read_vocabulary
from astudent.records import SchemaRow, Split
from astudent.settings import DatasetGeneration


@dataclass(frozen=True)
class Plan:
    """The schemas' fate: a pure function of the schemas, the shares and the seed."""

    unseen: frozenset[str]
    seen_shares: dict[Split, float]
    known_names: dict[str, float]

    @classmethod
    def of(cls, schemas: Sequence[SchemaRow], settings: DatasetGeneration) -> "Plan":
        """Draws the unseen domains and compares every schema's names with those of the trained ones."""
        domains = unseen_domains({row.domain_id for row in schemas}, settings.test_unseen_share, settings.seed)
        unseen = frozenset(row.schema_id for row in schemas if row.domain_id in domains)
        trained = {row.schema_id for row in schemas} - unseen
        known = known_name_shares({row.schema_id: read_vocabulary(row.schema_json).names for row in schemas}, trained)
        return cls(unseen, seen_schema_shares(settings.align_share, settings.test_seen_share), known)

    def shares_of(self, schema: SchemaRow) -> dict[Split, float]:
        """Share of the schema's rows that each split gets."""
        return {"test_unseen": 1.0} if schema.schema_id in self.unseen else self.seen_shares

    def grade_of(self, schema: SchemaRow) -> Literal["seen", "new"]:
        """`seen` when every field and value name of the schema occurs in a schema that is trained on."""
        return "seen" if self.known_names[schema.schema_id] == 1.0 else "new"

    def partly_known(self) -> dict[str, float]:
        """For unseen schemas: the share (0 to 1) of their names that training shows, where it is neither 0 nor 1."""
        shares = {schema_id: self.known_names[schema_id] for schema_id in sorted(self.unseen)}
        return {schema_id: round(share, 4) for schema_id, share in shares.items() if 0 < share < 1}
