"""From the values that a file holds to 0..1, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def white(pixels: NDArray[Any]) -> float:
    """Tell the value of white: of the type, or for floats 1, 255 or 65535, whichever fits.

    Noise may go beyond white by as much again.
    """
    if pixels.dtype.kind != "f":
        return float(np.iinfo(pixels.dtype).max)
    largest = float(pixels.max(initial=0))
    return next((peak for peak in (1.0, 255.0, 65535.0) if largest <= 2 * peak), largest)


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
