"""EMIT: NetCDF-4 of `reflectance` or `radiance`, with `sensor_band_parameters`.

The rows and columns are those of the sensor; the grid on the ground (`location/glt_x`, `glt_y`) is
another, so that the scene has no georeference here.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hsi.formats.contents import Contents
from hsi.formats.hdf5.cube import Hdf5Cube
from hsi.formats.lazy import tell_pieces

CUBES = ("reflectance", "radiance")
CENTRES = "sensor_band_parameters/wavelengths"
GOOD = "sensor_band_parameters/good_wavelengths"


def recognised(file: Any, variable: str | None) -> bool:
    """Return whether a file is one of EMIT and its cube is asked for."""
    cubes = [name for name in CUBES if name in file]
    asked = variable is None or variable.strip("/") in cubes
    return CENTRES in file and bool(cubes) and asked


def read(path: Path, file: Any, variable: str | None) -> Contents:
    """Return the cube; wavelengths are in nanometres, bands that are not 'good' are bad."""
    name = variable or next(name for name in CUBES if name in file)
    dataset = file[name]
    fill = np.ravel(dataset.attrs.get("_FillValue", np.array([-9999.0])))
    cube = Hdf5Cube(path, dataset)
    tell_pieces(str(path), cube)
    return Contents(
        path,
        cube,
        np.asarray(file[CENTRES][()], np.float64),
        np.asarray(file[GOOD][()]) == 0 if GOOD in file else None,
        ignore_value=float(fill[0]),
        provenance={
            "format": "NetCDF-4",
            "product": "EMIT",
            "variable": name,
            "grid": "the sensor's own, not orthorectified",
        },
    )
