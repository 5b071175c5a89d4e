"""The data set of one seed, made once for all tests of documents."""

import pytest

from astudent.records import DatasetRow
from astudent.tasks.documents import rows

SEED = 5


@pytest.fixture(scope="session")
def dataset() -> list[DatasetRow]:
    """All rows of a seed at the numbers that are the default."""
    return list(rows(SEED))
