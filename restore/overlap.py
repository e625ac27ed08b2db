"""Find images of one set that show the same picture as images of another, by content.

Cutting, grey conversion, another depth of brightness or a re-encoding do not hide a picture: small
patches around local extrema are compared, and a picture is the same when several of them agree on
one displacement. Turned, mirrored or resized copies are not found.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restore.errors import RestoreError
from restore.jpeg import exact_luma
from restore.sets import ImageSet

log = logging.getLogger(__name__)

_RADIUS = 8  # of a patch, in pixels
_LIMIT = 400  # patches an image
_ALIKE = 0.995  # correlation of two patches that show the same
_VOTES = 6  # patches that must agree on the displacement


@dataclass(frozen=True)
class _Fingerprint:
    name: str
    exact: NDArray[np.float32]  # (h, w), the whole image in luma
    places: NDArray[np.int64]  # (n, 2)
    patches: NDArray[np.float32]  # (n, 64), zero mean and unit length


def overlap(train: ImageSet, test: ImageSet) -> list[tuple[str, str]]:
    """List the pairs of images that show the same picture, or parts of it.

    Parameters
    ----------
    train, test : ImageSet
        The two sets; 400 images against 68 take some twenty seconds on two cores.

    Returns
    -------
    list of (str, str)
        Names in `train` and in `test`; empty where nothing overlaps.
    """
    wanted = [_fingerprint(item.name, item.load()) for item in test]
    found = []
    # In chunks of images, so that the table of correlations stays small.
    for mine in _chunks((_fingerprint(item.name, item.load()) for item in train), 20):
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
                if _equal(print_, other) or _agree(print_, other, *matches):
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
        There is an overlap, and nothing may be left out; or nothing would be left.
    """
    if rule not in ("refuse", "drop"):
        raise RestoreError(f"overlap: expected refuse or drop, found '{rule}'")
    sets, left_out = [], []
    for chosen in train:
        found = {
            name: f"{chosen.name}/{name} shows the same picture as {test.name}/{other}"
            for test in tests
            for name, other in overlap(chosen, test)
        }
        if found and rule == "refuse":
            first, more = next(iter(found.values())), len(found) - 1
            raise RestoreError(
                f"training image {first}{f' (and {more} more do so)' * (more > 0)}: train on "
                "other images, or leave it out (--overlap drop; restore.overlap in a config)"
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
    # Luma and full-range grey of one photograph differ by range and rounding: look at correlation.
    if a.exact.shape != b.exact.shape:
        return False
    one, two = (print_.exact - print_.exact.mean() for print_ in (a, b))
    length = float(np.linalg.norm(one) * np.linalg.norm(two))
    return bool(np.array_equal(a.exact, b.exact)) or (
        length > 0 and float((one * two).sum()) / length > 0.999
    )


def _agree(
    a: _Fingerprint, b: _Fingerprint, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> bool:
    if len(rows) < _VOTES:
        return False
    shifts = Counter(map(tuple, (a.places[rows] - b.places[columns]).tolist()))
    return shifts.most_common(1)[0][1] >= _VOTES


def _fingerprint(name: str, image: NDArray[np.uint8]) -> _Fingerprint:
    grey = np.asarray(exact_luma(image) if image.ndim == 3 else image, dtype=np.float32)
    places = _extrema(grey)
    patches = np.empty((len(places), 64), np.float32)
    for row, (y, x) in enumerate(places):
        window = grey[y - _RADIUS : y + _RADIUS, x - _RADIUS : x + _RADIUS]
        patches[row] = window.reshape(8, 2, 8, 2).mean(axis=(1, 3)).ravel()
    patches -= patches.mean(axis=1, keepdims=True)
    length = np.linalg.norm(patches, axis=1)
    clear = length > 8 * 4  # a standard deviation of 4 levels: flat patches resemble each other
    patches = np.asarray(patches[clear] / length[clear, None], dtype=np.float32)
    return _Fingerprint(name, grey, places[clear], patches)


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


def _chunks(prints: Iterable[_Fingerprint], size: int) -> Iterator[list[_Fingerprint]]:
    chunk: list[Any] = []
    for print_ in prints:
        chunk.append(print_)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
