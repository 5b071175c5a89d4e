"""What a merged folder may lack."""

import pytest
from huggingface_hub import _CACHED_NO_EXIST

from astudent.student import merging


@pytest.mark.parametrize(
    ("found", "cached", "lacks"),
    [("there", None, False), (None, _CACHED_NO_EXIST, False), (None, None, True), (OSError("offline"), None, True)],
)
def test_a_hub_that_does_not_answer_may_have_a_tokenizer_model(
    monkeypatch: pytest.MonkeyPatch, found: str | OSError | None, cached: object, lacks: bool
):
    def file(*given: object, **options: object) -> str | None:
        if isinstance(found, OSError):
            raise found
        return found

    monkeypatch.setattr(merging, "cached_file", file)
    monkeypatch.setattr(merging, "try_to_load_from_cache", lambda *given, **options: cached)
    assert merging.may_lack_pieces("hub/base", None) == lacks
