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

import functools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from restore.networks.dncnn import DnCNN

STRIP_PIXELS = 32_768  # 64 features of them take 4 MiB in bfloat16, 8 in float32
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
    restored = torch.empty(degraded.shape)

    def restore(piece: Piece) -> None:
        first, last = piece.start == 0, piece.stop == height
        seen = slice(0 if first else piece.start - depth, height if last else piece.stop + depth)
        band = degraded[piece.images, :, seen]
        made = _in_strips(network, band, rows, first=first, last=last)
        restored[piece.images, :, piece.start : piece.stop] = made

    if len(found) == 1 or threads == 1:
        for piece in found:
            restore(piece)
    else:
        workers = min(threads, len(found))
        _each(restore, found, workers, threads // workers)
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


def _each(work: Callable[[Piece], None], found: list[Piece], workers: int, threads: int) -> None:
    """Do the work of all pieces in threads of their own, which have as many of torch's each."""
    inference, casting = torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
    precision = torch.get_autocast_dtype("cpu")

    def in_context(piece: Piece) -> None:  # torch's modes belong to a thread
        with (
            torch.no_grad(),
            torch.inference_mode(inference),
            torch.autocast("cpu", precision, enabled=casting),
        ):
            work(piece)

    for _ in _pool(workers, threads).map(in_context, found):
        pass


@functools.cache
def _pool(workers: int, threads: int) -> ThreadPoolExecutor:
    """Return threads in which torch computes with `threads` of its own each."""
    pool = ThreadPoolExecutor(workers, "bands", torch.set_num_threads, (threads,))
    begun = threading.Barrier(workers + 1)
    with _same_threads():
        for _ in range(workers):
            pool.submit(begun.wait)
        begun.wait()
    return pool


@contextmanager
def _same_threads() -> Iterator[None]:
    """Set torch's threads again as they were: what one thread sets, all that begin later have."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


if hasattr(os, "register_at_fork"):  # a forked process has no threads but one
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _in_strips(
    network: DnCNN, band: Tensor, rows: int, *, first: bool = True, last: bool = True
) -> Tensor:
    """Restore a band that begins or ends at a border of the image, or a network's depth beyond."""
    height, depth = band.shape[2], network.architecture.depth
    # The first strip is longer by the rows that its layers hold back, or never give.
    ends = [*range(rows + depth * (2 - first), height, rows), height]
    if len(ends) == 1 and first and last:
        whole: Tensor = network(
            band
        )  # kernels pad by themselves; padding here takes a copy a layer
        return whole
    above: list[Tensor | None] = [None] * depth  # the last two rows that each layer read
    outputs, start = [], 0
    for end in ends:
        strip, ended = band[:, :, start:end], end == height
        for index in range(depth):
            kept = above[index]
            strip = strip if kept is None else torch.cat([kept, strip], dim=2)
            top, bottom = int(first and kept is None), int(last and ended)
            if top or bottom:
                strip = functional.pad(strip, (0, 0, top, bottom))
            # A copy, or all of the strip would stay in memory with them.
            above[index] = None if ended else strip[:, :, -2:].clone()
            strip = network.layer(index, strip, padding=(0, 1))
        outputs.append(strip)
        start = end
    inner = band[:, :, 0 if first else depth : height if last else height - depth]
    return network.restored(inner, torch.cat(outputs, dim=2))
