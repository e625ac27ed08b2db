"""Denoise a photograph: what the network removes, then what it leaves at coarse scales, with care.

The noise of a full-size photograph is coarser than a pixel, through demosaicing, the camera's own
smoothing and JPEG; the network sees 41 pixels and leaves part of it. At half and at a quarter of
the size that part is fine again, and the same network removes it, as in [1]_. That is done where a
photograph has little detail of its own at these scales: otherwise fine texture would be taken for
noise.

And where the network removes far more than in most of the image, as from a mesh whose threads it
takes for noise, that much is not noise, and it is held back.

References
----------
.. [1] M. Lebrun, M. Colom, J.-M. Morel, "Multiscale Image Blind Denoising", IEEE TIP 24(10), 2015.
       :doi:`10.1109/TIP.2015.2439041`
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.denoising.noise_seen import DARK, Noise
from restore.denoising.pixels import How, PixelDenoiser
from restore.errors import RestoreError
from restore.networks.denoiser import Denoiser
from restore.networks.variants import variant

BLOCK = 16  # pixels a side
FEWEST = 12  # blocks that are not dark, below which nothing but the network is used
SCALES = 2  # the half and the quarter
# Correlation of neighbours from which noise is coarser than the network removes; fully at the
# second. White noise has 0, that of `camera:ISO` 0.3 to 0.5, that of full-size JPEGs 0.7.
COARSE = (0.5, 0.65)
# Detail over removed noise at which the coarse scales count half: of the image, and of a block.
DETAIL, DETAIL_HERE = 3.0, 6.0
MOST = 3.0  # times what is removed in the median block

_STRIP = 2**20  # pixels worked on at a time
_Array = NDArray[Any]
_Floats = NDArray[np.float32]


def is_for_photographs(denoiser: Denoiser) -> bool:
    """Return whether a denoiser was trained on the noise of photographs."""
    try:
        return variant(denoiser.name).task == "real"
    except RestoreError:  # a network of someone's own
        return False


@dataclass(frozen=True)
class _Blocks:
    """What each block of an image has, (rows, columns) of float32 on the 0..255 scale."""

    brightness: _Floats
    removed: _Floats
    detail: _Floats

    @property
    def bright(self) -> NDArray[np.bool_]:
        """Return which blocks are not dark."""
        return np.asarray(self.brightness >= DARK)


class PhotographDenoiser:
    """A denoiser for photographs; called like `PixelDenoiser`, one image at a time.

    Parameters
    ----------
    denoiser : Denoiser
        Trained on the noise of photographs.
    how : How
    side : int, optional
        See `PixelDenoiser`.
    """

    def __init__(
        self, denoiser: Denoiser, how: How | None = None, *, side: int | None = None
    ) -> None:
        self.how = how or How()
        self.network = PixelDenoiser(denoiser, replace(self.how, strength=1.0), side=side)

    def __call__(self, image: _Array, sigma: float, white: float, noise: Noise) -> None:
        """Denoise an image in place.

        Parameters
        ----------
        image : ndarray (H, W) or (H, W, 3)
            uint8, uint16 or float32.
        sigma : float
            Noise on the 0..255 scale, by which values cut off at black and white are mended.
        white : float
            The value of white.
        noise : Noise
            Of the image.

        Raises
        ------
        RestoreError
            As `PixelDenoiser`.
        """
        original = image.copy()
        self.network([image], [sigma], [white])
        before, after = np.atleast_3d(original), np.atleast_3d(image)
        blocks = _measured(before, after, white)
        told = int(blocks.bright.sum()) >= FEWEST
        coarse = _coarse_weights(blocks, noise) if told else None
        change = None
        if coarse is not None and coarse.max() > 0.01:
            small = _halved(after, white)
            change = self._restored(small.copy(), SCALES - 1) - small
        held = _held(blocks) if told else None
        for rows in _strips(after):
            kept = before[rows].astype(np.float32)
            clean = after[rows].astype(np.float32)
            if coarse is not None and change is not None:
                weight = _enlarged(coarse, rows, after.shape[1])
                clean += weight * _doubled(change, rows, after.shape[1]) * (white / 255)
            share: Any = np.float32(self.how.strength)
            if held is not None:
                share = share * _enlarged(held, rows, after.shape[1])
            result = kept + share * (clean - kept)
            if image.dtype.kind != "f":
                result = np.rint(result).clip(0, white)
            after[rows] = result.astype(image.dtype)

    def _restored(self, small: _Floats, further: int) -> _Floats:
        """Denoise an image on the 0..255 scale, and what remains at coarser scales."""
        self.network([small], [], [255.0])
        if further and min(small.shape[:2]) >= 2 * BLOCK:
            smaller = _halved(small, 255.0)
            change = self._restored(smaller.copy(), further - 1) - smaller
            small += _doubled(change, slice(0, len(small)), small.shape[1])
        return small


def _measured(before: _Array, after: _Array, white: float) -> _Blocks:
    """Measure the blocks of an image (H, W, C) before and after."""
    found: list[list[_Floats]] = [[], [], []]
    scale = np.float32(255 / white)
    for rows in _strips(after):
        old, new = (image[rows].astype(np.float32) * scale for image in (before, after))
        around = slice(max(rows.start - 2, 0), min(rows.stop + 2, len(after)))
        near = after[around].astype(np.float32) * scale
        blurred = _doubled(_halved(near, 255.0), slice(0, len(near)), near.shape[1])
        inner = slice(rows.start - around.start, rows.stop - around.start)
        for values, kept in zip(
            (old, np.square(old - new), np.square(near - blurred)[inner]), found, strict=True
        ):
            kept.append(_means(values))
    brightness, removed, detail = (np.concatenate(kept) for kept in found)
    return _Blocks(brightness, np.sqrt(removed), np.sqrt(detail))


def _coarse_weights(blocks: _Blocks, noise: Noise) -> _Floats | None:
    """Return how far each block is denoised at coarse scales, 0..1; None for not at all."""
    low, high = COARSE
    wanted = np.clip((noise.neighbours - low) / (high - low), 0, 1)
    if not wanted > 0:  # NaN, too
        return None
    removed = max(float(np.quantile(blocks.removed[blocks.bright], 0.25)), 1e-6)
    everywhere = float(np.quantile(blocks.detail[blocks.bright], 0.4)) / removed
    here = blocks.detail / removed
    weights = wanted / (1 + (everywhere / DETAIL) ** 6) / (1 + (here / DETAIL_HERE) ** 4)
    return np.asarray(weights, np.float32)


def _held(blocks: _Blocks) -> _Floats:
    """Return what share of the removed is noise, in each block."""
    most = MOST * float(np.median(blocks.removed[blocks.bright]))
    share = np.minimum(1, most / np.maximum(blocks.removed, 1e-6)) ** 2
    return np.asarray(share, np.float32)


def _strips(image: _Array) -> Iterator[slice]:
    """Cut an image into strips of whole blocks."""
    rows = BLOCK * max(1, _STRIP // (BLOCK * image.shape[1]))
    return (slice(top, min(top + rows, len(image))) for top in range(0, len(image), rows))


def _means(values: _Floats) -> _Floats:
    """Return the mean of each block of (h, W, C); those at the border may be smaller."""
    plane: _Floats = values.mean(axis=2)
    for axis in (0, 1):
        starts = np.arange(0, plane.shape[axis], BLOCK)
        counts = np.diff([*starts, plane.shape[axis]])
        shape = (-1, 1) if axis == 0 else (1, -1)
        sums = np.add.reduceat(plane, starts, axis=axis)
        plane = np.asarray(sums / counts.reshape(shape), np.float32)
    return plane


def _halved(image: _Array, white: float) -> _Floats:
    """Return (H, W, C) at half the size, each pixel the mean of four, on the 0..255 scale."""
    height, width, channels = image.shape
    small = np.empty((-(-height // 2), -(-width // 2), channels), np.float32)
    for rows in _strips(image):
        part = image[rows].astype(np.float32) * np.float32(255 / white)
        even = np.pad(part, ((0, len(part) % 2), (0, width % 2), (0, 0)), mode="edge")
        top = even[0::2] + even[1::2]
        small[rows.start // 2 : -(-rows.stop // 2)] = (top[:, 0::2] + top[:, 1::2]) / 4
    return small


def _doubled(small: _Floats, rows: slice, width: int) -> _Floats:
    """Return rows of (h, w, C) at twice the size, linear between the pixels' centres."""
    lines = _interpolated(small, np.arange(rows.start, rows.stop), 2, 0)
    return _interpolated(lines, np.arange(width), 2, 1)


def _enlarged(grid: _Floats, rows: slice, width: int) -> _Floats:
    """Return rows of a value per block as (h, W, 1), the lowest of its neighbours in between."""
    from scipy.ndimage import minimum_filter

    lowest = minimum_filter(grid, 3, mode="nearest")[..., None]
    lines = _interpolated(lowest, np.arange(rows.start, rows.stop), BLOCK, 0)
    return _interpolated(lines, np.arange(width), BLOCK, 1)


def _interpolated(values: _Floats, at: NDArray[np.intp], factor: int, axis: int) -> _Floats:
    """Return values at pixels of an image that is `factor` times as long along an axis."""
    place = ((at + 0.5) / factor - 0.5).clip(0, values.shape[axis] - 1)
    first = np.floor(place).astype(np.intp)
    after = np.minimum(first + 1, values.shape[axis] - 1)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    share = (place - first).astype(np.float32).reshape(shape)
    lower = np.take(values, first, axis=axis)
    return np.asarray(lower + share * (np.take(values, after, axis=axis) - lower))
