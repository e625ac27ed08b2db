"""Pixels that hold no data: found by whatever a file says, filled before and put back after.

What counts, in this one place: the value that the file states (GDAL's tag 42113), NaN and
infinite values, floats beyond any picture (such as float32's lowest number or NetCDF's fill value),
and in floats the usual sentinels (-9999 and the like) where they stand far off all other values.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BEYOND = 1e30
_SENTINELS = (-999.0, -9999.0, -99999.0, -999999.0, -32767.0, -32768.0)
_PIXELS = 2**20  # looked at or filled at a time


@dataclass(frozen=True)
class Gaps:
    """The pixels of a plane without data.

    Attributes
    ----------
    where : ndarray (H, W) of bool
    kept : ndarray (N,) or (N, C)
        What the file holds there.
    guess : float or None
        The sentinel, where the file does not state it.
    hidden : int
        How many of them have data that nobody sees, as they are transparent.
    """

    where: NDArray[np.bool_]
    kept: NDArray[Any]
    guess: float | None = None
    hidden: int = 0

    @property
    def count(self) -> int:
        """Return the number of pixels without data."""
        return len(self.kept) - self.hidden

    def restore(self, pixels: NDArray[Any]) -> None:
        """Put back, in place, what the file holds."""
        pixels[self.where] = self.kept


def find(pixels: NDArray[Any], stated: float | None = None) -> Gaps | None:
    """Find the pixels without data; None where there are none.

    Parameters
    ----------
    pixels : ndarray (H, W) or (H, W, 3)
        A colour pixel has no data if one of its values is no number, or all have the stated value.
    stated : float, optional
        The value that the file states for 'no data'.
    """
    floating = pixels.dtype.kind == "f"
    if not floating and (stated is None or not _held(stated, pixels.dtype)):
        return None
    guess = _sentinel(pixels) if floating and stated is None else None
    value = guess if stated is None else stated
    if value is not None and abs(value) >= _BEYOND:
        value = None
    height, width = pixels.shape[:2]
    where = np.empty((height, width), np.bool_)
    step = max(1, _PIXELS // width)
    for top in range(0, len(pixels), step):
        rows = pixels[top : top + step]
        none = np.zeros(rows.shape[:2], np.bool_)
        if value is not None:
            same = np.asarray(rows == rows.dtype.type(value))
            none |= same.reshape(*none.shape, -1).all(axis=-1)
        if floating:
            bad = np.asarray(~(np.abs(rows) < _BEYOND))
            none |= bad.reshape(*none.shape, -1).any(axis=-1)
        where[top : top + step] = none
    return Gaps(where, pixels[where], guess) if where.any() else None


def with_hidden(found: Gaps | None, pixels: NDArray[Any], alpha: NDArray[Any]) -> Gaps | None:
    """Add transparent pixels to those without data: what lies under them is no part of the picture.

    Programs leave black, white or any colour there. An image that is transparent all over is taken
    as it is.
    """
    hidden = alpha == 0
    where = hidden if found is None else hidden | found.where
    if not hidden.any() or where.all():
        return found
    more = int(hidden.sum()) - (0 if found is None else int((hidden & found.where).sum()))
    return Gaps(where, pixels[where], None if found is None else found.guess, more)


def fill(pixels: NDArray[Any], where: NDArray[np.bool_]) -> None:
    """Fill pixels without data, in place, by the mirrored surroundings in their row.

    Noise and texture beside a gap stay what they are, which a constant would not leave them. Rows
    without any data are filled from the rows above and below them; an image without any is left.
    """
    step = max(1, _PIXELS // where.shape[1])
    for top in range(0, len(pixels), step):
        some = where[top : top + step]
        if some.any():
            at = _mirrored(some)
            rows = pixels[top : top + step]
            rows[some] = rows[np.nonzero(some)[0], at[some]]
    empty: NDArray[np.bool_] = np.all(where, axis=1)
    if empty.any() and not empty.all():
        at = _mirrored(empty[None])[0]
        pixels[empty] = pixels[at[empty]]


def _held(value: float, kind: np.dtype[Any]) -> bool:
    """Return whether whole numbers of a type can have a value."""
    return float(value).is_integer() and 0 <= value <= np.iinfo(kind).max


def _sentinel(pixels: NDArray[Any]) -> float | None:
    """Return the usual sentinel that stands far below all other values, if there is one."""
    with np.errstate(invalid="ignore"):
        sane = pixels[np.abs(pixels) < _BEYOND]
    lowest = float(sane.min()) if sane.size else 0.0
    if lowest not in _SENTINELS:
        return None
    rest = sane[sane != lowest]
    return lowest if rest.size and float(rest.min()) > lowest / 2 else None


def _mirrored(some: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return from which column each place is filled; a row without data keeps its own."""
    width = some.shape[1]
    own = np.broadcast_to(np.arange(width), some.shape)
    left = np.maximum.accumulate(np.where(some, -1, own), axis=1)
    right = np.minimum.accumulate(np.where(some, 2 * width, own)[:, ::-1], axis=1)[:, ::-1]
    nearest = np.where((left >= 0) & ((own - left <= right - own) | (right >= width)), left, right)
    nearest = np.where(nearest >= width, own, nearest)
    mirrored = np.clip(2 * nearest - own, 0, width - 1)
    rows = np.arange(len(some))[:, None]
    return np.asarray(np.where(some[rows, mirrored], nearest, mirrored))


def stated(text: object) -> float | None:
    """Return the number that a file writes as text for 'no data'; None if it is none."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    try:
        return float(words.strip("\0 \t\r\n"))
    except ValueError:
        return None
