"""One pass over an image on a CPU: bands of rows for its threads, strips of rows for its caches.

Layer by layer, the features of half a megapixel are larger than a CPU's caches, and every layer
waits for memory. Here a strip goes through all layers while its features are in the cache. A 3×3
kernel sees one row above and one below, so every layer keeps the last two rows that it read and
gives its own a row later. Within a band nothing is computed twice.

Threads that share the work of every layer wait for each other at every layer, for long where
another program takes a core. So each thread gets images, or a band of one, for all layers, and
whoever has ended takes rows that others have not begun (`bands`). A band reads as many rows beyond
its ends as there are layers, and each layer gives one less of them. The result is that of the whole
pass.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from engine.threads.each import each
from restore.networks import winograd
from restore.networks.dncnn import DnCNN, shuffled, unshuffled
from restore.networks.inference.bands import Band, Shares, bands
from restore.networks.inference.layers import Layers, layers

STRIP_PIXELS = 16_384  # 64 features of them take 2 MiB in bfloat16, 4 in float32


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
    largest = float(degraded.abs().max()) if degraded.numel() else 0.0
    ready = layers(network, dtype, largest, width)
    pixels = STRIP_PIXELS if ready.columns is None else winograd.PIXELS
    rows = rows or max(1, pixels // width)
    threads = threads or torch.get_num_threads()
    depth = network.architecture.depth
    at_once = pixels // (height * width) if rows >= height else 1
    first = bands(count, height, depth, threads, at_once)
    shares = Shares(first, depth)
    restored = torch.empty(degraded.shape)

    def work(_: int) -> None:
        scratch = _Scratch(network.architecture.features, dtype)
        with shares.stopped_by_errors():
            while (band := shares.take()) is not None:
                images = degraded[band.images]
                strips = _in_strips(ready, images, band, shares, rows, scratch)
                for start, stop, output in strips:
                    inner = slice(None), slice(None), slice(start, stop)
                    restored[band.images][inner] = network.restored(images[inner], output)

    with shares.stopped_by_errors():
        each(work, range(min(threads, len(first))), threads)
    return shuffled(restored, shape)


def _at_once(network: DnCNN, degraded: Tensor, dtype: torch.dtype) -> Tensor:
    """Restore a batch layer by layer, as a GPU does best."""
    ready = layers(network, dtype, math.inf, degraded.shape[3])
    hidden = ready.enter(degraded)
    for layer in ready.every:
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
            Zeros at first; the layer after the next one gets the same. C is `channels`, which the
            first layer has, or the number of features.
        """
        channels = channels or self._features
        place = 0 if layer == 0 else 1 + layer % 2
        held = self._held.get(place)
        if held is None or held.shape[1] < rows + 3 or held.shape[2] != width:
            held = torch.zeros(1, rows + 3, width, channels, dtype=self._dtype)
            self._held[place] = held
        return held[:, : rows + 3].permute(0, 3, 1, 2)


def _in_strips(
    ready: Layers,
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
    (height, width), depth = images.shape[2:], len(ready.every)
    width = ready.columns.stored if ready.columns else width
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
            output = ready.enter(images)
            for layer in ready.every:
                output = layer(output, (1, 1), None)  # kernels pad by themselves, without a copy
            yield start, stop, output
            return
        entered = ready.enter(images[:, :, read:end])
        room = scratch.room(0, end - read, entered.shape[3], entered.shape[1])
        room[:, :, 2:-1] = entered
        for index, layer in enumerate(ready.every):
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
