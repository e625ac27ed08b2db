"""Zarr stores through zarr, an optional dependency: a cube of named or unnamed axes.

Axes are named as Zarr 3 and xarray name them; wavelengths, place, scale and no data are stated as
in NetCDF, whose conventions xarray follows. A cube is read when it is sliced.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from engine.memory import admit
from hsi.errors import HsiError
from hsi.formats import centres, no_data
from hsi.formats.contents import LAYOUTS, Contents, Kind, band_axis, beside, choose, squeezed
from hsi.formats.hdf5 import attributes, cf_grid
from hsi.formats.hdf5.cube import axes_kept, axes_of
from hsi.formats.lazy import LazyCube, tell_pieces

SUFFIX = ".zarr"
METADATA = ("zarr.json", ".zarray", ".zgroup")
BAND_WORDS = ("band", "wavelength", "spectral", "channel", "lambda")


class ZarrCube(LazyCube):
    """An array of three axes that stays in its store, whose bands may be any of them.

    Parameters
    ----------
    path : Path
        For messages.
    array : zarr.Array
        Axes of length one beside three others are passed over.
    axis : int
        That of the bands, among the three.
    turned : bool
        The other two are columns and rows.
    """

    def __init__(self, path: Path, array: Any, axis: int, turned: bool = False) -> None:
        self.path, self.array, self.kept = path, array, axes_kept(array.shape)
        self.axes = axes_of(self.kept, axis, turned)
        rows, columns, bands = (array.shape[place] for place in self.axes)
        pieces = getattr(array, "shards", None) or array.chunks
        super().__init__((rows, columns, bands), array.dtype, pieces[self.axes[0]])

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        key: list[slice | int] = [0] * len(self.array.shape)
        for place, span in zip(self.axes, (rows, columns, bands), strict=True):
            key[place] = span
        try:
            block: npt.NDArray[Any] = np.asarray(self.array[tuple(key)])
        except Exception as error:  # codecs raise whatever they like
            raise HsiError(
                f"{self.path}: {self.array.name} cannot be read ({why(error, whole=True)}); copy "
                "the store again"
            ) from error
        return np.transpose(block, [self.kept.index(place) for place in self.axes])


def is_store(path: Path) -> bool:
    """Return whether a folder is a Zarr array or group."""
    return any((path / name).is_file() for name in METADATA)


def files(path: Path) -> list[Path]:
    """Return all files of a store."""
    return sorted(file for file in path.rglob("*") if file.is_file())


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Open a cube, or read labels, of a Zarr store.

    Parameters
    ----------
    path : Path
    variable : str, optional
        An array, as a path inside the store; else the only one that fits.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        zarr is not installed; no array that fits, or several.
    """
    try:
        import zarr
    except ImportError:
        raise HsiError(
            f"{path}: a Zarr store needs the zarr package: pip install 'restore-hsi[zarr]'"
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of further files in the store
        root = zarr.open(store=str(path), mode="r")
        members = [("", root)] if isinstance(root, zarr.Array) else root.members(max_depth=None)
        arrays = {name: item for name, item in members if isinstance(item, zarr.Array)}
    numeric = {n: a for n, a in arrays.items() if a.dtype.kind in "uif" and a.ndim}
    wanted = None if variable is None else variable.strip("/")
    name = choose(path, {key: item.shape for key, item in numeric.items()}, wanted, kind)
    array = numeric[name]
    found: dict[str, Any] = {"format": f"Zarr {array.metadata.zarr_format}"}
    found |= {"variable": name} if name else {}
    ignored = _ignored(path, array)
    if kind == "labels":
        values = _whole(array).reshape(squeezed(array.shape, 2))
        values = no_data.unlabelled(path, values, ignored) if values.ndim == 2 else values
        image = cf_grid.image_axes(array.shape)
        if _columns_first(arrays, name, image):
            values, image = values.T, image[::-1]
        place = _georeference(arrays, name, image)
        return Contents(path, values, georeference=place, provenance=found)
    if len(squeezed(array.shape, 3)) != 3:
        return Contents(path, _whole(array), provenance=found)
    return _cube(path, root, arrays, name, ignored, found)


def _whole(array: Any) -> npt.NDArray[Any]:
    """Return all values of an array; refuse one that memory cannot hold."""
    admit(array.size * array.dtype.itemsize, None, HsiError)
    return np.asarray(array[...])


def _cube(
    path: Path,
    root: Any,
    arrays: Mapping[str, Any],
    name: str,
    ignored: tuple[float, ...],
    found: dict[str, Any],
) -> Contents:
    array = arrays[name]
    kept = axes_kept(array.shape)
    shape = tuple(array.shape[place] for place in kept)
    lists = [
        attributes.listed(key, _Listable(item)) for key, item in arrays.items() if item.ndim == 1
    ]
    lists += _in_attributes(array, name) + _in_attributes(root, "") * bool(name)
    axis = _stated_band_axis(array, kept)
    listed = centres.find(lists, shape if axis is None else [shape[axis]], name)
    if axis is None:
        own = name.rpartition("/")[2]
        axis = band_axis(shape, own, None if listed is None else listed.size)
    found["layout"] = LAYOUTS[axis]
    cube = ZarrCube(path, array, axis, _columns_first(arrays, name, axes_of(kept, axis)[:2]))
    tell_pieces(str(path), cube)
    bands = cube.shape[2]
    wide = centres.find_widths(lists, bands, name)
    wavelengths = centres.in_nanometres(listed, bands, f"{path}: wavelengths")
    gain, offset = attributes.scale_and_offset(path, _Listable(array), bands)
    first, mask = no_data.first_and_mask(ignored, cube)
    used = [name, *(item.name for item in (listed, wide) if item is not None)]
    place = _georeference(arrays, name, cube.axes[:2])
    coordinates = [key for key, item in arrays.items() if item.ndim < 2 and place is not None]
    return Contents(
        path,
        cube,
        wavelengths,
        georeference=place,
        ignore_value=first,
        scale=gain,
        offset=offset,
        provenance=found,
        fwhm=centres.widths_in_nanometres(wide, listed, wavelengths),
        mask=mask,
        left_out=beside(list(arrays), [*used, *coordinates]),
    )


class _Listable:
    """An array of Zarr with the attributes and slices that one of HDF5 has."""

    is_virtual = True  # no size of one file bounds what its pieces hold

    def __init__(self, array: Any) -> None:
        self.array, self.attrs = array, array.attrs.asdict()
        self.size, self.name, self.dtype = array.size, array.name, array.dtype

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        return np.asarray(self.array[...])


def _in_attributes(holder: Any, name: str) -> list[centres.Listed]:
    known = holder.attrs.asdict()
    units = attributes.UNITS
    unit = next((str(v) for k, v in known.items() if k.lower().replace("_", "") in units), None)
    return [
        centres.of_array(f"{name}/{key}".strip("/"), np.asarray(value), unit)
        for key, value in known.items()
        if isinstance(value, list) and centres.tells(key)
    ]


def _names(array: Any) -> list[str]:
    listed = getattr(array.metadata, "dimension_names", None)
    listed = listed or array.attrs.asdict().get("_ARRAY_DIMENSIONS") or [""] * array.ndim
    return [str(name or "") for name in listed]


def _stated_band_axis(array: Any, kept: list[int]) -> int | None:
    """Return the axis of the bands, among those kept, that is named as one."""
    names = _names(array)
    for number, place in enumerate(kept):
        if place < len(names) and any(word in names[place].lower() for word in BAND_WORDS):
            return number
    return None


def _ignored(path: Path, array: Any) -> tuple[float, ...]:
    """Return the values that stand for no data: of attributes, or xarray's fill value."""
    known = array.attrs.asdict()
    stated = no_data.stated(known, str(path))
    if not stated and "_ARRAY_DIMENSIONS" in known and array.metadata.zarr_format == 2:
        fill = array.metadata.fill_value
        stated = () if fill is None else no_data.values(fill, str(path))
    return stated


def _georeference(
    arrays: Mapping[str, Any], name: str, image: tuple[int, ...]
) -> dict[str, Any] | None:
    """Return the place by a CF grid mapping, as rioxarray writes it.

    `image` names the axes of rows and columns; none for no image.
    """
    array, folder = arrays[name], name.rpartition("/")[0]
    known = array.attrs.asdict()
    mapping = arrays.get(f"{folder}/{known.get('grid_mapping', 'spatial_ref')}".strip("/"))
    if mapping is None or not image:
        return None
    rows, columns = _coordinates(arrays, name, image)
    return cf_grid.place(mapping.attrs.asdict(), rows, columns)


def _columns_first(arrays: Mapping[str, Any], name: str, image: tuple[int, ...]) -> bool:
    """Return whether the first of the two image axes counts columns; see `cf_grid.turned`."""
    names = _names(arrays[name])
    if not image or max(image) >= len(names):
        return False
    told = all(side is not None for side in _coordinates(arrays, name, image))
    return cf_grid.turned(name or "the array", [names[axis] for axis in image], told)


def _coordinates(
    arrays: Mapping[str, Any], name: str, image: tuple[int, ...]
) -> list[npt.NDArray[np.float64] | None]:
    """Return the coordinates of the axes of an image, None for one that has none."""
    names, folder = _names(arrays[name]), name.rpartition("/")[0]
    found: list[npt.NDArray[np.float64] | None] = []
    for axis in image:
        listed = arrays.get(f"{folder}/{names[axis]}".strip("/")) if axis < len(names) else None
        fits = listed is not None and listed.shape == (arrays[name].shape[axis],)
        found.append(np.asarray(listed[...], np.float64) if listed is not None and fits else None)
    return found
