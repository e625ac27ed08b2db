"""One pass over an image on a CPU: bands of rows for its threads, strips of rows for its caches.

Layer by layer, the features of half a megapixel are larger than a CPU's caches, and every layer
waits for memory. Here a strip goes through all layers while its features are in the cache. A 3×3
kernel sees one row above and one below, so every layer keeps the last two rows that it read and
gives its own a row later. Within a band nothing is computed twice.

Threads that share the work of every layer wait for each other at every layer, for long where
another program takes a core. So each thread gets images, or a band of one, for all layers. A band
reads as many rows beyond its ends as there are layers, and each layer gives one less of them.
The result is that of the whole pass.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import functional

from engine.threads.each import each
from restore.networks.convolution import convolution_relu
from restore.networks.dncnn import DnCNN

Layer = Callable[[Tensor, tuple[int, int]], Tensor]

STRIP_PIXELS = 32_768  # 64 features of them take 4 MiB in bfloat16, 8 in float32
_SAFE = 1e36  # features below it do not overflow, whatever is rounded; the shipped weights: 1e22
_GAINS: WeakKeyDictionary[DnCNN, tuple[Any, float, float]] = WeakKeyDictionary()
_LEAST = 4  # times the rows that it reads beyond an end: a band is not lower


class Piece(NamedTuple):
    """What one thread restores: some rows of some images.

    Attributes
    ----------
    images : slice
    start, stop : int
        Rows.
    """

    images: slice
    start: int
    stop: int


@torch.no_grad()
def evaluate(
    network: DnCNN, degraded: Tensor, *, rows: int | None = None, threads: int | None = None
) -> Tensor:
    """Restore a batch; on a CPU in bands and strips, on a GPU at once.

    Parameters
    ----------
    network : DnCNN
        In evaluation mode.
    degraded : Tensor (B, C, H, W)
        Float, 0..1, on the device of the network.
    rows : int, optional
        Of a strip; by default as many as stay in a CPU's cache.
    threads : int, optional
        On a CPU; by default as many as torch has.

    Returns
    -------
    Tensor (B, C, H, W)
        float32, equal to ``network(degraded)`` but for the rounding of the kernels.
    """
    if degraded.device.type != "cpu":
        whole: Tensor = network(degraded)
        return whole
    count, _, height, width = degraded.shape
    rows = rows or max(1, STRIP_PIXELS // width)
    threads = threads or torch.get_num_threads()
    depth = network.architecture.depth
    found = pieces(count, height, width, depth, threads)
    layers = _layers(network, float(degraded.abs().max()) if degraded.numel() else 0.0)
    restored = torch.empty(degraded.shape)

    def restore(piece: Piece) -> None:
        first, last = piece.start == 0, piece.stop == height
        seen = slice(0 if first else piece.start - depth, height if last else piece.stop + depth)
        output = _in_strips(layers, degraded[piece.images, :, seen], rows, first=first, last=last)
        inner = piece.images, slice(None), slice(piece.start, piece.stop)
        restored[inner] = network.restored(degraded[inner], output)

    each(restore, found, threads)
    return restored


def pieces(count: int, height: int, width: int, depth: int, threads: int) -> list[Piece]:
    """Share a batch out to threads.

    Parameters
    ----------
    count, height, width : int
        Images, and their rows and columns.
    depth : int
        Layers: the rows that a band reads beyond its ends.
    threads : int

    Returns
    -------
    list of Piece
        Of whole images, small ones several at a time, as long as each thread has as many; then of
        bands of the images that are left, unless they would be low.
    """
    at_once = max(1, min(STRIP_PIXELS // (height * width), -(-count // threads)))
    left = count % threads if at_once == 1 else 0  # for threads that would wait for the last image
    found = [
        Piece(slice(start, min(start + at_once, count)), 0, height)
        for start in range(0, count - left, at_once)
    ]
    bands = max(1, min(threads // left, height // (_LEAST * depth))) if left else 0
    ends = [height * band // bands for band in range(bands + 1)] if left else []
    return found + [
        Piece(slice(image, image + 1), start, stop)
        for image in range(count - left, count)
        for start, stop in pairwise(ends)
    ]


def _in_strips(
    layers: Sequence[Layer], band: Tensor, rows: int, *, first: bool = True, last: bool = True
) -> Tensor:
    """Take a band, which begins or ends at a border of the image or a network's depth beyond.

    Returns
    -------
    Tensor (B, C, H', W)
        What the last layer gives for it.
    """
    height, depth = band.shape[2], len(layers)
    # The first strip is longer by the rows that its layers hold back, or never give.
    ends = [*range(rows + depth * (2 - first), height, rows), height]
    if len(ends) == 1 and first and last:
        for layer in layers:
            band = layer(band, (1, 1))  # kernels pad by themselves, without a copy
        return band
    above: list[Tensor | None] = [None] * depth  # the last two rows that each layer read
    outputs, start = [], 0
    for end in ends:
        strip, ended = band[:, :, start:end], end == height
        for index, layer in enumerate(layers):
            kept = above[index]
            strip = strip if kept is None else torch.cat([kept, strip], dim=2)
            top, bottom = int(first and kept is None), int(last and ended)
            if top or bottom:
                strip = functional.pad(strip, (0, 0, top, bottom))
            # A copy, or all of the strip would stay in memory with them.
            above[index] = None if ended else strip[:, :, -2:].clone()
            strip = layer(strip, (0, 1))
        outputs.append(strip)
        start = end
    return torch.cat(outputs, dim=2)


def _layers(network: DnCNN, largest: float) -> list[Layer]:
    """Return the layers of a network on a CPU, in the precision that automatic casting asks for.

    The one kernel of convolution and ReLU gives 0 for what is not a number, which `Denoiser` is to
    see. So it is used where nothing of the kind can arise from values up to `largest`.
    """
    count = network.architecture.depth
    if network.norms:
        return [partial(network.layer, index) for index in range(count)]
    convolutions = network.convolutions()
    dtype = convolutions[0].weight.dtype
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
    cast = [
        (conv.weight.to(dtype), None if conv.bias is None else conv.bias.to(dtype))
        for conv in convolutions
    ]
    *inner, (weight, bias) = cast
    made = _inner if _bound(network, largest) < _SAFE else _apart
    return [
        *(partial(made, weight, bias) for weight, bias in inner),
        lambda hidden, padding: functional.conv2d(hidden, weight, bias, padding=padding),
    ]


def _inner(weight: Tensor, bias: Tensor | None, hidden: Tensor, padding: tuple[int, int]) -> Tensor:
    return convolution_relu(hidden.to(weight.dtype), weight, bias, padding)


def _apart(weight: Tensor, bias: Tensor | None, hidden: Tensor, padding: tuple[int, int]) -> Tensor:
    return functional.conv2d(hidden.to(weight.dtype), weight, bias, padding=padding).relu_()


def _bound(network: DnCNN, largest: float) -> float:
    """Return what no feature can be larger than; NaN where a weight is not a number."""
    state = tuple((part.data_ptr(), part._version) for part in network.parameters())
    known = _GAINS.get(network)
    if known is None or known[0] != state:
        _GAINS[network] = known = state, *_gains(network)
    return known[1] * largest + known[2]


def _gains(network: DnCNN) -> tuple[float, float]:
    """Return how much larger than the input a feature can be: so many times, and so much more."""
    found = [(0.0, 0.0)]
    times, more = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for conv in network.convolutions():
        gains = conv.weight.detach().double().abs().sum(dim=(2, 3))
        times = gains @ times.expand(gains.shape[1])
        more = gains @ more.expand(gains.shape[1])
        if conv.bias is not None:
            more = more + conv.bias.detach().double().abs()
        found.append((float(times.max()), float(more.max())))
    largest = torch.tensor(found, dtype=torch.float64).amax(dim=0)  # NaN where one is
    return float(largest[0]), float(largest[1])
