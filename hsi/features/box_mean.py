"""Mean over a square box around each pixel, of those pixels that hold data."""

import numpy as np
import numpy.typing as npt


def box_mean(around: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    """Return the means of spectra over boxes of `side` × `side` pixels.

    The sums are taken in the same order for every pixel, so that a pixel's mean does not depend on
    the block in which it lies. With a running sum, as in SciPy's `uniform_filter`, it would.

    Parameters
    ----------
    around : ndarray (H + side − 1, W + side − 1, B), float64
        With half a box around; a pixel whose first value is NaN holds no data, and does not count.
    side : int
        Odd.

    Returns
    -------
    ndarray (H, W, B), float64
        NaN where no pixel of the box holds data.

    Examples
    --------
    >>> box_mean(np.arange(9.0).reshape(3, 3, 1), 3).ravel()
    array([4.])
    """
    valid = ~np.isnan(around[..., :1])
    sums = _summed(np.where(valid, around, 0.0), side)
    if valid.all():
        sums /= side * side
        return sums
    counts = _summed(valid.astype(np.float64), side)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _summed(values: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    height, width = values.shape[0] - side + 1, values.shape[1] - side + 1
    rows = values[:height].copy()
    for shift in range(1, side):
        rows += values[shift : shift + height]
    columns = rows[:, :width].copy()
    for shift in range(1, side):
        columns += rows[:, shift : shift + width]
    return columns
