"""HDF5 and NetCDF-4 (which is HDF5) through h5py; a cube is read when it is sliced."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.contents import (
    LAYOUTS,
    WAVELENGTH_NAMES,
    Contents,
    Kind,
    band_axis,
    band_centres,
    choose,
)
from hsi.formats.hdf5 import cf_grid, emit, prisma
from hsi.formats.hdf5.cube import Hdf5Cube
from hsi.formats.hdf5.netcdf3 import is_netcdf3, read_netcdf3
from hsi.formats.lazy import CACHE_BYTES, tell_pieces

# Products that are recognised: (is it one?, read it).
PRODUCTS = {"EMIT": (emit.recognised, emit.read), "PRISMA": (prisma.recognised, prisma.read)}
CACHE_SLOTS = 10007  # a prime far above the number of chunks that the cache holds
BAND_WORDS = ("band", "wavelength", "spectral", "channel", "lambda")


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Open a cube, or read labels, of an HDF5 or NetCDF file.

    Parameters
    ----------
    path : Path
    variable : str, optional
        A dataset, as a path inside the file; else the only one that fits. EMIT's and PRISMA's
        products are recognised.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        No such file, cut short; no dataset that fits, or several.
    """
    import h5py

    if is_netcdf3(path):
        return read_netcdf3(path, variable, kind)
    try:
        file = h5py.File(path, "r", rdcc_nbytes=CACHE_BYTES, rdcc_nslots=CACHE_SLOTS)
    except OSError as error:
        reason = why(error, whole=True)
        raise HsiError(
            f"{path}: expected a whole HDF5 or NetCDF file, found something else or a file cut "
            f"short ({reason}); fetch it again"
        ) from error
    if kind == "cube":
        for recognised, read_product in PRODUCTS.values():
            if recognised(file, variable):
                return read_product(path, file, variable)
    datasets = _datasets(file)
    wanted = None if variable is None else variable.strip("/")
    name = choose(path, {key: item.shape for key, item in datasets.items()}, wanted, kind)
    dataset = datasets[name]
    found: dict[str, Any] = {"format": _format(path, file), "variable": name}
    ignored = _attribute(dataset, "_FillValue", "missing_value")
    if kind == "labels":
        array = dataset[()]
        if ignored is not None and ignored != 0:
            array = np.where(array == ignored, array.dtype.type(0), array)
        return Contents(path, array, provenance=found)
    if dataset.ndim != 3:
        return Contents(path, dataset[()], provenance=found)
    listed = _listed_centres(datasets, name, dataset.shape)
    axis = _band_axis(dataset, name, None if listed is None else listed.size)
    found["layout"] = LAYOUTS[axis]
    cube = Hdf5Cube(path, dataset, axis)
    tell_pieces(str(path), cube)
    gain, offset = _attribute(dataset, "scale_factor"), _attribute(dataset, "add_offset")
    bands = cube.shape[2]
    return Contents(
        path,
        cube,
        band_centres(listed, bands),
        georeference=cf_grid.georeference(dataset, cube.axes),
        ignore_value=ignored,
        scale=None if gain in (None, 1) else np.full(bands, gain),
        offset=None if offset in (None, 0) else np.full(bands, offset),
        provenance=found,
    )


def _datasets(file: Any) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "uif" and item.ndim:
            found[name] = item

    file.visititems(keep)
    return found


def _format(path: Path, file: Any) -> str:
    return "NetCDF-4" if path.suffix.lower() == ".nc" or "_NCProperties" in file.attrs else "HDF5"


def _attribute(dataset: Any, *names: str) -> float | None:
    for name in names:
        value = np.ravel(dataset.attrs[name]) if name in dataset.attrs else np.empty(0)
        if value.size and value.dtype.kind in "uif":
            return float(value[0])
    return None


def _listed_centres(
    datasets: dict[str, Any], name: str, shape: tuple[int, ...]
) -> npt.NDArray[Any] | None:
    """Return a list of band centres, the one nearest to the cube first."""
    folder = name.rpartition("/")[0]
    fitting = [
        key
        for key, item in datasets.items()
        if key.rpartition("/")[2].lower() in WAVELENGTH_NAMES
        and item.ndim == 1
        and item.size in shape
    ]
    fitting.sort(key=lambda key: key.rpartition("/")[0] != folder)
    return np.asarray(datasets[fitting[0]][()]) if fitting else None


def _band_axis(dataset: Any, name: str, bands: int | None) -> int:
    for axis, dimension in enumerate(dataset.dims):
        scale = dimension[0].name if len(dimension) else ""
        words = f"{dimension.label} {scale}".lower()
        if any(word in words for word in BAND_WORDS):
            return axis
    return band_axis(dataset.shape, name.rpartition("/")[2], bands)
