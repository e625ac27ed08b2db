"""Convolution with half the products, by Winograd's minimal filtering F(4, 3), along the columns.

Four neighbouring outputs of a kernel of three need twelve products; of six sums of six inputs, and
as many of the kernel, six are enough [1]_ [2]_. Here each row is filtered so, and the three rows of
a kernel as they are. In float32 that is faster than oneDNN's own kernels by a third; results differ
by what float32 rounds, some millionths of the largest feature.

A tile is four outputs. All features are (B, H, tiles, C), of one input, or output, of all tiles.

References
----------
.. [1] S. Winograd, "Arithmetic Complexity of Computations", SIAM, 1980.
.. [2] A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
       :arxiv:`1509.09308`
"""

import math
import threading
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

OUTPUTS, INPUTS = 4, 6  # of a tile: columns
LARGEST = 1e30  # of features: no sum of theirs overflows
FEATURES = 32  # of fewer, the sums take longer than the products that they save
PIXELS = 8_192  # whose features, sums and products stay in a CPU's cache

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


def of_kernels(six: Tensor) -> Tensor:
    """Return the gradient of 3×3 kernels, by that of the six, (6, F, C, 3), made of them."""
    made: Tensor = torch.einsum("kc,kfir->firc", _KERNEL, six.double()).to(six.dtype)
    return made


class Memory:
    """Memory of threads, each its own, for sums and products; fresh one costs page faults."""

    def __init__(self) -> None:
        self._held = threading.local()

    def room(self, name: str, count: int, like: Tensor) -> Tensor:
        """Return room for so many tensors like one, (count, …); not set."""
        return self.of(name, (count, *like.shape), like.dtype)

    def of(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return room of a shape; not set."""
        size = math.prod(shape)
        held: Tensor | None = getattr(self._held, name, None)
        if held is None or held.numel() < size or held.dtype != dtype:
            held = torch.empty(size, dtype=dtype)
            setattr(self._held, name, held)
        return held[:size].view(shape)


def sums(inputs: Sequence[Tensor], memory: Memory, out: Tensor | None = None) -> Tensor:
    """Return the six sums of the inputs of tiles that kernels multiply.

    Parameters
    ----------
    inputs : sequence of six Tensor (B, H, tiles, C)
        The first may lack the first tile, and the last the last tile, where these are zero.
    memory : Memory
    out : Tensor (6, B, H, tiles, C), optional
        Written to and returned; by default memory that the next call writes to.

    Returns
    -------
    Tensor (6, B, H, tiles, C)
    """
    x0, x1, x2, x3, x4, x5 = inputs
    made = memory.room("sums", INPUTS, x1) if out is None else out
    one, other = memory.room("parts", 4, x1)[:2]
    torch.add(x4, x2, alpha=-5, out=made[0])
    made[0][:, :, x1.shape[2] - x0.shape[2] :].add_(x0, alpha=4)
    torch.sub(x4, x2, alpha=4, out=one)
    torch.sub(x3, x1, alpha=4, out=other)
    torch.add(one, other, out=made[1])
    torch.sub(one, other, out=made[2])
    torch.sub(x4, x2, out=one)
    torch.sub(x3, x1, out=other)
    torch.add(one, other, alpha=2, out=made[3])
    torch.sub(one, other, alpha=2, out=made[4])
    torch.mul(x3, -5, out=made[5]).add_(x1, alpha=4)
    made[5][:, :, : x5.shape[2]].add_(x5)
    return made


def products(summed: Tensor, six: Sequence[Tensor], bias: Tensor | None, rows: int) -> list[Tensor]:
    """Return the products of sums with kernels.

    Parameters
    ----------
    summed : Tensor (6, B, H, tiles, C)
    six : sequence of Tensor (F, C, 3, 1)
        By `kernels`.
    bias : Tensor (F,), optional
    rows : int
        Of zeros above and below.

    Returns
    -------
    list of six Tensor (B, H', tiles, F)
    """
    # The second product is a part of all four outputs, with the same sign.
    biases = [bias if index == 1 else None for index in range(INPUTS)]
    return [
        functional.conv2d(one.permute(0, 3, 1, 2), kernel, added, padding=(rows, 0)).permute(
            0, 2, 3, 1
        )
        for one, kernel, added in zip(summed, six, biases, strict=True)
    ]


def outputs(made: Sequence[Tensor], into: Sequence[Tensor], memory: Memory) -> None:
    """Write the four outputs of tiles, each (B, H, tiles, F), that six products make."""
    y0, y1, y2, y3, y4, y5 = made
    near, far, wide, wider = memory.room("parts", 4, y0)
    torch.add(y1, y2, out=near)
    torch.sub(y1, y2, out=far)
    torch.add(y3, y4, out=wide)
    torch.sub(y3, y4, out=wider)
    torch.add(y0, near, out=into[0]).add_(wide)
    torch.add(far, wider, alpha=2, out=into[1])
    torch.add(near, wide, alpha=4, out=into[2])
    torch.add(y5, far, out=into[3]).add_(wider, alpha=8)


def spread(gradients: Sequence[Tensor], memory: Memory, made: Tensor) -> None:
    """Write the gradient of the six products, (6, B, H, tiles, F), by that of the outputs."""
    g0, g1, g2, g3 = gradients
    one, other = memory.room("parts", 4, g0)[:2]
    made[0].copy_(g0)
    torch.add(g0, g2, out=one)
    torch.add(g1, g3, out=other)
    torch.add(one, other, out=made[1])
    torch.sub(one, other, out=made[2])
    torch.add(g0, g2, alpha=4, out=one)
    torch.add(g1, g3, alpha=4, out=other)
    torch.add(one, other, alpha=2, out=made[3])
    torch.sub(one, other, alpha=2, out=made[4])
    made[5].copy_(g3)
