"""Features in the order in which Winograd's filtering takes whole runs of memory."""

import torch
from torch import Tensor

from restore.networks.winograd import INPUTS, OUTPUTS, Memory, outputs, products, sums


class Columns:
    """Features of one width, every fourth column after the other, and their convolution.

    First come columns -1, 3, 7, …, then 0, 4, 8, …, then 1, 5, 9, … and 2, 6, 10, …, so that the
    inputs of a kind of all tiles are one run. What lies outside the image is zero.

    Parameters
    ----------
    width : int
        Of the image, in pixels.

    Attributes
    ----------
    stored : int
        Columns in memory.
    """

    def __init__(self, width: int) -> None:
        self._width, self._tiles = width, -(-width // OUTPUTS)
        self.stored = OUTPUTS * (self._tiles + 1)
        self._memory = Memory()

    def enter(self, features: Tensor, out: Tensor | None = None) -> Tensor:
        """Put features into this order.

        Parameters
        ----------
        features : Tensor (B, C, H, width)
        out : Tensor (B, C, H, stored), optional
            Channels last, zero in columns outside the image: written to and returned.

        Returns
        -------
        Tensor (B, C, H, stored)
        """
        made = self._zeros(features) if out is None else out
        columns, plain = self._columns(made), features.permute(0, 2, 3, 1)
        for first in range(OUTPUTS):
            kind = plain[:, :, first::OUTPUTS]
            columns[first + 1][:, :, : kind.shape[2]] = kind
        return made

    def leave(self, features: Tensor) -> Tensor:
        """Put features (B, C, H, stored) back into the order of columns (B, C, H, width)."""
        columns = self._columns(features)[1 : OUTPUTS + 1]
        plain = torch.stack(columns, 3).flatten(2, 3)[:, :, : self._width]
        return plain.permute(0, 3, 1, 2)

    def convolution_relu(
        self,
        hidden: Tensor,
        weight: list[Tensor],
        bias: Tensor | None,
        rows: int,
        out: Tensor | None = None,
    ) -> Tensor:
        """Convolve features with 3×3 kernels and cut off what is below zero; for inference alone.

        Parameters
        ----------
        hidden : Tensor (B, C, H, stored)
            Below `winograd.LARGEST`.
        weight : list of Tensor
            By `winograd.kernels`.
        bias : Tensor (F,), optional
        rows : int
            Of zeros above and below; columns have one on either side.
        out : Tensor (B, F, H', stored), optional
            As for `enter`.

        Returns
        -------
        Tensor (B, F, H', stored)
        """
        found = products(sums(self._columns(hidden), self._memory), weight, bias, rows)
        if out is None:
            out = self._zeros(found[0].permute(0, 3, 1, 2))
        columns = self._columns(out)
        outputs(found, columns[1 : OUTPUTS + 1], self._memory)
        out.relu_()
        for extra in range(self._width % OUTPUTS, OUTPUTS if self._width % OUTPUTS else 0):
            columns[extra + 1][:, :, -1] = 0
        return out

    def _columns(self, features: Tensor) -> list[Tensor]:
        """Return views of the inputs of all tiles, six of (B, H, tiles, C).

        The second to the fifth are the outputs of these tiles.
        """
        images, channels, rows = features.shape[:3]
        shape = images, rows, OUTPUTS, self._tiles + 1, channels
        runs = features.permute(0, 2, 3, 1).view(shape)
        first = [runs[:, :, place, :-1] for place in range(OUTPUTS)]
        return [*first, *(runs[:, :, place, 1:] for place in range(INPUTS - OUTPUTS))]

    def _zeros(self, like: Tensor) -> Tensor:
        """Return zeros for features of the images, channels and rows of others."""
        images, channels, rows = like.shape[:3]
        made = torch.zeros(images, rows, self.stored, channels, dtype=like.dtype)
        return made.permute(0, 3, 1, 2)
