"""What a step of training gets: degraded patches, and what they were."""

from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor


@dataclass(frozen=True)
class Around:
    """The degraded patches of a batch with what is around them.

    Attributes
    ----------
    degraded : Tensor (B, C, S, S)
        The blocks of JPEG and the pixels of the small image begin at its corner.
    row, column : int
        Where the patches begin in it.
    scales : Tensor (B,)
        How many times smaller each was; 0 for another degradation.
    """

    degraded: Tensor
    row: int
    column: int
    scales: Tensor

    def inner(self, images: Tensor, side: int) -> Tensor:
        """Return the patches (..., side, side) of images as large as `degraded`."""
        rows = slice(self.row, self.row + side)
        return images[..., rows, self.column : self.column + side]


@dataclass(frozen=True)
class Batch:
    """Degraded patches and what they were.

    Attributes
    ----------
    degraded, clean : Tensor (B, C, P, P)
        float32; the clean ones in 0..1.
    kinds : tuple of int
        How many patches each kind of degradation has; they lie in this order.
    sigma : Tensor (B,), optional
        Standard deviation of the white noise, on the 0..255 scale; NaN for patches of another
        degradation. None where no patch has white noise alone.
    answers : Tensor (B, C, P, P), optional
        What the network is to return, where that is not the clean patch: see
        `restore.training.teaching`.
    around : Around, optional
        For teachers that need it.
    """

    degraded: Tensor
    clean: Tensor
    kinds: tuple[int, ...]
    sigma: Tensor | None = None
    answers: Tensor | None = None
    around: Around | None = None

    @property
    def wanted(self) -> Tensor:
        """Return what the network is to return."""
        return self.clean if self.answers is None else self.answers

    def part(self, index: int, count: int) -> "Batch":
        """Return one of `count` equal parts: of each kind, every `count`-th patch.

        It lacks `around`.
        """
        starts = accumulate(self.kinds, initial=0)
        taken = torch.cat(
            [
                torch.arange(start, start + kind)[index::count]
                for start, kind in zip(starts, self.kinds, strict=False)
            ]
        ).to(self.clean.device)
        kinds = tuple(kind // count for kind in self.kinds)
        sigma, answers = (
            None if values is None else values[taken] for values in (self.sigma, self.answers)
        )
        return Batch(self.degraded[taken], self.clean[taken], kinds, sigma, answers)
