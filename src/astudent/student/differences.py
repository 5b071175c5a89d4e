"""How far two computations of the same thing are apart: what the checks of packs and kernels go by."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def largest_difference(pairs: Iterable[tuple[Tensor, Tensor]]) -> float:
    """The largest |found - wanted| / |wanted| over pairs (found, wanted), in Euclidean norms; 0 without a pair.

    NaN where one of them is: Python's max would lose it, and pass what is no number.
    """
    found = [(a.double() - b.double()).norm() / b.double().norm().clamp(min=1e-12) for a, b in pairs]
    return torch.stack(found).max().item() if found else 0.0
