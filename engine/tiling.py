"""An image or scene cut into blocks that are worked on one at a time, each seen with a halo."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Block:
    """Some pixels of an image and what is read around them.

    Attributes
    ----------
    rows, columns : slice
        The pixels that are worked on.
    around : tuple of 2 slice
        Rows and columns of these and their halo, as far as the image goes.
    beyond : tuple of 2 tuple of 2 int
        How many rows of the halo lie above and below the image, and columns left and right of it.
    """

    rows: slice
    columns: slice
    around: tuple[slice, slice]
    beyond: tuple[tuple[int, int], tuple[int, int]]

    @property
    def shape(self) -> tuple[int, int]:
        """Return the rows and columns, without the halo."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def pixels(self) -> int:
        """Return how many pixels are worked on."""
        return self.shape[0] * self.shape[1]

    def inner(self, around: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the block without its halo, a view of an array (h, w, ...) of what lies around."""
        top = self.rows.start - self.around[0].start
        left = self.columns.start - self.around[1].start
        height, width = self.shape
        return around[top : top + height, left : left + width]

    def padded(self, around: npt.NDArray[Any], **how: Any) -> npt.NDArray[Any]:
        """Return an array (h, w, ...) with the part of its halo that lies beyond the image.

        Parameters
        ----------
        around : ndarray
        **how
            As for `numpy.pad`, which fills with zeros if not told otherwise.
        """
        rest = [(0, 0)] * (around.ndim - 2)
        return np.pad(around, [*self.beyond, *rest], **how)


@dataclass(frozen=True)
class Tiling:
    """The blocks of an image, row by row.

    Attributes
    ----------
    shape : tuple of 2 int
        Rows and columns of the image.
    block : tuple of 2 int
        Rows and columns of a block; those at the lower and right border may be smaller.
    halo : int
        Pixels that are seen around a block.
    strip, columns : slice, optional
        Rows and columns to cut into blocks; by default all. The halo of the blocks goes beyond.
    """

    shape: tuple[int, int]
    block: tuple[int, int]
    halo: int
    strip: slice | None = None
    columns: slice | None = None

    def __len__(self) -> int:
        return self._count(0) * self._count(1)

    @property
    def pixels(self) -> int:
        """Return how many pixels are worked on."""
        (top, bottom), (left, right) = self._ends(0), self._ends(1)
        return (bottom - top) * (right - left)

    def __getitem__(self, index: int) -> Block:
        if not 0 <= index < len(self):
            raise IndexError(index)
        row, column = divmod(index, self._count(1))
        rows, above = self._axis(0, row)
        columns, beside = self._axis(1, column)
        around = tuple(
            slice(max(s.start - self.halo, 0), min(s.stop + self.halo, size))
            for s, size in zip((rows, columns), self.shape, strict=True)
        )
        return Block(rows, columns, (around[0], around[1]), (above, beside))

    def __iter__(self) -> Iterator[Block]:
        return (self[index] for index in range(len(self)))

    def _axis(self, axis: int, number: int) -> tuple[slice, tuple[int, int]]:
        """Return where a block lies along an axis, and how far its halo goes beyond the image."""
        size, side = self.shape[axis], self.block[axis]
        first, last = self._ends(axis)
        start = first + number * side
        stop = min(start + side, last)
        beyond = (max(self.halo - start, 0), max(stop + self.halo - size, 0))
        return slice(start, stop), beyond

    def _count(self, axis: int) -> int:
        """Return how many blocks lie along an axis."""
        start, stop = self._ends(axis)
        return -(-(stop - start) // self.block[axis])

    def _ends(self, axis: int) -> tuple[int, int]:
        """Return the first and the last + 1 of what is cut along an axis."""
        part = (self.strip, self.columns)[axis]
        return (0, self.shape[axis]) if part is None else (part.start, part.stop)
