"""Maps as products: a majority filter, and a smallest size of regions (minimum mapping unit).

Both look at a whole map, after its last block, so that blocks do not change it. Pixels of class 0,
without data or left open, have no vote and stay as they are.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic
from hsi.errors import HsiError
from hsi.formats.georeference import load_rasterio
from hsi.maps.options import MapOptions
from hsi.maps.rasters import Raster

log = logging.getLogger(__name__)

Numbers = npt.NDArray[Any]

KEPT = "generalised.npz"
ROWS = 256  # that are looked at together
PASSES = 50  # of the sieve, at most


def majority(numbers: Numbers, side: int) -> Numbers:
    """Return the most frequent class in the square around each pixel.

    Of equally frequent classes, the pixel's own counts, or else the one of the lowest number. At
    the border the square is cut off.

    Parameters
    ----------
    numbers : ndarray (H, W), unsigned whole numbers
        Classes; 0 neither votes nor changes.
    side : int
        Odd, in pixels.

    Examples
    --------
    >>> import numpy as np
    >>> majority(np.array([[1, 1, 1], [1, 2, 0], [2, 1, 1]], np.uint8), 3).tolist()
    [[1, 1, 1], [1, 1, 0], [2, 1, 1]]
    """
    reach, found = side // 2, numbers.copy()
    for start in range(0, len(numbers), ROWS):
        stop = min(start + ROWS, len(numbers))
        first = max(start - reach, 0)
        around = np.pad(
            numbers[first : stop + reach],
            ((reach - (start - first), reach), (reach, reach)),
        )[: stop - start + 2 * reach]
        if len(around) < stop - start + 2 * reach:
            around = np.pad(around, ((0, stop - start + 2 * reach - len(around)), (0, 0)))
        own = numbers[start:stop]
        best, most = own.copy(), np.zeros(own.shape, np.int32)
        for number in np.unique(around[around > 0]).tolist():
            votes = 2 * _box_sums(around == number, side) + (own == number)
            more = votes > most
            best[more], most[more] = number, votes[more]
        found[start:stop] = np.where(own > 0, best, 0)
    return found


def sieve(numbers: Numbers, smallest: int) -> Numbers:
    """Return a map whose regions of fewer pixels have the class of their largest neighbour.

    GDAL's sieve (`rasterio.features.sieve`), repeated until nothing changes, because a merged
    region may still be too small. Pixels that share an edge are of one region. A region that has no
    neighbour of the size stays, and a warning counts such regions.

    Parameters
    ----------
    numbers : ndarray (H, W), unsigned whole numbers
        Classes; 0 separates regions and stays.
    smallest : int
        Pixels of the smallest region that is left, at least 2.

    Raises
    ------
    HsiError
        rasterio is not installed; the map has fewer pixels.
    """
    load_rasterio()
    from rasterio.features import sieve as one_pass

    if smallest > numbers.size:
        raise HsiError(f"`sieve` {smallest}: expected at most the {numbers.size} pixels of the map")
    there = numbers > 0
    wide = numbers.astype(np.int32) if numbers.dtype.itemsize > 2 else numbers
    for _ in range(PASSES):
        found = np.where(there, one_pass(wide, smallest, mask=there, connectivity=4), 0)
        found = found.astype(wide.dtype)
        if np.array_equal(found, wide):
            break
        wide = found
    if left := _regions_below(wide, smallest):
        log.warning(
            "%d regions of fewer than %d pixels have no neighbour that is large enough, and stay",
            left, smallest,
        )  # fmt: skip
    return wide.astype(numbers.dtype)


def generalised(numbers: Numbers, options: MapOptions) -> Numbers:
    """Return a whole map (H, W) after what its options ask for: the majority, then the sieve."""
    if options.majority is not None:
        numbers = majority(numbers, options.majority)
    if options.sieve is not None:
        numbers = sieve(numbers, options.sieve)
    return numbers


def generalise(raster: Raster, options: MapOptions, folder: Path) -> int:
    """Replace the values of a map that is whole; return how many pixels changed.

    The result is kept in the folder of unfinished work before any of it is written: a run that is
    killed meanwhile does not generalise a part of the map twice.
    """
    kept = folder / KEPT
    if not kept.is_file():
        before = np.array(raster.read())
        after = generalised(before, options)
        changed = int(np.count_nonzero(before != after))
        with atomic(kept) as part, part.open("wb") as file:
            np.savez(file, numbers=after, changed=changed)
    with np.load(kept, allow_pickle=False) as arrays:
        after, changed = arrays["numbers"], int(arrays["changed"])
    for start in range(0, len(after), ROWS):
        rows = slice(start, min(start + ROWS, len(after)))
        raster.write(rows, slice(0, after.shape[1]), after[rows])
    raster.flush()
    return changed


def _box_sums(mask: npt.NDArray[np.bool_], side: int) -> npt.NDArray[np.int32]:
    """Return the number of True pixels in every square that lies whole in a mask."""
    total = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int32), axis=1, out=total[1:, 1:])
    high = total[side:] - total[:-side]
    sums: npt.NDArray[np.int32] = high[:, side:] - high[:, :-side]
    return sums


def _regions_below(numbers: Numbers, smallest: int) -> int:
    """Return how many regions of a map have fewer pixels."""
    from scipy.ndimage import label

    count = 0
    for number in np.unique(numbers[numbers > 0]).tolist():
        marked, _ = label(numbers == number)
        count += int((np.bincount(marked.ravel())[1:] < smallest).sum())
    return count
