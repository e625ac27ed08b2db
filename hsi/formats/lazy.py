"""Cubes that stay in their file: a slice reads what it names, and nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK_BYTES = 16 * 2**20


class LazyCube(ABC):
    """A cube (rows, columns, bands) that is read where it is sliced.

    Slices, whole numbers and `...` work as in NumPy; so does one list of indices or a mask along
    one axis, beside slices. `np.asarray` reads everything.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns, bands.
    dtype : dtype
    """

    ndim = 3

    def __init__(self, shape: tuple[int, int, int], dtype: npt.DTypeLike) -> None:
        self.shape: tuple[int, ...] = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @abstractmethod
    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block (r, c, b); the slices have a start, a stop, no step, and are not empty."""

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        keys = self._one_an_axis(key)
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

    def _one_an_axis(self, key: Any) -> list[Any]:
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
    """Find the part of an axis to read, and what to take of that part."""
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


def row_blocks(shape: tuple[int, ...], itemsize: int) -> Iterator[slice]:
    """Cut the rows of an array so that a block stays near 16 MiB."""
    height = shape[0]
    row_bytes = max(1, int(np.prod(shape[1:])) * itemsize)
    rows = max(1, BLOCK_BYTES // row_bytes)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))
