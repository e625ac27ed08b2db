"""What attributes of HDF5 say about a cube: no data, scale, units, the names of its axes."""

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats import no_data
from hsi.formats.centres import Listed, of_array
from hsi.formats.hdf5.cube import whole
from hsi.formats.units import decoded

log = logging.getLogger(__name__)

SCALES = ("scalefactor", "scale", "slope", "gain", "reflectancescalefactor")
OFFSETS = ("addoffset", "offset", "intercept")
UNITS = ("units", "unit", "wavelengthunits", "wavelengthunit")
# A factor of this name, above one, is what reflectance was multiplied by (NEON: 10000).
DIVISORS = ("scalefactor", "reflectancescalefactor")
# What NetCDF notes for itself, and names in words.
STRUCTURE = (
    "dimensionlist", "class", "name", "netcdf4dimid", "netcdf4coordinates", "coordinates",
    "gridmapping", "longname", "standardname", "dimensionlabels", "referencelist",
)  # fmt: skip
CENTRE_WORDS = ("radiation_wavelength", "sensor_band_central_radiation_wavelength")


def text(value: Any) -> str:
    """Return an attribute's text, or '' where it is none."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    if isinstance(value, bytes):
        value = decoded(value)
    return str(value).strip("\0 ") if isinstance(value, str) else ""


def ignored(path: Path, dataset: Any) -> tuple[float, ...]:
    """Return the values that stand for no data: of attributes, of the folders', or HDF5's own."""
    found = no_data.stated(dict(dataset.attrs), str(path))
    holder = dataset.parent
    while not found and holder is not None:
        found = no_data.stated(dict(holder.attrs), str(path))
        holder = None if holder.name == "/" else holder.parent
    return found or _fill_value(dataset)


def scale_and_offset(
    path: Path, dataset: Any, bands: int
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None]:
    """Return factors and offsets (B,): physical = factor × stored + offset.

    None where they say nothing. `Scale_Factor` = 10000, as NEON writes it, is what the values were
    multiplied by. A list of another length is logged and left out.
    """
    gain, name = _numbers(path, dataset, SCALES, bands)
    offset, _ = _numbers(path, dataset, OFFSETS, bands)
    written = next((key for key in dataset.attrs if _word(key) == name), "")
    if gain is not None and name in DIVISORS and written != "scale_factor" and (gain > 1).all():
        gain = 1 / gain
    return (
        None if gain is None or (gain == 1).all() or not gain.all() else gain,
        None if offset is None or not offset.any() else offset,
    )


def listed(name: str, dataset: Any) -> Listed:
    """Return a dataset of one axis, others of length one aside, as a list with its unit."""
    unit = next((text(value) for key, value in dataset.attrs.items() if _word(key) in UNITS), "")
    return Listed(name, dataset.size, lambda: np.ravel(whole(dataset)), unit or None)


def listed_texts(name: str, dataset: Any) -> Listed | None:
    """Return a dataset of texts as a list of numbers, or None if one of them is no number."""
    values = _as_numbers(np.ravel(whole(dataset)))
    unit = next((text(value) for key, value in dataset.attrs.items() if _word(key) in UNITS), "")
    return None if values is None else Listed(name, values.size, lambda: values, unit or None)


def listed_in(dataset: Any) -> list[Listed]:
    """Return the lists of numbers in the attributes of a dataset and of the folders above it."""
    found = []
    holder = dataset
    while holder is not None:
        unit = next((text(value) for key, value in holder.attrs.items() if _word(key) in UNITS), "")
        for key, value in holder.attrs.items():
            array = np.ravel(value)
            numbers = array if array.dtype.kind in "uif" else _as_numbers(array)
            if numbers is not None and numbers.size > 1:
                name = f"{holder.name.strip('/')}/{key}".strip("/")
                found.append(of_array(name, np.asarray(numbers), unit or None))
        holder = None if holder.name == "/" else holder.parent
    return found


def _as_numbers(array: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Return texts as numbers, or None where one is none."""
    try:
        return np.array([float(text(value)) for value in array], np.float64)
    except ValueError:
        return None


def is_centres(dataset: Any) -> bool:
    """Return whether a dataset's `standard_name` says that it lists band centres (CF)."""
    return text(dataset.attrs.get("standard_name")) in CENTRE_WORDS


def not_understood(dataset: Any) -> list[str]:
    """Return the names of a dataset's attributes that say something about its values."""
    words = (*SCALES, *OFFSETS, *UNITS, *no_data.WORDS)
    known = (*words, *STRUCTURE)
    return [key for key in dataset.attrs if _word(key).strip("_") not in known]


def _numbers(
    path: Path, dataset: Any, words: tuple[str, ...], bands: int
) -> tuple[npt.NDArray[np.float64] | None, str]:
    """Return the numbers of the first attribute called as one of some words, and that word."""
    for word in words:
        for key, value in dataset.attrs.items():
            found = no_data.values(value, f"{path}: {key}") if _word(key) == word else ()
            if len(found) == 1 or (found and len(found) == bands):
                return np.full(bands, np.array(found, np.float64)), word
            if found:
                log.warning(
                    "%s: %s: expected one number, or one per band (%d), found %d; left out",
                    path, key, bands, len(found),
                )  # fmt: skip
    return None, ""


def _word(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name.lower())


def _fill_value(dataset: Any) -> tuple[float, ...]:
    """Return HDF5's fill value, if whoever wrote the file chose one."""
    import h5py

    stated = dataset.id.get_create_plist().fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED
    # NetCDF fills bytes with a value that its conventions do not count as missing.
    if not stated or (dataset.dtype.itemsize == 1 and "_NCProperties" in dataset.file.attrs):
        return ()
    return no_data.values(dataset.fillvalue, dataset.name)
