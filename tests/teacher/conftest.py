from types import SimpleNamespace

import pytest
from ollama_stand_in import MAKERS


@pytest.fixture
def ollama() -> SimpleNamespace:
    """The stand-in's makers: `serving(chat, models)`, `reply(text, …)`, `error(status, message)`."""
    return MAKERS
