"""The server that the tests of this folder share. CI builds one (`.ci/ollama.sh`); without one they are skipped."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from real_server import MODEL, RealServer, make_model, real_server

torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("ollama")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server of four slots that holds the random model. A binary that is named and not there is an error."""
    binary = os.environ.get("ASTUDENT_OLLAMA") or shutil.which("ollama")
    if binary is None:
        pytest.skip("no ollama on the PATH, and ASTUDENT_OLLAMA names none")
    folder = tmp_path_factory.mktemp("ollama")
    make_model(folder / "source")
    with real_server(binary, folder, OLLAMA_NUM_PARALLEL="4") as started:
        started.run("create", MODEL, "-f", "Modelfile", cwd=folder / "source")
        yield started
