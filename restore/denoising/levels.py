"""From the values that a file holds to 0..1, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_PEAKS = (1.0, 255.0, 65535.0)
_ENOUGH = 2**20  # values to judge by


def white(pixels: NDArray[Any]) -> float:
    """Return the value of white: of the type, or for floats 1, 255 or 65535, whichever fits.

    Noise may go beyond white by as much again, and one value in a hundred, a highlight, by more,
    unless all are whole numbers.
    """
    if pixels.dtype.kind != "f":
        return float(np.iinfo(pixels.dtype).max)
    largest = float(pixels.max(initial=0))
    if largest > 2 * _PEAKS[0]:
        some = pixels.reshape(-1)[:: max(1, pixels.size // _ENOUGH)]
        if not np.array_equal(some, np.rint(some)):
            largest = float(np.quantile(some, 0.99))
    return next((peak for peak in _PEAKS if largest <= 2 * peak), largest)


def doubt(pixels: NDArray[Any], stated: float | None = None) -> str:
    """Return what speaks against the value of white, or an empty text.

    Parameters
    ----------
    pixels : ndarray
    stated : float, optional
        White, where the file or the user states it.
    """
    if stated is not None or not pixels.size:
        return ""
    peak, largest = white(pixels), float(pixels.max())
    lowest = float(pixels.min())
    if largest > 2 * peak:
        return f"{peak:g} was taken for white, with values up to {largest:g}"
    if lowest < -peak:
        return f"{peak:g} was taken for white, with values down to {lowest:g}"
    if largest <= peak / 8 and largest > lowest:
        return (
            f"{peak:g} was taken for white, with no value above {largest:g}; if white is less "
            "(4095 for 12 bits), name it with `white`"
        )
    return ""


def planes(window: NDArray[Any], peak: float) -> NDArray[np.float32]:
    """Bring (H, W[, C]) on the file's scale to (C, H, W) in 0..1."""
    return np.asarray(
        np.atleast_3d(window).transpose(2, 0, 1).astype(np.float32) / np.float32(peak)
    )


def stored(values: NDArray[np.float32], kind: np.dtype[Any], peak: float) -> NDArray[Any]:
    """Bring values on 0..1 back to the file's scale and type."""
    scaled = values * np.float32(peak)
    if kind.kind == "f":
        return scaled.astype(kind)
    whole: NDArray[Any] = np.clip(np.rint(scaled), 0, peak).astype(kind)
    return whole
