"""The grey of a colour image, as MATLAB computes it: luma of 16..235, and full-range grey."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError

# ITU-R BT.601 "studio range" luma, as MATLAB's rgb2ycbcr has it, for RGB on 0..255.
_LUMA = np.array([65.481, 128.553, 24.966]) / 255.0


_OFFSET = 16.0


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return MATLAB's `rgb2ycbcr` luma of an 8-bit image.

    The range is 16..235. Full-range grey in its place changes DnCNN-3's figure on LIVE1 at quality
    10 by -0.76 dB.

    Parameters
    ----------
    rgb : ndarray (H, W, 3), uint8

    Returns
    -------
    ndarray (H, W), uint8
        Rounded half up, as MATLAB rounds.

    Raises
    ------
    RestoreError
        If the input is not 8-bit RGB.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise RestoreError(f"luma needs 8-bit RGB (H, W, 3), not {rgb.dtype} {rgb.shape}")
    # The coefficients are thousandths: half a level is hit exactly by some colours, and must round
    # up whatever the order of the sum was.
    return np.asarray(np.floor(exact_luma(rgb) + (0.5 + 1e-9)), dtype=np.uint8)


def exact_luma(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """Return the same luma unrounded: (H, W, 3) on 0..255 to (H, W) float64 in 16..235."""
    return np.asarray(rgb, dtype=np.float64) @ _LUMA + _OFFSET


# MATLAB's and scikit-image's rgb2gray differ; this is MATLAB's, which the published grey test
# images went through.
_GREY = np.array([0.2989, 0.5870, 0.1140])


def grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return full-range grey, as MATLAB's `rgb2gray` makes it of an 8-bit image."""
    return np.asarray(np.floor(exact_grey(rgb) + (0.5 + 1e-9)), dtype=np.uint8)


def exact_grey(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """Return full-range grey (H, W), unrounded, of pixels (H, W, 3)."""
    return np.asarray(rgb.astype(np.float64) @ _GREY)
