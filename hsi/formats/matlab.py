"""MATLAB files: v5 through SciPy, v7.3 (which is HDF5) through h5py."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.contents import WAVELENGTH_NAMES, Contents, Kind, band_centres, bands_last, choose

# Names under which a file states the rows and columns of a flattened cube, in lower case.
SIZE_NAMES = (("nrow", "ncol"), ("nrows", "ncols"), ("rows", "cols"), ("rows", "columns"),
              ("height", "width"), ("lines", "samples"))  # fmt: skip


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read a cube (H, W, B) or labels (H, W) from a .mat file.

    A flattened cube (bands, rows × columns), or the other way round, is unfolded where the file
    states its size, as `nRow` and `nCol`; MATLAB counts rows fastest.

    Raises
    ------
    HsiError
        No MATLAB file, or no variable that fits.
    """
    from scipy.io.matlab import MatReadError

    try:
        arrays, version = _v73(path) if _is_hdf5(path) else _v5(path)
    except (MatReadError, ValueError, OSError, TypeError, zlib.error) as error:
        raise HsiError(f"{path}: expected a whole MATLAB file ({why(error)})") from error

    found: dict[str, Any] = {"format": f"MATLAB {version}"}
    listed = next((a for key, a in arrays.items() if key.lower() in WAVELENGTH_NAMES), None)
    if kind == "cube":
        flat = _flattened(arrays)
        if flat is not None and variable in (None, flat.name):
            cube = flat.unfolded(arrays[flat.name])
            found |= {"variable": flat.name, "layout": flat.layout}
            return Contents(path, cube, band_centres(listed, cube.shape[2]), provenance=found)

    name = choose(path, {key: a.shape for key, a in arrays.items()}, variable, kind)
    array, found["variable"] = arrays[name], name
    if kind == "labels" or array.ndim != 3:
        return Contents(path, array, provenance=found)
    array, found["layout"] = bands_last(array, name, None if listed is None else listed.size)
    return Contents(path, array, band_centres(listed, array.shape[2]), provenance=found)


def _is_hdf5(path: Path) -> bool:
    import h5py

    return bool(h5py.is_hdf5(path))


def _v5(path: Path) -> tuple[dict[str, npt.NDArray[Any]], str]:
    from scipy.io import loadmat

    found = loadmat(path)
    numeric = {
        name: value
        for name, value in found.items()
        if not name.startswith("__") and isinstance(value, np.ndarray) and value.dtype.kind in "uif"
    }
    return numeric, "v5"


def _v73(path: Path) -> tuple[dict[str, npt.NDArray[Any]], str]:
    import h5py

    with h5py.File(path, "r") as file:
        # HDF5 lists the axes of MATLAB's column-major arrays in reverse.
        numeric = {
            name: np.asarray(item).T
            for name, item in file.items()
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "uif" and item.ndim
        }
    return numeric, "v7.3"


@dataclass(frozen=True)
class Flattened:
    """A variable that lists the pixels of a cube, column by column as MATLAB counts."""

    name: str
    rows: int
    columns: int
    bands_first: bool

    @property
    def layout(self) -> str:
        """The order of the pixels, in words."""
        return f"bands {'first' if self.bands_first else 'last'}, flattened column by column"

    def unfolded(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the cube (H, W, B)."""
        listed = array if self.bands_first else array.T
        cube = listed.reshape(listed.shape[0], self.rows, self.columns, order="F")
        return np.moveaxis(cube, 0, -1)


def _flattened(arrays: dict[str, npt.NDArray[Any]]) -> Flattened | None:
    """Return the only variable of (bands, pixels) or (pixels, bands), if the file states a size."""
    single = {key.lower(): int(a.item()) for key, a in arrays.items() if a.size == 1}
    for row_key, column_key in SIZE_NAMES:
        if row_key in single and column_key in single:
            rows, columns = single[row_key], single[column_key]
            flat = {
                name: a.shape[1] == rows * columns
                for name, a in arrays.items()
                if a.ndim == 2 and rows * columns in a.shape and min(a.shape) > 1
            }
            if len(flat) == 1:
                name, bands_first = next(iter(flat.items()))
                return Flattened(name, rows, columns, bands_first)
    return None
