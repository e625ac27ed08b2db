"""The three losses of DSCMR.

U and V (n, d) are what two encoders make of the two views of n pixels, Y (n, C) their classes,
one-hot, and P the one linear classifier of both. With ‖·‖ the Frobenius norm, and S_ij = 1 where
the classes of i and j are equal, else 0:

    J1 = ‖P(U) − Y‖ / n + ‖P(V) − Y‖ / n
    J2 = Σ_ij [log(1 + e^Γ) − S Γ] / n², Γ_ij = cos(u_i, v_j) / 2, and the same of (U, U), (V, V)
    J3 = ‖U − V‖ / n

L. Zhen, P. Hu, X. Wang, D. Peng, "Deep Supervised Cross-Modal Retrieval", CVPR 2019: equations 3,
5 and 6, with the weights 1, 0.001 and 0.1. The authors' program takes the mean of the rows' norms
in place of ‖·‖ / n, which is up to √n times as much beside J2 (`norm` 'rows').
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hsi.errors import HsiError

PUBLISHED = (1.0, 1e-3, 1e-1)
HALF = 2.0  # what the published J2 divides the cosine by
SMALLEST = 1e-6  # of the product of two lengths, as in the authors' program


@dataclass(frozen=True)
class Losses:
    """Which losses are added, and how.

    Attributes
    ----------
    label, likelihood, invariance : float
        Weights of J1, J2 and J3.
    temperature : float
        J2 divides the cosine by it: 2 as published.
    norm : {'frobenius', 'rows'}
        Of J1 and J3: as in the paper, or as in the authors' program.

    Raises
    ------
    HsiError
        A weight below 0, no weight above 0, a temperature of 0 or less, another norm.
    """

    label: float = PUBLISHED[0]
    likelihood: float = PUBLISHED[1]
    invariance: float = PUBLISHED[2]
    temperature: float = HALF
    norm: str = "frobenius"

    def __post_init__(self) -> None:
        weights = (self.label, self.likelihood, self.invariance)
        if min(weights) < 0 or not max(weights) > 0:
            raise HsiError(f"weights: expected 0 or more, one of them above 0, found {weights}")
        if not self.temperature > 0:
            raise HsiError(f"temperature: expected a number above 0, found {self.temperature}")
        if self.norm not in ("frobenius", "rows"):
            raise HsiError(f"norm: expected frobenius or rows, found {self.norm}")

    def terms(
        self, first: Tensor, second: Tensor, predicted: tuple[Tensor, Tensor], classes: Tensor
    ) -> Tensor:
        """Return J1, J2 and J3, (3,), without their weights.

        Parameters
        ----------
        first, second : Tensor (n, d)
            U and V.
        predicted : tuple of 2 Tensor (n, C)
            P(U) and P(V).
        classes : Tensor (n,), int64
        """
        truth = functional.one_hot(classes, predicted[0].shape[1]).to(first.dtype)
        label = self._length(predicted[0] - truth) + self._length(predicted[1] - truth)
        return torch.stack(
            [
                label,
                likelihood(first, second, classes, self.temperature),
                self._length(first - second),
            ]
        )

    def total(self, terms: Tensor) -> Tensor:
        """Return the weighted sum of what `terms` returned."""
        return terms @ terms.new_tensor([self.label, self.likelihood, self.invariance])

    def _length(self, rows: Tensor) -> Tensor:
        by_row = self.norm == "rows"
        length: Tensor = torch.linalg.vector_norm(rows, dim=1 if by_row else None)
        return length.mean() if by_row else length / len(rows)


def likelihood(first: Tensor, second: Tensor, classes: Tensor, temperature: float = HALF) -> Tensor:
    """Return J2: between the views, and within each.

    Parameters
    ----------
    first, second : Tensor (n, d)
    classes : Tensor (n,), int64
    temperature : float
        What the cosine is divided by. With 2, the likelihood of two pixels' being of one class is
        a sigmoid that stays between 0.378 and 0.622 whatever the encoders do.
    """
    alike = (classes[:, None] == classes).to(first.dtype)
    found = first.new_zeros(())
    for one, other in ((first, second), (first, first), (second, second)):
        scaled = cosines(one, other) / temperature
        found = found + (functional.softplus(scaled) - alike * scaled).mean()
    return found


def cosines(first: Tensor, second: Tensor) -> Tensor:
    """Return the cosines (n, m) between rows (n, d) and (m, d)."""
    one, other = (torch.linalg.vector_norm(rows, dim=1) for rows in (first, second))
    found: Tensor = first @ second.T / torch.outer(one, other).clamp_min(SMALLEST)
    return found
