"""Which arrays of a Zarr store are images, and which of their axes are rows and columns.

OME-Zarr 0.1 to 0.5 [1]_ names both in the attributes of a group: the first array of `multiscales`
is the image, further ones are reduced copies; arrays below `labels` are masks. A plain store counts
where it holds one array of two axes or more; xarray and Zarr 3 name the axes.

.. [1] https://ngff.openmicroscopy.org/latest/
"""

import base64
import binascii
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UserError, why
from restore.errors import RestoreError
from restore.images import gaps

SUFFIX = ".zarr"
METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
ROWS = ("y", "row", "rows", "lat", "latitude", "northing")
COLUMNS = ("x", "col", "cols", "column", "columns", "lon", "longitude", "easting")
LISTED = 8  # arrays that a message names
COLOURS = (3, 4)  # samples of a last axis behind rows and columns
_OLD_AXES = ("t", "c", "z", "y", "x")  # of OME-Zarr 0.1 and 0.2, which name none
_FILL = ("_FillValue", "missing_value", "nodata")


@dataclass(frozen=True)
class Stored:
    """An image of a store: an array of planes.

    Attributes
    ----------
    name : str
        The array's path in the store; '' for a store that is an array.
    array : zarr.Array
    axes : tuple of str
        Their names; '' for one without.
    rows, columns : int
        Which axes of the array these are.
    colours : int or None
        The axis of red, green and blue; None where every plane is grey.
    reduced : tuple of str
        Paths of the reduced copies, the largest first.
    no_data : float or None
        The value that the array's attributes state for pixels without data.
    """

    name: str
    array: Any
    axes: tuple[str, ...]
    rows: int
    columns: int
    colours: int | None
    reduced: tuple[str, ...] = ()
    no_data: float | None = None

    @property
    def leading(self) -> tuple[int, ...]:
        """Return the axes along which the planes lie."""
        inner = (self.rows, self.columns, self.colours)
        return tuple(axis for axis in range(self.array.ndim) if axis not in inner)

    @property
    def planes(self) -> int:
        """Return how many planes there are."""
        count = 1
        for axis in self.leading:
            count *= self.array.shape[axis]
        return count

    def channel(self, index: Sequence[int]) -> int:
        """Return the channel of a plane, whose place along the leading axes is `index`."""
        named = [self.axes[axis] for axis in self.leading]
        return index[named.index("c")] if "c" in named else 0


def is_store(path: Path) -> bool:
    """Return whether a folder is a Zarr array or group."""
    return any((path / name).is_file() for name in METADATA[:3])


def images(path: Path) -> list[Stored]:
    """Return the images of a store.

    Raises
    ------
    RestoreError
        zarr is not installed; the store is damaged, holds no image, or several arrays of which none
        is said to be the image.
    """
    library = load()
    try:
        with _quiet():
            root = library.open(store=str(path), mode="r")
            if isinstance(root, library.Array):
                return [_plain("", root)]
            found = list(_of_ome(library, root))
            return found or [_only(library, root)]
    except UserError:
        raise
    except Exception as error:  # a store's JSON and codecs raise whatever they like
        raise RestoreError(
            f"expected a whole Zarr store of known codecs ({why(error, whole=True)}); copy it again"
        ) from error


def load() -> Any:
    """Return zarr, an optional dependency."""
    try:
        import zarr
    except ImportError:
        raise RestoreError(
            "a Zarr stack needs the zarr package: pip install 'restore-hsi[zarr]'"
        ) from None
    return zarr


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep zarr from warning of further files in a store, which are copied as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _of_ome(library: Any, root: Any) -> Iterator[Stored]:
    """Yield the images that OME's attributes name, in all groups of a store."""
    groups = [("", root), *((n, m) for n, m in root.members(max_depth=None))]
    for name, group in sorted(groups, key=lambda pair: pair[0]):
        if isinstance(group, library.Array):
            continue
        attributes = group.attrs.asdict()
        known = attributes.get("ome", attributes)  # 0.5 keeps all below one key
        if "image-label" in known or "labels" in name.split("/"):
            continue
        for scales in known.get("multiscales", ()):
            paths = [str(level["path"]).strip("/") for level in scales["datasets"]]
            whole = [f"{name}/{path}".strip("/") for path in paths]
            array = root[whole[0]]
            axes = _axes_of(scales) or (_OLD_AXES if array.ndim == len(_OLD_AXES) else ())
            if len(axes) != array.ndim or "y" not in axes or "x" not in axes:
                raise RestoreError(
                    f"{whole[0]}: expected the {array.ndim} axes of the array with y and x among "
                    f"them, found {', '.join(axes) or 'none'}; mend `multiscales`"
                )
            rows, columns = axes.index("y"), axes.index("x")
            yield Stored(whole[0], array, axes, rows, columns, None, tuple(whole[1:]))


def _axes_of(scales: Mapping[str, Any]) -> tuple[str, ...]:
    systems: Sequence[Mapping[str, Any]] = scales.get("coordinateSystems", ())
    listed = scales.get("axes") or (systems[0].get("axes") if systems else None)
    named = (axis["name"] if isinstance(axis, Mapping) else axis for axis in listed or ())
    return tuple(str(name).lower() for name in named)


def _only(library: Any, root: Any) -> Stored:
    """Return the one array of a plain store that can be an image."""
    arrays = {n: m for n, m in root.members(max_depth=None) if isinstance(m, library.Array)}
    fitting = {n: a for n, a in arrays.items() if a.ndim > 1 and min(sorted(a.shape)[-2:]) > 1}
    if len(fitting) != 1:
        shown = sorted((fitting or arrays).items())[:LISTED]
        listing = ", ".join(f"{name} {array.shape}" for name, array in shown)
        raise RestoreError(
            f"expected an OME-Zarr or one array of two axes or more, found "
            f"{len(fitting)} ({listing or 'no array'}); name one as STORE/ARRAY"
        )
    name, array = next(iter(fitting.items()))
    return _plain(name, array)


def _plain(name: str, array: Any) -> Stored:
    """Return an array of its own as an image: by the names of its axes, else by their order."""
    attributes = array.attrs.asdict()
    listed = getattr(array.metadata, "dimension_names", None)
    listed = listed or attributes.get("_ARRAY_DIMENSIONS") or [""] * array.ndim
    axes = tuple(str(axis or "").lower() for axis in listed)
    if array.ndim < 2 or len(axes) != array.ndim:
        raise RestoreError(f"expected an array of two axes or more, found shape {array.shape}")
    rows = next((n for n, axis in enumerate(axes) if axis in ROWS), None)
    columns = next((n for n, axis in enumerate(axes) if axis in COLUMNS), None)
    behind = array.ndim > 2 and array.shape[-1] in COLOURS
    if rows is None or columns is None:
        rows, columns = array.ndim - 2 - behind, array.ndim - 1 - behind
    last = array.ndim - 1
    colours = last if behind and last not in (rows, columns) else None
    no_data = _no_data(array, attributes)
    return Stored(name, array, axes, rows, columns, colours, no_data=no_data)


def _no_data(array: Any, attributes: Mapping[str, Any]) -> float | None:
    value = next((attributes[key] for key in _FILL if key in attributes), None)
    # xarray states it as the fill value of Zarr 2, and in Zarr 3 packs it as text.
    if value is None and "_ARRAY_DIMENSIONS" in attributes and array.metadata.zarr_format == 2:
        value = array.metadata.fill_value
    if value is None:
        return None
    stated = gaps.stated(value)
    if stated is None and isinstance(value, str):
        try:
            return float(struct.unpack("<d", base64.b64decode(value, validate=True))[0])
        except (binascii.Error, struct.error):
            return None
    return stated
