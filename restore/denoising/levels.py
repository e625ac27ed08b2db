"""From the values that a file holds to 0..1, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.denoising import noise_level

_PEAKS = (1.0, 255.0, 65535.0)
_TINY = _PEAKS[0] / 64  # no value above it: not on 0..1
_ENOUGH = 2**20  # values to judge by
_BELOW = 3.0, 0.02  # noise below black: in standard deviations, and as a share of white


@dataclass(frozen=True)
class Levels:
    """Where the values of an image lie, and how strong its noise is on that scale.

    Attributes
    ----------
    black : float
        What is subtracted before the network, which knows nothing below 0, and added after it; 0
        but for floats of which many lie below 0.
    white : float
        The value of white, less `black`.
    sigma : float
        Of the noise on the 0..255 scale, 255 for `white`; NaN where it cannot be told.
    doubt : str
        What speaks against them; empty for nothing.
    """

    black: float
    white: float
    sigma: float
    doubt: str


def measure(
    pixels: NDArray[Any],
    stated: float | None = None,
    sigma: float | None = None,
    gaps: NDArray[np.bool_] | None = None,
) -> Levels:
    """Tell where the values of an image lie.

    Parameters
    ----------
    pixels : ndarray (H, W) or (H, W, 3)
    stated : float, optional
        White, where the file or the user states it.
    sigma : float, optional
        The noise on the 0..255 scale, 0 for black and 255 for white; estimated without it.
    gaps : ndarray (H, W) of bool, optional
        Pixels that hold no noise, as they were filled.
    """
    peak = white(pixels) if stated is None else stated
    said = doubt(pixels, stated)
    signed = pixels.dtype.kind == "f" and pixels.min(initial=0) < 0
    if sigma is not None and not signed:
        return Levels(0.0, peak, sigma, said)
    found = noise_level.estimate(pixels, peak, gaps)
    told = found if sigma is None else sigma
    if not signed:
        return Levels(0.0, peak, told, said)
    low, high = (float(value) for value in np.quantile(_some(pixels), (0.01, 0.99)))
    deviations, share = _BELOW
    noise = deviations * np.nan_to_num(found) / 255 * peak
    if high == low or not low < -(noise + share * min(peak, high - low)):
        return Levels(0.0, peak, told, said)
    span = (high if stated is None else stated) - low
    if span > peak / 8:  # else `white` was misled by what is not below 0 alone
        span = max(peak, span)
    if sigma is None:
        told = found * peak / span
    if stated is None:
        said = (
            f"{low:g} was taken for black and {low + span:g} for white, with values from "
            f"{pixels.min():g} to {pixels.max():g}"
        )
    return Levels(low, span, told, said)


def white(pixels: NDArray[Any]) -> float:
    """Return the value of white: of the type, or for floats 1, 255 or 65535, whichever fits.

    Noise may go beyond white by as much again, and one value in a hundred, a highlight, by more,
    unless all are whole numbers. Floats far below 1 reach white themselves.
    """
    if pixels.dtype.kind != "f":
        return float(np.iinfo(pixels.dtype).max)
    largest = float(pixels.max(initial=0))
    if 0 < largest <= _TINY:
        reached = float(np.quantile(_some(pixels), 0.99))
        return reached if reached > largest / 8 else largest
    if largest > 2 * _PEAKS[0]:
        some = _some(pixels)
        if not np.array_equal(some, np.rint(some)):
            largest = float(np.quantile(some, 0.99))
    return next((peak for peak in _PEAKS if largest <= 2 * peak), largest)


def _some(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return values spread over all of an image, enough to judge by."""
    values: NDArray[Any] = pixels.reshape(-1)[:: max(1, pixels.size // _ENOUGH)]
    return values


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
    if peak <= _TINY:
        return (
            f"{peak:.3g} was taken for white, with no value above {largest:.3g}; if white is more, "
            "name it with `white`"
        )
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
