"""Classic NetCDF (version 3), through SciPy."""

from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import HsiError
from hsi.formats.contents import WAVELENGTH_NAMES, Contents, Kind, band_centres, bands_last, choose


def is_netcdf3(path: Path) -> bool:
    """Return whether a file is classic NetCDF, by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) in (b"CDF\x01", b"CDF\x02", b"CDF\x05")


def read_netcdf3(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Return a cube or labels; the variable is read whole.

    Raises
    ------
    HsiError
        A file cut short, of 64-bit data (version 5), or without a variable that fits.
    """
    from scipy.io import netcdf_file

    try:
        with netcdf_file(str(path), "r", mmap=False) as file:
            shapes = {
                name: item.shape
                for name, item in file.variables.items()
                if item.data.dtype.kind in "uif" and item.shape
            }
            name = choose(path, shapes, variable, kind)
            array = np.array(file.variables[name].data)
            array = array.astype(array.dtype.newbyteorder("="))
            fill: Any = getattr(file.variables[name], "_FillValue", None)
            listed = next(
                (
                    np.array(item.data, np.float64)
                    for key, item in file.variables.items()
                    if key.lower() in WAVELENGTH_NAMES and item.shape
                ),
                None,
            )
    except (OSError, ValueError, TypeError, IndexError, KeyError) as error:
        raise HsiError(
            f"{path}: expected a whole NetCDF file ({error or 'cut short'}); convert it to "
            "NetCDF-4 (nccopy -k nc4)"
        ) from error
    found: dict[str, Any] = {"format": "NetCDF-3", "variable": name}
    ignored = None if fill is None else float(np.ravel(fill)[0])
    if kind == "labels" or array.ndim != 3:
        if ignored is not None and ignored != 0:
            array = np.where(array == ignored, array.dtype.type(0), array)
        return Contents(path, array, provenance=found)
    cube, found["layout"] = bands_last(array, name, None if listed is None else listed.size)
    return Contents(
        path, cube, band_centres(listed, cube.shape[2]), ignore_value=ignored, provenance=found
    )
