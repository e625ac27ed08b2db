"""Find images of one set that show the same picture as images of another, by content.

Cutting, grey conversion, another depth of brightness or a re-encoding do not hide a picture: small
patches around local extrema are compared, and a picture is the same when several of them agree on
one displacement. Turned, mirrored or resized copies are not found.
"""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restore.degradations.luma import exact_luma
from restore.errors import RestoreError
from restore.image_sets.find import ImageSet, Item

log = logging.getLogger(__name__)

_RADIUS = 8  # of a patch, in pixels
_LIMIT = 400  # patches per image
_ALIKE = 0.995  # correlation of two patches that show the same
_VOTES = 6  # patches that must agree on the displacement
_SAME = 0.999  # correlation of whole images that are one
_FIELDS = 16  # along each side
_CHUNK = 20  # images
_ROWS = 256  # converted at a time: in float64 a photograph is large
_THREADS = min(4, os.cpu_count() or 1)  # each holds an image in float32 several times


@dataclass(frozen=True)
class _Fingerprint:
    name: str
    item: Item
    shape: tuple[int, ...]
    coarse: NDArray[np.float64]  # see `_coarse`
    places: NDArray[np.int64]  # (n, 2)
    patches: NDArray[np.float32]  # (n, 64), zero mean and unit length


def overlap(train: ImageSet, tests: Sequence[ImageSet]) -> list[tuple[str, str]]:
    """List the pairs of images that show the same picture, or parts of it.

    Parameters
    ----------
    train : ImageSet
    tests : sequence of ImageSet
        Of any size; see the module for what counts as the same picture. Of real noise with its
        ground truth, both count.

    Returns
    -------
    list of (str, str)
        The name in `train`, and the image of `tests` as SET/IMAGE; empty where nothing overlaps.
    """
    found = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="overlap") as pool:
        wanted = [
            print_
            for test in tests
            for print_ in pool.map(
                _fingerprint, (*test.items, *test.noisy), repeat(f"{test.name}/")
            )
        ]
        # In chunks of images, so that the table of correlations stays small.
        for begin in range(0, len(train) if wanted else 0, _CHUNK):
            chunk = train.items[begin : begin + _CHUNK]
            mine = list(pool.map(_fingerprint, chunk, repeat("")))
            stacked = np.concatenate([print_.patches for print_ in mine])
            starts = np.cumsum([0, *(len(print_.patches) for print_ in mine)])
            for other in wanted:
                similar = np.flatnonzero(stacked @ other.patches.T > _ALIKE)
                rows, columns = np.divmod(similar, max(len(other.patches), 1))
                ends = np.searchsorted(rows, starts)
                for print_, start, first, last in zip(
                    mine, starts[:-1], ends[:-1], ends[1:], strict=True
                ):
                    matches = rows[first:last] - start, columns[first:last]
                    if _agree(print_, other, *matches) or _equal(print_, other):
                        found.append((print_.name, other.name))
    return found


def apart(
    train: Sequence[ImageSet], tests: Sequence[ImageSet], rule: str = "refuse"
) -> tuple[list[ImageSet], list[str]]:
    """Keep training images apart from test images.

    Parameters
    ----------
    train, tests : sequence of ImageSet
    rule : {'refuse', 'drop'}
        Whether a training image that shows the same picture as a test image is an error, or is
        left out.

    Returns
    -------
    sets : list of ImageSet
        What there is to train on.
    left_out : list of str
        What was left out, as SET/IMAGE; each is named in a warning, too.

    Raises
    ------
    RestoreError
        There is an overlap, and nothing may be left out; or nothing would be left. A set of real
        noise with its ground truth is refused in any case.
    """
    if rule not in ("refuse", "drop"):
        raise RestoreError(f"overlap: expected refuse or drop, found '{rule}'")
    for chosen in train:
        if chosen.noisy:
            raise RestoreError(
                f"image set {chosen.name}: its pairs are to judge by, not to train on; train on "
                "other images"
            )
    sets, left_out = [], []
    for chosen in train:
        found = {
            name: f"{chosen.name}/{name} shows the same picture as {other}"
            for name, other in overlap(chosen, tests)
        }
        if found and rule == "refuse":
            first, more = next(iter(found.values())), len(found) - 1
            raise RestoreError(
                f"training image {first}{f' (and {more} more do so)' * (more > 0)}: train on "
                "other images, or leave it out (`overlap` drop; restore.overlap in a config)"
            )
        for text in found.values():
            log.warning("training image %s; it is left out", text)
        left_out += [f"{chosen.name}/{name}" for name in found]
        kept = tuple(item for item in chosen if item.name not in found)
        if kept:
            sets.append(ImageSet(chosen.name, kept))
    if left_out and not sets:
        raise RestoreError("every training image shows the same picture as a test image")
    return sets, sorted(left_out)


def _equal(a: _Fingerprint, b: _Fingerprint) -> bool:
    """Return whether two images, of which few patches may be known, are one, but for range."""
    if a.shape != b.shape or float(((a.coarse - b.coarse) ** 2).sum()) > 2 * (1 - _SAME) + 1e-6:
        return False
    first, second = (_luma(print_.item.load()) for print_ in (a, b))
    one, two = (luma - luma.mean() for luma in (first, second))
    length = float(np.linalg.norm(one) * np.linalg.norm(two))
    return bool(np.array_equal(first, second)) or (
        # Luma and full-range grey of one photograph differ by range and rounding.
        length > 0 and float((one * two).sum()) / length > _SAME
    )


def _coarse(luma: NDArray[np.float32]) -> NDArray[np.float64]:
    """Project the image, of zero mean and unit length, on means of 16×16 fields.

    No projection is longer than what it is of: images of correlation ρ are √(2 - 2ρ) apart, and
    these no further. So most images that differ need not be compared pixel by pixel.
    """
    rows, columns = (
        np.linspace(0, size, min(size, _FIELDS), endpoint=False).astype(int) for size in luma.shape
    )
    centred = luma - luma.mean(dtype=np.float64).astype(np.float32)
    sums, squares = (
        np.add.reduceat(np.add.reduceat(values, rows, 0, np.float64), columns, 1)
        for values in (centred, centred**2)
    )
    heights, widths = (
        np.diff([*starts, size]) for starts, size in zip((rows, columns), luma.shape, strict=True)
    )
    length = float(np.sqrt(squares.sum()))
    return np.asarray(sums / np.sqrt(np.outer(heights, widths)) / max(length, 1e-9))


def _agree(
    a: _Fingerprint, b: _Fingerprint, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> bool:
    if len(rows) < _VOTES:
        return False
    shifts = Counter(map(tuple, (a.places[rows] - b.places[columns]).tolist()))
    return shifts.most_common(1)[0][1] >= _VOTES


def _luma(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    luma = np.empty(image.shape[:2], np.float32)
    for row in range(0, len(image), _ROWS):
        part = image[row : row + _ROWS]
        luma[row : row + _ROWS] = exact_luma(part) if image.ndim == 3 else part
    return luma


def _fingerprint(item: Item, prefix: str) -> _Fingerprint:
    luma = _luma(item.load())
    places = _extrema(luma)
    rows, columns = (places[:, axis, None] + np.arange(-_RADIUS, _RADIUS) for axis in (0, 1))
    windows = luma[rows[:, :, None], columns[:, None, :]]  # (n, 16, 16)
    patches = windows.reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)).reshape(-1, 64)
    patches -= patches.mean(axis=1, keepdims=True)
    length = np.linalg.norm(patches, axis=1)
    clear = length > 8 * 4  # a standard deviation of 4 levels: flat patches resemble each other
    patches = np.asarray(patches[clear] / length[clear, None], dtype=np.float32)
    return _Fingerprint(prefix + item.name, item, luma.shape, _coarse(luma), places[clear], patches)


def _extrema(grey: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find local extrema of the band-passed image, the strongest first; they move with a crop."""
    if min(grey.shape) <= 2 * _RADIUS + 2:
        return np.empty((0, 2), np.int64)
    band = ndimage.gaussian_filter(grey, 1.5) - ndimage.gaussian_filter(grey, 3.0)
    strength = np.abs(band)
    peaks = strength == ndimage.maximum_filter(strength, size=9)
    peaks &= strength > 1
    inner = np.zeros_like(peaks)
    inner[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS] = True
    places = np.argwhere(peaks & inner)
    order = np.argsort(-strength[tuple(places.T)], kind="stable")
    return places[order[:_LIMIT]]
