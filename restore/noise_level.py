"""How strong the noise of an image is, told from the image alone.

Small patches of a photograph vary in few directions, white noise in all alike: in the directions
in which the patches vary least, there is nothing but noise [1]_. That holds down to slight noise,
where the usual median of wavelet coefficients takes texture for noise.

Limits: noise that is correlated (JPEG, resized or sharpened images, film grain) is estimated too
low, and so is noise that depends on brightness, of which some middle value comes out. Below about
64×64 pixels, and where nearly all pixels are black or white, there is too little to tell from.

References
----------
.. [1] G. Chen, F. Zhu, P. A. Heng, "An Efficient Statistical Method for Image Noise Level
       Estimation", ICCV 2015. :doi:`10.1109/ICCV.2015.62`
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 8  # of a patch, in pixels
ENOUGH = 500  # patches
WINDOW, WINDOWS = 512, 3  # a large image is looked at in 3×3 windows


def estimate(pixels: NDArray[Any], white: float) -> float:
    """Estimate the standard deviation of an image's white Gaussian noise.

    Parameters
    ----------
    pixels : ndarray (H, W) or (H, W, 3)
        Any real dtype.
    white : float
        The value of white; pixels at 0 or `white` are taken for clipped and not looked at.

    Returns
    -------
    float
        Sigma on the 0..255 scale, the mean over channels; NaN where there is too little to tell.
    """
    planes = [pixels] if pixels.ndim == 2 else [pixels[..., c] for c in range(pixels.shape[2])]
    found = [_plane(plane, white) for plane in planes]
    return float(np.mean(found)) * 255 / white


def _plane(plane: NDArray[Any], white: float) -> float:
    count, total, products = 0, np.zeros(SIDE**2), np.zeros((SIDE**2, SIDE**2))
    for window in _windows(plane):
        rows = _patches(window, white)
        count += len(rows)
        total += rows.sum(axis=0)
        products += rows.T @ rows
    if count < ENOUGH:
        return float("nan")
    mean = total / count
    values = np.linalg.eigvalsh(products / count - np.outer(mean, mean))  # ascending
    while len(values) > 1 and np.median(values) < values.mean():
        values = values[:-1]  # the largest is still of the image itself
    return float(np.sqrt(max(values.mean(), 0.0)))


def _windows(plane: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut what is looked at: all of an image, or windows spread over a large one."""
    if plane.size <= (WINDOW * WINDOWS) ** 2:
        return [plane]
    rows, columns = (
        [round(index * max(length - WINDOW, 0) / (WINDOWS - 1)) for index in range(WINDOWS)]
        for length in plane.shape
    )
    return [plane[row : row + WINDOW, left : left + WINDOW] for row in rows for left in columns]


def _patches(window: NDArray[Any], white: float) -> NDArray[np.float64]:
    """Give unclipped patches as rows (N, SIDE²), around the middle of the scale."""
    if min(window.shape) < SIDE:
        return np.empty((0, SIDE**2))
    step = max(1, round((window.size / 40_000) ** 0.5))
    view = np.lib.stride_tricks.sliding_window_view(window, (SIDE, SIDE))[::step, ::step]
    rows = view.reshape(-1, SIDE**2).astype(np.float64)
    if window.dtype.kind != "f":
        rows = rows[(rows.min(axis=1) > 0) & (rows.max(axis=1) < white)]
    return rows - white / 2
