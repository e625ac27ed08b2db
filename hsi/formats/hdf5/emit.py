"""EMIT: NetCDF-4 of `reflectance` or `radiance`, with `sensor_band_parameters`.

The rows and columns are those of the sensor; the grid on the ground (`location/glt_x`, `glt_y`) is
another, so that the scene has no georeference here.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hsi.formats import no_data
from hsi.formats.contents import Contents
from hsi.formats.hdf5 import attributes
from hsi.formats.hdf5.cube import Hdf5Cube, whole
from hsi.formats.lazy import tell_pieces

CUBES = ("reflectance", "radiance")
CENTRES = "sensor_band_parameters/wavelengths"
WIDTHS = "sensor_band_parameters/fwhm"
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
    ignored = attributes.ignored(path, dataset) or (-9999.0,)
    cube = Hdf5Cube(path, dataset)
    tell_pieces(str(path), cube)
    bad = np.asarray(whole(file[GOOD])) == 0 if GOOD in file else None
    first, mask = no_data.first_and_mask(ignored, cube, bad_bands=bad)
    centres = np.asarray(whole(file[CENTRES]), np.float64)
    others = [key for key in file if key not in (*CUBES, "sensor_band_parameters")]
    return Contents(
        path,
        cube,
        centres,
        bad,
        ignore_value=first,
        mask=mask,
        fwhm=np.asarray(whole(file[WIDTHS]), np.float64) if WIDTHS in file else None,
        left_out=(f"groups {', '.join(others)}",) if others else (),
        provenance={
            "format": "NetCDF-4",
            "product": "EMIT",
            "variable": name,
            "grid": "the sensor's own, not orthorectified",
        },
    )
