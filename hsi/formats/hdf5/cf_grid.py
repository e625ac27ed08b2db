"""The georeference of a NetCDF grid by the CF conventions: grid mapping and even coordinates."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats.hdf5.attributes import text
from hsi.formats.hdf5.cube import whole

EVEN = 1e-3  # of a step: by how much coordinates may stray, as float32 does


def georeference(dataset: Any, axes: tuple[int, ...]) -> dict[str, Any] | None:
    """Return `crs` and `transform` of a dataset, or None unless both are stated.

    Parameters
    ----------
    dataset : h5py.Dataset
    axes : tuple of int
        Its axes as rows, columns and bands.
    """
    mapping = text(dataset.attrs.get("grid_mapping"))
    found = dataset.parent.get(mapping) if mapping else None
    found = dataset.file.get(mapping) if mapping and found is None else found
    if found is None:
        return None
    rows, columns = (_coordinates(dataset, axis) for axis in axes[:2])
    return place(found.attrs, rows, columns)


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
        Coordinates of the pixels' centres.
    """
    crs = next((text(mapping[key]) for key in ("crs_wkt", "spatial_ref") if key in mapping), "")
    listed = mapping.get("GeoTransform")  # a text, or six numbers
    stated = text(listed).split() or np.ravel([] if listed is None else listed).tolist()
    if len(stated) == 6:  # in GDAL's order
        left, across, shear_x, top, shear_y, down = (float(value) for value in stated)
        transform: tuple[float, ...] | None = (across, shear_x, left, shear_y, down, top)
    else:
        y_step, x_step = _even(rows), _even(columns)
        transform = None
        if y_step is not None and x_step is not None:
            (y, down), (x, across) = y_step, x_step
            transform = (across, 0.0, x - across / 2, 0.0, down, y - down / 2)
    return {"crs": crs, "transform": transform} if crs and transform else None


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
