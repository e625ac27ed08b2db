"""Classic NetCDF (version 3), through SciPy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import parsing
from hsi.errors import HsiError
from hsi.formats import centres, no_data
from hsi.formats.contents import (
    LAYOUTS,
    Contents,
    Kind,
    bands_last,
    beside,
    choose,
    layout_name,
    squeezed,
)
from hsi.formats.hdf5 import cf_grid
from hsi.formats.hdf5.attributes import text
from hsi.formats.hdf5.cube import axes_kept, axes_of
from hsi.formats.units import decoded


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

    expected = "expected a whole NetCDF file"
    remedy = "convert it to NetCDF-4 (nccopy -k nc4)"
    with (
        parsing(path, expected, HsiError, remedy),
        netcdf_file(str(path), "r", mmap=False) as file,
    ):
        shapes = {
            name: item.shape
            for name, item in file.variables.items()
            if item.data.dtype.kind in "uif" and item.shape
        }
        name = choose(path, shapes, variable, kind)
        stated = vars(file.variables[name])["_attributes"]
        array = np.array(file.variables[name].data)
        array = array.astype(array.dtype.newbyteorder("="))
        lists = [
            centres.of_array(key, np.array(item.data, np.float64), _unit(item))
            for key, item in file.variables.items()
            if len(item.shape) == 1 and item.data.dtype.kind in "uif"
        ]
        names = list(file.variables)
        mapped = file.variables.get(text(stated.get("grid_mapping")))
        mapping = None if mapped is None else dict(vars(mapped)["_attributes"])
        dimensions = file.variables[name].dimensions
        sides = [
            np.array(file.variables[side].data, np.float64) if side in file.variables else None
            for side in dimensions
        ]
    found: dict[str, Any] = {"format": "NetCDF-3", "variable": name}
    ignored = no_data.stated(stated, str(path))
    if kind == "labels":
        array = array.reshape(squeezed(array.shape, 2))
        array = no_data.unlabelled(path, array, ignored) if array.ndim == 2 else array
        image = cf_grid.image_axes(shapes[name])
        if _columns_first(name, dimensions, sides, image):
            array, image = array.T, image[::-1]
        place = _georeference(mapping, sides, image)
        return Contents(path, array, georeference=place, provenance=found)
    array = array.reshape(squeezed(array.shape, 3))
    if array.ndim != 3:
        return Contents(path, array, provenance=found)
    listed = centres.find(lists, array.shape)
    cube, found["layout"] = bands_last(
        array, layout_name(path, name), None if listed is None else listed.size
    )
    bands = cube.shape[2]
    wavelengths = centres.in_nanometres(listed, bands, f"{path}: wavelengths")
    wide = centres.find_widths(lists, bands)
    gain, offset = (
        no_data.values(stated.get(key, ()), key) for key in ("scale_factor", "add_offset")
    )
    image = axes_of(axes_kept(shapes[name]), LAYOUTS.index(found["layout"]))[:2]
    if _columns_first(name, dimensions, sides, image):
        cube, image = cube.swapaxes(0, 1), image[::-1]
    first, mask = no_data.first_and_mask(ignored, cube)
    used = [name, *(item.name for item in (listed, wide) if item is not None)]
    return Contents(
        path,
        cube,
        wavelengths,
        georeference=_georeference(mapping, sides, image),
        ignore_value=first,
        mask=mask,
        fwhm=centres.widths_in_nanometres(wide, listed, wavelengths),
        scale=np.full(bands, float(gain[0])) if gain and gain[0] != 1 else None,
        offset=np.full(bands, float(offset[0])) if offset and offset[0] != 0 else None,
        provenance=found,
        left_out=beside(names, used),
    )


def _columns_first(
    name: str, names: Sequence[str], sides: list[Any], image: tuple[int, ...]
) -> bool:
    """Return whether the first of the two image axes counts columns; see `cf_grid.turned`."""
    told = all(sides[axis] is not None for axis in image)
    return bool(image) and cf_grid.turned(name, [names[axis] for axis in image], told)


def _georeference(
    mapping: dict[str, Any] | None, sides: list[Any], image: tuple[int, ...]
) -> dict[str, Any] | None:
    """Return the place by a CF grid mapping; `sides` are the coordinates of each axis."""
    if mapping is None or not image:
        return None
    return cf_grid.place(mapping, sides[image[0]], sides[image[1]])


def _unit(variable: Any) -> str | None:
    stated = getattr(variable, "units", None)
    return decoded(stated) if isinstance(stated, bytes) else stated
