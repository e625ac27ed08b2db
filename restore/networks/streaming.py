"""One pass over an image on a CPU: bands of rows for its threads, strips of rows for its caches.

Layer by layer, the features of half a megapixel are larger than a CPU's caches, and every layer
waits for memory. Here a strip goes through all layers while its features are in the cache. A 3×3
kernel sees one row above and one below, so every layer keeps the last two rows that it read and
gives its own a row later. Within a band nothing is computed twice.

Threads that share the work of every layer wait for each other at every layer, for long where
another program takes a core. So each thread gets images, or a band of one, for all layers, and
whoever has ended takes rows that others have not begun (`restore.networks.bands`). A band reads as
many rows beyond its ends as there are layers, and each layer gives one less of them. The result is
that of the whole pass.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import functional

from engine.threads.each import each
from restore.networks.bands import Band, Shares, bands
from restore.networks.convolution import (
    convolution_relu,
    in_kernel_order,
    in_parts,
    weight_of_parts,
)
from restore.networks.dncnn import DnCNN, shuffled, unshuffled

Layer = Callable[[Tensor, tuple[int, int], Tensor | None], Tensor]

STRIP_PIXELS = 16_384  # 64 features of them take 2 MiB in bfloat16, 4 in float32
_SAFE = 1e36  # features below it do not overflow, whatever is rounded; the shipped weights: 1e22
_GAINS: WeakKeyDictionary[DnCNN, tuple[Any, float, float]] = WeakKeyDictionary()


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
        Of a strip, of squares where the network unshuffles; by default as many as stay in a
        CPU's cache.
    threads : int, optional
        On a CPU; by default as many as torch has.

    Returns
    -------
    Tensor (B, C, H, W)
        float32, equal to ``network(degraded)`` but for the rounding of the kernels.
    """
    shape = degraded.shape
    degraded = unshuffled(degraded, network.architecture.unshuffle)
    device = degraded.device.type
    dtype = next(network.parameters()).dtype
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
    if device != "cpu":
        return shuffled(_at_once(network, degraded, dtype), shape)
    count, _, height, width = degraded.shape
    rows = rows or max(1, STRIP_PIXELS // width)
    threads = threads or torch.get_num_threads()
    depth = network.architecture.depth
    at_once = STRIP_PIXELS // (height * width) if rows >= height else 1
    first = bands(count, height, depth, threads, at_once)
    shares = Shares(first, depth)
    largest = float(degraded.abs().max()) if degraded.numel() else 0.0
    enter, layers = _layers(network, dtype, largest)
    restored = torch.empty(degraded.shape)

    def work(_: int) -> None:
        scratch = _Scratch(network.architecture.features, dtype)
        with shares.stopped_by_errors():
            while (band := shares.take()) is not None:
                images = degraded[band.images]
                strips = _in_strips(enter, layers, images, band, shares, rows, scratch)
                for start, stop, output in strips:
                    inner = slice(None), slice(None), slice(start, stop)
                    restored[band.images][inner] = network.restored(images[inner], output)

    with shares.stopped_by_errors():
        each(work, range(min(threads, len(first))), threads)
    return shuffled(restored, shape)


def _at_once(network: DnCNN, degraded: Tensor, dtype: torch.dtype) -> Tensor:
    """Restore a batch layer by layer, as a GPU does best."""
    enter, layers = _layers(network, dtype, math.inf)
    hidden = enter(degraded)
    for layer in layers:
        hidden = layer(hidden, (1, 1), None)
    return network.restored(degraded, hidden)


class _Scratch:
    """Memory that the layers of a strip write to in turn.

    Fresh memory for each layer would cost a page fault every 4 KiB, and a copy to put the rows
    above a strip in front of it.

    Parameters
    ----------
    features : int
    dtype : torch.dtype
        Of the features.
    """

    def __init__(self, features: int, dtype: torch.dtype) -> None:
        self._features, self._dtype = features, dtype
        self._held: dict[int, Tensor] = {}

    def room(self, layer: int, rows: int, width: int, channels: int | None = None) -> Tensor:
        """Return room for what a layer reads: two rows above a strip, the strip, and one below.

        Returns
        -------
        Tensor (1, C, rows + 3, width)
            Not set; the layer after the next one gets the same. C is `channels`, which the first
            layer has, or the number of features.
        """
        channels = channels or self._features
        place = 0 if layer == 0 else 1 + layer % 2
        held = self._held.get(place)
        if held is None or held.shape[1] < rows + 3 or held.shape[2] != width:
            held = torch.empty(1, rows + 3, width, channels, dtype=self._dtype)
            self._held[place] = held
        return held[:, : rows + 3].permute(0, 3, 1, 2)


def _in_strips(
    enter: Callable[[Tensor], Tensor],
    layers: Sequence[Layer],
    images: Tensor,
    band: Band,
    shares: Shares,
    rows: int,
    scratch: _Scratch,
) -> Iterator[tuple[int, int, Tensor]]:
    """Take a band through the layers, so many rows at a time; several images are one strip.

    Yields
    ------
    start, stop : int
        Rows.
    output : Tensor (B, C, stop - start, W)
        What the last layer gives for them.
    """
    height, width = images.shape[2:]
    depth = len(layers)
    above: list[Tensor | None] = [None] * depth  # the last two rows that each layer read
    read = max(band.start - depth, 0)
    while True:
        start, stop = shares.claim(band, rows)
        if start == stop:
            return
        ended = stop == band.stop
        last = ended and stop == height
        end = stop if last else stop + depth
        if last and start == 0:
            output = enter(images)
            for layer in layers:
                output = layer(output, (1, 1), None)  # kernels pad by themselves, without a copy
            yield start, stop, output
            return
        entered = enter(images[:, :, read:end])
        room = scratch.room(0, end - read, width, entered.shape[1])
        room[:, :, 2:-1] = entered
        for index, layer in enumerate(layers):
            strip = _continued(room, above[index], first=band.start == 0, last=last)
            # A copy, for the room is written to again.
            above[index] = None if ended else strip[:, :, -2:].clone()
            if index == depth - 1:
                yield start, stop, layer(strip, (0, 1), None)
            else:
                room = scratch.room(index + 1, strip.shape[2] - 2, width)
                layer(strip, (0, 1), room[:, :, 2:-1])
        read = end


def _continued(room: Tensor, above: Tensor | None, *, first: bool, last: bool) -> Tensor:
    """Put the rows above a strip in front of it, or zeros at a border of the image, and below."""
    start, stop = 2, room.shape[2] - 1
    if above is not None:
        room[:, :, :2] = above
        start = 0
    elif first:
        room[:, :, 1] = 0
        start = 1
    if last:
        room[:, :, -1] = 0
        stop += 1
    return room[:, :, start:stop]


def _layers(
    network: DnCNN, dtype: torch.dtype, largest: float
) -> tuple[Callable[[Tensor], Tensor], list[Layer]]:
    """Return how images enter a network, and its layers, computed in a precision.

    The one kernel of convolution and ReLU gives 0 for what is not a number, which `Denoiser` is to
    see. So it is used where nothing of the kind can arise from values up to `largest`; a GPU has it
    not at all.
    """
    if network.norms:
        count = network.architecture.depth
        return _as_it_is, [partial(_put, partial(network.layer, index)) for index in range(count)]
    *inner, final = [
        (conv.weight.to(dtype), None if conv.bias is None else conv.bias.to(dtype))
        for conv in network.convolutions()
    ]
    enter = _as_it_is
    if dtype == torch.bfloat16:
        enter, inner[0] = in_parts, (weight_of_parts(network.convolutions()[0].weight), inner[0][1])
    fused = math.isfinite(largest) and _bound(network, largest) < _SAFE
    if fused:
        layers = [partial(_inner, in_kernel_order(weight, (0, 1)), bias) for weight, bias in inner]
    else:
        layers = [partial(_put, partial(_apart, *of)) for of in inner]
    return enter, [*layers, partial(_put, partial(_last, *final))]


def _as_it_is(images: Tensor) -> Tensor:
    return images


def _inner(
    weight: Tensor,
    bias: Tensor | None,
    hidden: Tensor,
    padding: tuple[int, int],
    out: Tensor | None,
) -> Tensor:
    return convolution_relu(hidden.to(weight.dtype), weight, bias, padding, out)


def _apart(weight: Tensor, bias: Tensor | None, hidden: Tensor, padding: tuple[int, int]) -> Tensor:
    return _last(weight, bias, hidden, padding).relu_()


def _last(weight: Tensor, bias: Tensor | None, hidden: Tensor, padding: tuple[int, int]) -> Tensor:
    return functional.conv2d(hidden.to(weight.dtype), weight, bias, padding=padding)


def _put(
    layer: Callable[[Tensor, tuple[int, int]], Tensor],
    hidden: Tensor,
    padding: tuple[int, int],
    out: Tensor | None,
) -> Tensor:
    result = layer(hidden, padding)
    return result if out is None else out.copy_(result)


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
