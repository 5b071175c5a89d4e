"""Requests read against prefixes that are known: the same as reading the whole prompts at once."""

import pytest
import torch
from pack_shapes import layout_of, states_of

from astudent.student.decoding import Store
from astudent.student.request_reader import RequestReader

SHAPE = [(70, [30, 9]), (5, [1, 64, 3])]


class Layer:
    layer_idx = 0


def cut(states: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    """States (1, H, T, D) of whole packs -> those of each prefix, and those of all suffixes."""
    prefixes, suffixes = [], []
    rest = states
    for prefix, lengths in SHAPE:
        own, requests, rest = rest.split([prefix, sum(lengths), rest.shape[2] - prefix - sum(lengths)], 2)
        prefixes.append(own)
        suffixes.append(requests)
    return prefixes, torch.cat(suffixes, 2)


@pytest.mark.parametrize("by_sdpa", [False, True])
@pytest.mark.parametrize("window", [None, 8, 64, 80])
def test_requests_see_what_they_see_in_a_pack(window: int | None, by_sdpa: bool) -> None:
    query, key, value = states_of(SHAPE, 4, 2, torch.float64)
    (_, queries), (prefix_keys, keys), (prefix_values, values) = cut(query), cut(key), cut(value)
    stores: list[Store] = [{0: pair} for pair in zip(prefix_keys, prefix_values, strict=True)]
    reader = RequestReader(stores, [lengths for _, lengths in SHAPE], torch.device("cpu"))
    if by_sdpa:  # the way of a GPU
        found = reader.attend_by_sdpa(0, queries, keys, values, window, 0.3)
    else:
        found = reader.attend(Layer(), queries, keys, values, window, 0.3, 0.0)
    _, wanted = cut(layout_of(SHAPE).attend(None, query, key, value, window, 0.3, 0.0).transpose(1, 2))
    assert torch.allclose(found.transpose(1, 2), wanted, rtol=0, atol=1e-12)


def test_positions_go_on_after_the_prefix() -> None:
    stores: list[Store] = [{0: (torch.zeros(1, 2, prefix, 4), torch.zeros(1, 2, prefix, 4))} for prefix, _ in SHAPE]
    reader = RequestReader(stores, [lengths for _, lengths in SHAPE], torch.device("cpu"))
    places = reader.positions[0]
    assert places[:2].tolist() == [70, 71] and places[30] == 70 and places[39] == 5
    assert places[reader.last].tolist() == [99, 78, 5, 68, 7]
