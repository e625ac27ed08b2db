"""The georeference of a NetCDF grid by the CF conventions: grid mapping and even coordinates."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.formats.hdf5.attributes import text
from hsi.formats.hdf5.cube import whole

log = logging.getLogger(__name__)

_ACROSS = ("x", "lon", "longitude", "easting")
_DOWN = ("y", "lat", "latitude", "northing")
# What tells the shape of the earth, of a grid mapping's parameters.
_ELLIPSOID = {
    "earth_radius", "geographic_crs_name", "horizontal_datum_name", "inverse_flattening",
    "reference_ellipsoid_name", "semi_major_axis", "semi_minor_axis",
}  # fmt: skip
EVEN = 1e-3  # of a step: by how much coordinates may stray, as float32 does


def georeference(dataset: Any, axes: tuple[int, ...]) -> dict[str, Any] | None:
    """Return `crs` and `transform` of a dataset, or None unless both are stated.

    Parameters
    ----------
    dataset : h5py.Dataset
    axes : tuple of int
        Its axes as rows, columns and bands; none for no image.
    """
    if not axes:
        return None
    mapping = text(dataset.attrs.get("grid_mapping"))
    found = dataset.parent.get(mapping) if mapping else None
    found = dataset.file.get(mapping) if mapping and found is None else found
    if found is None:
        return None
    rows, columns = (_coordinates(dataset, axis) for axis in axes[:2])
    return place(found.attrs, rows, columns)


def columns_first(dataset: Any, axes: tuple[int, ...]) -> bool:
    """Return whether the first of a dataset's two image axes counts columns; see `turned`."""
    if not axes:
        return False
    told = all(_coordinates(dataset, axis) is not None for axis in axes[:2])
    return turned(dataset.name, [_axis_name(dataset, axis) for axis in axes[:2]], told)


def turned(what: str, names: Sequence[str], told: bool) -> bool:
    """Return whether columns come before rows, by the names of an image's axes, and say so.

    Parameters
    ----------
    what : str
        Begins the message.
    names : sequence of str
        Of the first and the second axis.
    told : bool
        Whether both have coordinates. Without, the names do not decide: many an array of rows and
        columns has been called x, y.
    """
    first, second = (name.rpartition("/")[2].lower() for name in names)
    if first not in _ACROSS or second not in _DOWN:
        return False
    if told:
        log.warning(
            "%s: its axes are %s and %s in this order; it is turned, so that %s runs down",
            what, first, second, second,
        )  # fmt: skip
    else:
        log.warning(
            "%s: its axes are %s and %s in this order, without coordinates; they are taken as rows "
            "and columns; if the image is mirrored, write it with %s first",
            what, first, second, second,
        )  # fmt: skip
    return told


def image_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of rows and columns among others of one entry; none where that is no image.

    Examples
    --------
    >>> image_axes((1, 30, 24)), image_axes((1, 24)), image_axes((2, 30, 24))
    ((1, 2), (0, 1), ())
    """
    if len(shape) == 2:
        return (0, 1)
    axes = tuple(axis for axis, length in enumerate(shape) if length > 1)
    return axes if len(axes) == 2 else ()


def place(
    mapping: Mapping[str, Any],
    rows: npt.NDArray[np.float64] | None,
    columns: npt.NDArray[np.float64] | None,
) -> dict[str, Any] | None:
    """Return `crs` and `transform` of a grid mapping, or None unless both are stated.

    Parameters
    ----------
    mapping : mapping
        Its attributes.
    rows, columns : ndarray (H,), (W,), optional
        Coordinates of the pixels' centres, in the order in which the file holds them.
    """
    crs = next((text(mapping[key]) for key in ("crs_wkt", "spatial_ref") if key in mapping), "")
    crs = crs or _by_parameters(mapping)
    listed = mapping.get("GeoTransform")  # a text, or six numbers
    stated = text(listed).split() or np.ravel([] if listed is None else listed).tolist()
    transform = _by_coordinates(rows, columns)
    if len(stated) == 6:  # in GDAL's order
        left, across, shear_x, top, shear_y, down = (float(value) for value in stated)
        as_stated = (across, shear_x, left, shear_y, down, top)
        if transform is None or rows is None or not _turned(as_stated, transform, rows.size):
            transform = as_stated
    return {"crs": crs, "transform": transform} if crs and transform else None


def _by_parameters(mapping: Mapping[str, Any]) -> str:
    """Return the coordinate system that a grid mapping's parameters state; '' without, and why."""
    stated = {key: _plain(value) for key, value in mapping.items()}
    name = stated.get("grid_mapping_name")
    if not name:
        log.warning("the grid mapping has no crs_wkt and no name, so the place is left out")
        return ""
    try:
        from pyproj import CRS
        from pyproj.exceptions import CRSError
    except ImportError:
        log.warning(
            "the grid mapping %s has no crs_wkt, so the place is left out; its parameters need "
            "pyproj: pip install 'restore-hsi[geotiff]'",
            name,
        )
        return ""
    try:
        if name != "latitude_longitude" and not any("longitude" in key for key in stated):
            raise ValueError("it states no longitude")  # pyproj would take 0
        found = str(CRS.from_cf(stated).to_wkt())
    except (CRSError, KeyError, TypeError, ValueError) as error:
        log.warning(
            "the grid mapping %s has no crs_wkt and is not understood (%s), so the place is left "
            "out; add crs_wkt",
            name, why(error, whole=True),
        )  # fmt: skip
        return ""
    if not _ELLIPSOID & stated.keys():
        log.warning("the grid mapping %s states no ellipsoid; that of WGS 84 is taken", name)
    return found


def _plain(value: Any) -> Any:
    """Return an attribute as a text, a number or a list of numbers."""
    if isinstance(value, bytes | str):
        return text(value)
    numbers = np.ravel(value).tolist()
    return numbers[0] if len(numbers) == 1 else numbers


def _by_coordinates(
    rows: npt.NDArray[np.float64] | None, columns: npt.NDArray[np.float64] | None
) -> tuple[float, ...] | None:
    """Return the transform that even coordinates tell, or None."""
    y_step, x_step = _even(rows), _even(columns)
    if y_step is None or x_step is None:
        return None
    (y, down), (x, across) = y_step, x_step
    return (across, 0.0, x - across / 2, 0.0, down, y - down / 2)


def _turned(stated: tuple[float, ...], told: tuple[float, ...], rows: int) -> bool:
    """Return whether two transforms of a grid without shear put its rows in opposite order.

    GDAL writes the lowest row first, with its coordinates, beside the transform of the upright
    image.
    """
    _, shear_x, _, shear_y, down, top = stated
    upright = shear_x == shear_y == 0 and down * told[4] < 0
    return upright and abs(top + down * rows - told[5]) < abs(down) / 2


def _axis_name(dataset: Any, axis: int) -> str:
    dimension = dataset.dims[axis]
    return str(dimension[0].name if len(dimension) else dimension.label)


def _coordinates(dataset: Any, axis: int) -> npt.NDArray[np.float64] | None:
    """Return the coordinates of an axis, or None if it has none."""
    dimension = dataset.dims[axis]
    if not len(dimension):
        return None
    values = np.asarray(whole(dimension[0]), np.float64)
    return values if values.shape == (dataset.shape[axis],) else None


def _even(values: npt.NDArray[np.float64] | None) -> tuple[float, float] | None:
    """Return first coordinate and step of an axis, or None if it has none, or uneven ones."""
    if values is None or values.size < 2:
        return None
    step = (values[-1] - values[0]) / (values.size - 1)
    even = values[0] + step * np.arange(values.size)
    strays = np.abs(values - even).max() > EVEN * abs(step)
    return None if strays else (float(values[0]), float(step))
