"""Convolution with half the products, by Winograd's minimal filtering F(4, 3), along the columns.

Four neighbouring outputs of a kernel of three need twelve products; of six sums of six inputs, and
as many of the kernel, six are enough [1]_ [2]_. Here each row is filtered so, and the three rows of
a kernel as they are. Of float32, that is faster than oneDNN's own kernels by a third; results
differ by what float32 rounds, some millionths of the largest feature.

The sums take whole runs of memory where features lie as `Columns` puts them.

References
----------
.. [1] S. Winograd, "Arithmetic Complexity of Computations", SIAM, 1980.
.. [2] A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
       :arxiv:`1509.09308`
"""

import threading

import torch
from torch import Tensor
from torch.nn import functional

OUTPUTS, INPUTS = 4, 6  # of a tile: columns
LARGEST = 1e30  # of features: no sum of theirs overflows
FEATURES = 32  # of fewer, the sums take longer than the products that they save

# From three weights to six sums.
_KERNEL = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=torch.float64,
)


def faster(features: int) -> bool:
    """Return whether this CPU is faster so.

    CPUs with AVX2 are (measured). Those with AVX512 multiply twice as fast, while the sums wait for
    memory.
    """
    return features >= FEATURES and torch.backends.cpu.get_cpu_capability() == "AVX2"


def kernels(weight: Tensor) -> list[Tensor]:
    """Return what takes the place of 3×3 kernels: six of three rows and one column each.

    Parameters
    ----------
    weight : Tensor (F, C, 3, 3)

    Returns
    -------
    list of Tensor (F, C, 3, 1)
        Of the same type, computed in float64.
    """
    summed = torch.einsum("kc,firc->kfir", _KERNEL, weight.double()).to(weight.dtype)
    return [one[..., None].contiguous(memory_format=torch.channels_last) for one in summed]


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
        self._scratch = threading.local()

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
            from_plain = plain[:, :, first::OUTPUTS]
            columns[first + 1][:, :, : from_plain.shape[2]] = from_plain
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
            Below `LARGEST`.
        weight : list of Tensor
            By `kernels`.
        bias : Tensor (F,), optional
        rows : int
            Of zeros above and below; columns have one on either side.
        out : Tensor (B, F, H', stored), optional
            As for `enter`.

        Returns
        -------
        Tensor (B, F, H', stored)
        """
        sums = self._sums(self._columns(hidden))
        # The second product is a part of all four outputs, with the same sign.
        biases = [bias if index == 1 else None for index in range(INPUTS)]
        products = [
            functional.conv2d(one.permute(0, 3, 1, 2), kernel, added, padding=(rows, 0))
            for one, kernel, added in zip(sums, weight, biases, strict=True)
        ]
        if out is None:
            out = self._zeros(products[0])
        columns = self._columns(out)
        self._outputs([one.permute(0, 2, 3, 1) for one in products], columns)
        out.relu_()
        for extra in range(self._width % OUTPUTS, OUTPUTS if self._width % OUTPUTS else 0):
            columns[extra + 1][:, :, -1] = 0
        return out

    def _sums(self, inputs: list[Tensor]) -> Tensor:
        """Return the six sums of inputs that are multiplied, (6, B, H, tiles, C)."""
        x0, x1, x2, x3, x4, x5 = inputs
        sums, (one, other) = self._room("sums", INPUTS, x0), self._room("parts", 4, x0)[:2]
        torch.add(x4, x2, alpha=-5, out=sums[0]).add_(x0, alpha=4)
        torch.sub(x4, x2, alpha=4, out=one)
        torch.sub(x3, x1, alpha=4, out=other)
        torch.add(one, other, out=sums[1])
        torch.sub(one, other, out=sums[2])
        torch.sub(x4, x2, out=one)
        torch.sub(x3, x1, out=other)
        torch.add(one, other, alpha=2, out=sums[3])
        torch.sub(one, other, alpha=2, out=sums[4])
        torch.add(x5, x3, alpha=-5, out=sums[5]).add_(x1, alpha=4)
        return sums

    def _outputs(self, products: list[Tensor], columns: list[Tensor]) -> None:
        """Make the columns of all tiles of six products, each (B, H, tiles, F)."""
        y0, y1, y2, y3, y4, y5 = products
        near, far, wide, wider = self._room("parts", 4, y0)
        torch.add(y1, y2, out=near)
        torch.sub(y1, y2, out=far)
        torch.add(y3, y4, out=wide)
        torch.sub(y3, y4, out=wider)
        torch.add(y0, near, out=columns[1]).add_(wide)
        torch.add(far, wider, alpha=2, out=columns[2])
        torch.add(near, wide, alpha=4, out=columns[3])
        torch.add(y5, far, out=columns[4]).add_(wider, alpha=8)

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

    def _room(self, name: str, count: int, like: Tensor) -> Tensor:
        """Return a thread's own memory for so many tensors like one; not set.

        Fresh memory would cost a page fault every 4 KiB.
        """
        size = count * like.numel()
        held: Tensor | None = getattr(self._scratch, name, None)
        if held is None or held.numel() < size or held.dtype != like.dtype:
            held = torch.empty(size, dtype=like.dtype)
            setattr(self._scratch, name, held)
        return held[:size].view(count, *like.shape)
