"""Muon for many small matrices on a CPU: matrices of one shape are orthogonalised together, in float32.

The update is that of torch.optim.Muon (Newton-Schulz with the coefficients of Keller Jordan's reference, Nesterov momentum, step size matched to AdamW's
root mean square); torch's own goes matrix by matrix in bfloat16, which took a fifth of a pre-training step on a CPU without bfloat16 arithmetic.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.775, 2.0315)
ITERATIONS = 5


class BatchedMuon(torch.optim.Optimizer):
    def __init__(
        self, matrices: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.01
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for matrix in group["params"]:
                shapes[matrix.shape].append(matrix)
            for matrices in shapes.values():
                self._move(matrices, group)

    def _move(self, matrices: list[nn.Parameter], group: dict) -> None:
        rows, columns = matrices[0].shape
        updates = orthogonal(torch.stack([self._momentum(matrix, group["momentum"]) for matrix in matrices]))
        rate = group["lr"] * 0.2 * max(rows, columns) ** 0.5
        for matrix, update in zip(matrices, updates, strict=True):
            matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update, alpha=rate)

    def _momentum(self, matrix: nn.Parameter, momentum: float) -> Tensor:
        """Nesterov's look-ahead of the running mean of gradients."""
        gradient = matrix.grad if matrix.grad is not None else torch.zeros_like(matrix)
        mean = self.state[matrix].setdefault("mean", torch.zeros_like(matrix))
        mean.lerp_(gradient, 1 - momentum)
        return gradient.lerp(mean, momentum)


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrices to N matrices (N, R, C), roughly: singular values end between 0.5 and 1.5."""
    a, b, c = COEFFICIENTS
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.transpose(1, 2)
    wide = wide / wide.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    for _ in range(ITERATIONS):
        gram = wide @ wide.transpose(1, 2)
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide if matrices.shape[1] <= matrices.shape[2] else wide.transpose(1, 2)
