"""MATLAB files: v5 through SciPy, v7.3 (which is HDF5) through h5py."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.contents import Contents, Kind, bands_last, choose


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read a cube (H, W, B) or labels (H, W) from a .mat file.

    A flattened cube (bands, rows × columns) is unfolded where the file states its size as `nRow`
    and `nCol`; MATLAB counts rows fastest.

    Raises
    ------
    HsiError
        No MATLAB file, or no variable that fits.
    """
    from scipy.io.matlab import MatReadError

    try:
        arrays, version = _v73(path) if _is_hdf5(path) else _v5(path)
    except (MatReadError, ValueError, OSError, TypeError, zlib.error) as error:
        raise HsiError(f"{path}: expected a whole MATLAB file ({error})") from error

    found: dict[str, Any] = {"format": f"MATLAB {version}"}
    if kind == "cube":
        flat = _flattened(arrays)
        if flat is not None and variable in (None, flat):
            rows, columns = int(arrays["nRow"].item()), int(arrays["nCol"].item())
            bands = arrays[flat].shape[0]
            cube = arrays[flat].reshape(bands, rows, columns, order="F")
            found |= {"variable": flat, "layout": "bands first, flattened column by column"}
            return Contents(path, np.moveaxis(cube, 0, -1), provenance=found)

    name = choose(path, {key: a.shape for key, a in arrays.items()}, variable, kind)
    array, found["variable"] = arrays[name], name
    if kind == "cube" and array.ndim == 3:
        array, found["layout"] = bands_last(array, name)
    return Contents(path, array, provenance=found)


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


def _flattened(arrays: dict[str, npt.NDArray[Any]]) -> str | None:
    """Name the only variable (B, nRow × nCol), where the file states both sizes."""
    sizes = [arrays[key] for key in ("nRow", "nCol") if key in arrays and arrays[key].size == 1]
    if len(sizes) != 2:
        return None
    pixels = int(sizes[0].item()) * int(sizes[1].item())
    fitting = [name for name, a in arrays.items() if a.ndim == 2 and a.shape[1] == pixels > 1]
    return fitting[0] if len(fitting) == 1 else None
