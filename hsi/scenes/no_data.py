"""Spectra without a measurement: all zero, not finite, or the ignore value."""

from typing import Any

import numpy as np
import numpy.typing as npt


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
    ignored = _of_type(ignore_value, spectra.dtype)
    if ignored is not None and ignored != 0:
        empty |= (spectra == ignored).any(axis=-1)
    return empty


def _of_type(value: float | None, dtype: np.dtype[Any]) -> Any:
    """Return a value as a type, or None where the type cannot hold it, or it is NaN."""
    if value is None or np.isnan(value):
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(value)
    limits = np.iinfo(dtype)
    return dtype.type(value) if limits.min <= value <= limits.max and value == int(value) else None
