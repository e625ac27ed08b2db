"""Exact tiling: tile by tile, the result of one pass over the whole image.

A network of `depth` 3×3 convolutions sees `depth` pixels around each pixel. Each tile is read with
that many pixels more on every side (the halo) unless it ends at the image, where the network's own
zero padding belongs; what the halo spoils is cut off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.device import Compute
from restore import streaming
from restore.dncnn import DnCNN

DEFAULT_TILE = 512


@dataclass(frozen=True)
class Tile:
    """One tile of an axis pair: what is read, and which part of it is kept.

    Attributes
    ----------
    read, kept : tuple of slice
        Rows and columns of the image.
    inside : tuple of slice
        Where `kept` lies in `read`.
    """

    read: tuple[slice, slice]
    kept: tuple[slice, slice]
    inside: tuple[slice, slice]


def tiles(
    height: int,
    width: int,
    side: int,
    halo: int,
    *,
    within: tuple[slice, slice] | None = None,
) -> Iterator[Tile]:
    """Cut an image into tiles of at most `side` pixels, row by row.

    Parameters
    ----------
    height, width : int
        Of the image.
    side : int
        Largest height and width of the kept part.
    halo : int
        Pixels read beyond it.
    within : (slice, slice), optional
        Rows and columns that are cut up; by default all.
    """
    region = within or (slice(0, height), slice(0, width))
    for rows in _spans(region[0], side):
        for columns in _spans(region[1], side):
            read = _widened(rows, halo, height), _widened(columns, halo, width)
            inside = _within(rows, read[0]), _within(columns, read[1])
            yield Tile(read, (rows, columns), inside)


def _spans(whole: slice, side: int) -> Iterator[slice]:
    for start in range(whole.start, whole.stop, side):
        yield slice(start, min(start + side, whole.stop))


def _widened(span: slice, halo: int, length: int) -> slice:
    return slice(max(span.start - halo, 0), min(span.stop + halo, length))


def _within(span: slice, outer: slice) -> slice:
    return slice(span.start - outer.start, span.stop - outer.start)


@torch.inference_mode()
def restore(
    network: DnCNN, degraded: Tensor, compute: Compute, *, side: int = DEFAULT_TILE
) -> Tensor:
    """Restore images tile by tile; equal to one pass, for any tile.

    Parameters
    ----------
    network : DnCNN
        With its normalisation folded, on the device.
    degraded : Tensor (B, C, H, W)
        float32, 0..1; may lie on the CPU.
    compute : Compute
    side : int
        Largest side of a tile, in pixels; 0 for one pass.

    Returns
    -------
    Tensor (B, C, H, W)
        float32 on the device of `degraded`, neither clipped nor rounded.
    """
    height, width = degraded.shape[2:]
    side = side or max(height, width)
    restored = torch.empty_like(degraded)
    for tile in tiles(height, width, side, network.architecture.depth):
        window = degraded[:, :, *tile.read].to(compute.device)
        window = window.contiguous(memory_format=torch.channels_last)
        with compute.autocast():
            output = streaming.evaluate(network, window)
        restored[:, :, *tile.kept] = output[:, :, *tile.inside].to(restored.device)
    return restored
