"""A cube in an HDF5 dataset, whose bands may be any axis."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from engine.memory import DEFLATE, FLOOR, admit
from hsi.errors import HsiError
from hsi.formats.lazy import LazyCube


class Hdf5Cube(LazyCube):
    """A dataset of three axes that stays in its file.

    Parameters
    ----------
    path : Path
        For messages.
    dataset : h5py.Dataset
        Its file stays open as long as the cube lives. Axes of length one beside three others, such
        as a single time, are passed over.
    axis : int
        That of the bands, among the three; the other two are rows and columns, in this order.
    turned : bool
        The other two are columns and rows.

    Raises
    ------
    HsiError
        Not three axes; a chunk that memory cannot hold; more values than what is stored can mean.
    """

    def __init__(self, path: Path, dataset: Any, axis: int = 2, turned: bool = False) -> None:
        self.path, self.dataset = path, dataset
        self.kept = axes_kept(dataset.shape)
        if len(self.kept) != 3:
            raise HsiError(
                f"{path}: {dataset.name}: expected a cube of three axes, found shape "
                f"{dataset.shape}; name another variable as FILE:variable"
            )
        with parsing(path, "expected a cube that can be read", HsiError):
            _admit_stored(dataset)
        self.axes = axes_of(self.kept, axis, turned)
        rows, columns, bands = (dataset.shape[place] for place in self.axes)
        chunks = dataset.chunks
        stored_rows = 1 if chunks is None else chunks[self.axes[0]]
        super().__init__((rows, columns, bands), dataset.dtype, stored_rows)

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        key: list[slice | int] = [0] * len(self.dataset.shape)
        for place, span in zip(self.axes, (rows, columns, bands), strict=True):
            key[place] = span
        expected = f"expected {self.dataset.name} whole, found it damaged or cut short"
        with parsing(self.path, expected, HsiError, "fetch it again"):
            block: npt.NDArray[Any] = self.dataset[tuple(key)]
        return np.transpose(block, [self.kept.index(place) for place in self.axes])


def axes_of(kept: Sequence[int], axis: int, turned: bool = False) -> tuple[int, ...]:
    """Return the axes of rows, columns and bands.

    Parameters
    ----------
    kept : sequence of int
        The three axes of the cube, as stored.
    axis : int
        That of the bands, among the three.
    turned : bool
        Columns come before rows.

    Examples
    --------
    >>> axes_of((0, 2, 3), 0), axes_of((0, 2, 3), 0, turned=True)
    ((2, 3, 0), (3, 2, 0))
    """
    image = [place for number, place in enumerate(kept) if number != axis]
    return (*(reversed(image) if turned else image), kept[axis])


def axes_kept(shape: tuple[int, ...]) -> list[int]:
    """Return the three axes of a cube: all but those of length one, the first ones first."""
    kept = list(range(len(shape)))
    for place, size in enumerate(shape):
        if len(kept) > 3 and size == 1:
            kept.remove(place)
    return kept


def whole(dataset: Any) -> npt.NDArray[Any]:
    """Return all values of a dataset.

    Raises
    ------
    HsiError
        Memory cannot hold them, or what is stored can hardly mean so many; the message names no
        file.
    """
    admit(dataset.size * dataset.dtype.itemsize, _stored(dataset), HsiError, DEFLATE)
    return np.asarray(dataset[()])


def _admit_stored(dataset: Any) -> None:
    """Refuse a dataset of which a chunk is too large, or of which next to nothing is stored."""
    itemsize = dataset.dtype.itemsize
    if dataset.chunks is not None:
        admit(math.prod(dataset.chunks) * itemsize, None, HsiError)
    stored, stated = _stored(dataset), dataset.size * itemsize
    # The cube stays in its file: memory need not hold it.
    if stored is not None and stated > max(FLOOR, DEFLATE * stored):
        admit(stated, stored, HsiError, DEFLATE)


def _stored(dataset: Any) -> int | None:
    """Return the bytes that a file stores of a dataset; None for a view of others."""
    return None if dataset.is_virtual else int(dataset.id.get_storage_size())
