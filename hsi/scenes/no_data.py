"""Spectra without a measurement: all zero, not finite, or the ignore value.

What a file's ignore value is, in the words of all formats, is in `hsi.formats.no_data`; a scene's
mask counts in `Scene.without_data`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.contents import Cube
from hsi.formats.no_data import Mask, equals


def unmasked(name: str, cube: Cube, mask: Mask | None) -> tuple[Cube, Mask | None]:
    """Return a cube and its mask; of a masked array, the data, and where no band is masked.

    Raises
    ------
    HsiError
        It is no array, or has not three axes.
    """
    if not hasattr(getattr(cube, "dtype", None), "kind"):
        raise HsiError(
            f"{name}: expected an array (rows, columns, bands), found {type(cube).__name__}; "
            "convert it with numpy.asarray"
        )
    if cube.ndim != 3 or 0 in cube.shape:
        raise HsiError(
            f"{name}: expected a cube (rows, columns, bands), found shape {cube.shape}; name "
            "another variable as FILE:variable"
        )
    if not isinstance(cube, np.ma.MaskedArray):
        return cube, mask
    whole = np.asarray(~np.ma.getmaskarray(cube).any(axis=-1))
    if mask is not None and tuple(mask.shape) == whole.shape:
        whole &= np.asarray(mask[:])
    return cube.data, whole


def without_data(
    spectra: npt.NDArray[Any], ignore_value: float | None = None
) -> npt.NDArray[np.bool_]:
    """Return which spectra hold no measurement.

    Parameters
    ----------
    spectra : ndarray (..., B)
        Usable bands alone.
    ignore_value : float, optional
        What stands where nothing was measured, as the file states it.

    Returns
    -------
    ndarray (...), bool
        True where all values are zero (also where zero is the ignore value), and where a value is
        not finite, or is another ignore value: a part of a spectrum cannot be classified.
    """
    empty: npt.NDArray[np.bool_] = (spectra == 0).all(axis=-1)
    if spectra.dtype.kind == "f":
        empty |= ~np.isfinite(spectra).all(axis=-1)
    if ignore_value is not None and ignore_value != 0:
        empty |= equals(spectra, ignore_value).any(axis=-1)
    return empty
