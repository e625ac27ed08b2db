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
        Its file stays open as long as the cube lives. Axes of length one beside three others, such
        as a single time, are passed over.
    axis : int
        That of the bands, among the three; the other two are rows and columns, in this order.
    """

    def __init__(self, path: Path, dataset: Any, axis: int = 2) -> None:
        self.path, self.dataset = path, dataset
        self.kept = axes_kept(dataset.shape)
        # Axes of the dataset as rows, columns and bands.
        self.axes: tuple[int, ...] = (
            *(self.kept[n] for n in range(3) if n != axis),
            self.kept[axis],
        )
        rows, columns, bands = (dataset.shape[place] for place in self.axes)
        chunks = dataset.chunks
        stored_rows = 1 if chunks is None else chunks[self.axes[0]]
        super().__init__((rows, columns, bands), dataset.dtype, stored_rows)

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        key: list[slice | int] = [0] * len(self.dataset.shape)
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
        return np.transpose(block, [self.kept.index(place) for place in self.axes])


def axes_kept(shape: tuple[int, ...]) -> list[int]:
    """Return the three axes of a cube: all but those of length one, the first ones first."""
    kept = list(range(len(shape)))
    for place, size in enumerate(shape):
        if len(kept) > 3 and size == 1:
            kept.remove(place)
    return kept
