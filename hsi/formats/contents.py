"""What every format's reader returns: an array and what its file says about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.no_data import Mask

Kind = Literal["cube", "labels"]

BANDS_FIRST = "bands_first"
LISTED = 12  # variables that a message names


class Cube(Protocol):
    """A cube (rows, columns, bands): an array, a memory map, or a file that is read when sliced."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns and bands."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        ...

    @property
    def ndim(self) -> int:
        """Number of axes, which is three."""
        ...

    def __getitem__(self, key: Any, /) -> Any: ...
    def __array__(self) -> npt.NDArray[Any]: ...


@dataclass(frozen=True)
class Contents:
    """An array of a file, with the metadata of the file.

    Attributes
    ----------
    path : Path
        The file.
    array : Cube (H, W, B), or ndarray (H, W)
        A cube, bands last, or labels.
    wavelengths : ndarray (B,), float64, optional
        In nanometres.
    bad_bands : ndarray (B,), bool, optional
    georeference : mapping, optional
        See `hsi.formats.georeference`.
    class_names : sequence of str, optional
        By class number, background first.
    colours : ndarray (C + 1, 3), uint8, optional
        By class number, background first.
    ignore_value : float, optional
        What stands where nothing was measured.
    scale, offset : ndarray (B,), float64, optional
        Physical value = scale × stored value + offset; stated by the file, not applied.
    provenance : mapping
        What the reader understood, in words and numbers.
    fwhm : ndarray (B,), float64, optional
        Widths of the bands in nanometres (full width at half maximum).
    band_names : sequence of str, optional
    default_bands : tuple of int, optional
        Bands to show as red, green and blue (or one, as grey), counted from 0.
    mask : Mask (H, W), optional
        True where there is data.
    extra : mapping
        Further keys of the file, as text, that copies in ENVI and GeoTIFF keep.
    left_out : sequence of str
        What the file holds beside this, and no copy keeps.
    """

    path: Path
    array: Any
    wavelengths: npt.NDArray[np.float64] | None = None
    bad_bands: npt.NDArray[np.bool_] | None = None
    georeference: Mapping[str, Any] | None = None
    class_names: Sequence[str] | None = None
    colours: npt.NDArray[np.uint8] | None = None
    ignore_value: float | None = None
    scale: npt.NDArray[np.float64] | None = None
    offset: npt.NDArray[np.float64] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    fwhm: npt.NDArray[np.float64] | None = None
    band_names: Sequence[str] | None = None
    default_bands: tuple[int, ...] | None = None
    mask: Mask | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()


def choose(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    variable: str | None,
    kind: Kind,
) -> str:
    """Return the name of the variable of a file that holds a cube or labels.

    Parameters
    ----------
    path : Path
        For messages.
    shapes : mapping of str to shape
        The numeric variables.
    variable : str, optional
        The one the user named.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        The named one is not there; none fits; several fit and none stands out by its name.
    """
    listing = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:LISTED])
    listing = listing or "nothing numeric"
    if len(shapes) > LISTED:
        listing += f" and {len(shapes) - LISTED} more"
    if variable is not None:
        if variable not in shapes:
            raise HsiError(f"{path}: no variable '{variable}'; the file holds {listing}")
        return variable
    axes = {name: squeezed(shape, 3 if kind == "cube" else 2) for name, shape in shapes.items()}
    if kind == "cube":
        fitting = [name for name, shape in axes.items() if len(shape) == 3]
    else:
        fitting = [name for name, s in axes.items() if len(s) == 2 and min(s) > 1]
        marked = [name for name in fitting if "gt" in name.lower() or "label" in name.lower()]
        fitting = marked if len(marked) == 1 else fitting
    if len(fitting) != 1:
        wanted = "a cube of three axes" if kind == "cube" else "labels of two axes"
        found = "several" if fitting else "none"
        raise HsiError(
            f"{path}: expected {wanted}, found {found} ({listing}); name one as {path}:VARIABLE"
        )
    return fitting[0]


def bands_last(
    array: npt.NDArray[Any], name: str, bands: int | None = None
) -> tuple[npt.NDArray[Any], str]:
    """Return a cube with its bands as the last axis, where the file leaves no doubt.

    Parameters
    ----------
    array : ndarray of three axes
    name : str
        Of the variable.
    bands : int, optional
        How many band centres the file lists.

    Returns
    -------
    cube : ndarray (H, W, B)
        A view.
    layout : {'bands last', 'bands first'}
    """
    axis = band_axis(array.shape, name, bands)
    return np.moveaxis(array, axis, -1), LAYOUTS[axis]


LAYOUTS = ("bands first", "bands between rows and columns", "bands last")


def band_axis(shape: tuple[int, ...], name: str, bands: int | None = None) -> int:
    """Return the axis of a cube's bands.

    Bands come last unless the variable's name says otherwise (`chw`, `bsq`, `bands_first`), the
    file lists as many band centres as another axis alone is long, or the last two axes alone are
    equal, as in (200, 145, 145), and it does not list as many band centres as they are long.

    Examples
    --------
    >>> band_axis((30, 20, 20), "cube"), band_axis((30, 20, 20), "cube", bands=20)
    (0, 2)
    """
    words = name.lower()
    if any(word in words for word in ("chw", "bsq", BANDS_FIRST)):
        return 0
    if bands is not None and list(shape).count(bands) == 1:
        return shape.index(bands)
    if bands == shape[2]:
        return 2
    depth, rows, columns = shape
    return 0 if rows == columns and depth != rows else 2


def layout_name(path: Path, name: str) -> str:
    """Return what says where a cube's bands lie: `bands_first` in the file's name, or a variable.

    An array's axes alone leave that open, as in (24, 60, 84), and a .npy names no variable.
    """
    return BANDS_FIRST if BANDS_FIRST in path.stem.lower() else name


def squeezed(shape: tuple[int, ...], axes: int) -> tuple[int, ...]:
    """Return a shape without its axes of length one, the first ones first, down to some axes."""
    kept = list(shape)
    while len(kept) > axes and 1 in kept:
        kept.remove(1)
    return tuple(kept)


def beside(names: Sequence[str], used: Sequence[str | None]) -> tuple[str, ...]:
    """Return the variables of a file that were not used, for `Contents.left_out`."""
    others = [name for name in names if name not in used]
    if not others:
        return ()
    more = f" and {len(others) - LISTED} more" if len(others) > LISTED else ""
    return (f"variables {', '.join(others[:LISTED])}{more}",)
