"""Cubes that stay in their file: slicing reads only the values asked for."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

BLOCK_BYTES = 16 * 2**20
PIECES_BYTES = 512 * 2**20
CACHE_BYTES = 256 * 2**20  # of unpacked pieces, kept by the libraries that read files


class LazyCube(ABC):
    """A cube (rows, columns, bands) that is read from its file when it is sliced.

    Slices, whole numbers and `...` work as in NumPy; so does one list of indices or a mask along
    one axis, beside slices. `np.asarray` reads everything.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns, bands.
    dtype : dtype
    stored_rows : int
        Rows that are stored, and perhaps compressed, in one piece.
    """

    ndim = 3

    def __init__(
        self, shape: tuple[int, int, int], dtype: npt.DTypeLike, stored_rows: int = 1
    ) -> None:
        self.shape: tuple[int, ...] = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.stored_rows = stored_rows

    @abstractmethod
    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block (r, c, b); the slices have a start, a stop, no step, and are not empty."""

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        keys = self._one_per_axis(key)
        spans, within = zip(*map(_span, keys, self.shape), strict=True)
        if any(span.stop == span.start for span in spans):
            block = np.empty([span.stop - span.start for span in spans], self.dtype)
        else:
            block = self.read(*spans)
        # From the last axis to the first: a whole number drops its axis.
        for axis in (2, 1, 0):
            block = block[(*[slice(None)] * axis, within[axis])]
        return block

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("a cube in a file cannot become an array without a copy")
        return np.asarray(self[:], dtype)

    def _one_per_axis(self, key: Any) -> list[Any]:
        given = list(key) if isinstance(key, tuple) else [key]
        dots = [place for place, part in enumerate(given) if part is Ellipsis]
        if not dots:
            given.append(Ellipsis)
            dots = [len(given) - 1]
        missing = 3 - (len(given) - 1)
        if len(dots) > 1 or missing < 0:
            raise IndexError(f"expected up to three indices, found {key}")
        given[dots[0] : dots[0] + 1] = [slice(None)] * missing
        lists = [part for part in given if not isinstance(part, (slice, int, np.integer))]
        if lists and (len(lists) > 1 or sum(isinstance(part, slice) for part in given) != 2):
            raise IndexError("expected slices, or one list beside slices; read a block first")
        return given


def _span(key: Any, size: int) -> tuple[slice, Any]:
    """Return the part of an axis to read, and what to take of that part."""
    if isinstance(key, (int, np.integer)):
        place = range(size)[int(key)]
        return slice(place, place + 1), 0
    if isinstance(key, slice):
        places = range(size)[key]
        if not places:
            return slice(0, 0), slice(None)
        low, high = min(places[0], places[-1]), max(places[0], places[-1])
        return slice(low, high + 1), slice(None, None, places.step)
    listed = np.asarray(key)
    if not listed.size:
        return slice(0, 0), slice(None)
    chosen = np.arange(size)[listed]
    if chosen.ndim != 1:
        raise IndexError("expected a list of one axis; read a block first")
    if not chosen.size:
        return slice(0, 0), slice(None)
    return slice(int(chosen.min()), int(chosen.max()) + 1), chosen - chosen.min()


def row_blocks(shape: tuple[int, ...], itemsize: int, stored_rows: int = 1) -> Iterator[slice]:
    """Yield the rows of an array in blocks to be read one after the other.

    Parameters
    ----------
    shape : tuple of int
    itemsize : int
        Bytes of a value.
    stored_rows : int
        Rows that are stored in one piece: blocks end where pieces do, so that each is unpacked
        once, unless a row of pieces takes more than 512 MiB.

    Yields
    ------
    slice
        Near 16 MiB, or a row of pieces.
    """
    height = shape[0]
    row_bytes = max(1, int(np.prod(shape[1:])) * itemsize)
    rows = max(1, BLOCK_BYTES // row_bytes)
    if stored_rows * row_bytes <= PIECES_BYTES:
        rows = max(stored_rows, rows // stored_rows * stored_rows)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def cube_blocks(cube: Any) -> Iterator[slice]:
    """Yield the rows of a cube in blocks, of whole pieces if it is stored in pieces."""
    return row_blocks(cube.shape, cube.dtype.itemsize, getattr(cube, "stored_rows", 1))


def repeated(
    part: Any, rows: slice, columns: slice, factor: int, *others: slice
) -> npt.NDArray[Any]:
    """Return a block of an array whose pixels are repeated some times down and across."""
    spans = [slice(span.start // factor, -(-span.stop // factor)) for span in (rows, columns)]
    block = np.asarray(part[(*spans, *others)])
    if factor == 1:
        return block
    block = block.repeat(factor, 0).repeat(factor, 1)
    down, across = (span.start % factor for span in (rows, columns))
    wide, high = columns.stop - columns.start, rows.stop - rows.start
    return block[down : down + high, across : across + wide]


def tell_pieces(name: str, cube: LazyCube) -> None:
    """Warn where blocks of few rows would unpack the same pieces over and over."""
    size = cube.stored_rows * cube.shape[1] * cube.shape[2] * cube.dtype.itemsize
    if size > CACHE_BYTES:
        log.warning(
            "%s: %d rows are packed together, %d MiB; if it is slow, hsi convert it to ENVI once",
            name, cube.stored_rows, size // 2**20,
        )  # fmt: skip
