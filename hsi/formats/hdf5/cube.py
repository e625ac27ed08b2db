"""A cube in an HDF5 dataset, whose bands may be any axis."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.lazy import LazyCube


class Hdf5Cube(LazyCube):
    """A dataset of three axes that stays in its file.

    Parameters
    ----------
    path : Path
        For messages.
    dataset : h5py.Dataset
        Its file stays open as long as the cube lives.
    axis : int
        That of the bands; the other two are rows and columns, in this order.
    """

    def __init__(self, path: Path, dataset: Any, axis: int = 2) -> None:
        self.path, self.dataset = path, dataset
        # Axes of the dataset as rows, columns and bands.
        self.axes: tuple[int, ...] = (*(place for place in range(3) if place != axis), axis)
        rows, columns, bands = (dataset.shape[place] for place in self.axes)
        chunks = dataset.chunks
        stored_rows = 1 if chunks is None else chunks[self.axes[0]]
        super().__init__((rows, columns, bands), dataset.dtype, stored_rows)

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        key = [slice(None)] * 3
        for place, span in zip(self.axes, (rows, columns, bands), strict=True):
            key[place] = span
        try:
            block: npt.NDArray[Any] = self.dataset[tuple(key)]
        except OSError as error:
            reason = why(error, whole=True)
            raise HsiError(
                f"{self.path}: {self.dataset.name} cannot be read, the file may be cut short "
                f"({reason}); fetch it again"
            ) from error
        return np.transpose(block, self.axes)
