"""Edge-preserving smoothing of an image by another (the guided filter), exact block by block.

References
----------
.. [1] K. He, J. Sun and X. Tang, "Guided Image Filtering", IEEE TPAMI 35(6), 2013.
"""

import numpy as np
import numpy.typing as npt

from hsi.features.box_mean import box_mean

Floats = npt.NDArray[np.float64]


def guided_filter(values: Floats, guide: Floats, radius: int, epsilon: float) -> Floats:
    """Return values smoothed within boxes where the guide is alike, but not over its edges.

    In every box of 2 `radius` + 1 pixels each value is a linear function of the guide, by ridge
    regression; a pixel takes the mean of the functions of all boxes that hold it [1]_. Its result
    depends on nothing further away than 2 `radius`, and is the same in any block of the image.

    Parameters
    ----------
    values : ndarray (H, W, C), float64
    guide : ndarray (H, W, G), float64
        NaN in the first channel where a pixel holds no data; such pixels count nowhere.
    radius : int
        In pixels.
    epsilon : float
        Above 0, in squared units of the guide: steps far below its root are smoothed over.

    Returns
    -------
    ndarray (H, W, C), float64
        NaN where a pixel holds no data. Beyond the image there are no data.
    """
    (height, width, channels), count = guide.shape, values.shape[-1]
    valid = ~np.isnan(guide[..., :1])
    guide = np.where(valid, guide, np.nan)
    products = [guide[..., i, None] * guide for i in range(channels)]  # G of (H, W, G)
    crossed = [guide[..., i, None] * values for i in range(channels)]  # G of (H, W, C)
    held = np.concatenate([guide, values, *products, *crossed], axis=-1)
    means = box_mean(_framed(held, radius), 2 * radius + 1)
    of_guide, of_values = means[..., :channels], means[..., channels : channels + count]
    second = means[..., channels + count :]
    squares = second[..., : channels**2].reshape(height, width, channels, channels)
    mixed = second[..., channels**2 :].reshape(height, width, channels, count)
    squares = squares - of_guide[..., :, None] * of_guide[..., None, :]
    mixed = mixed - of_guide[..., :, None] * of_values[..., None, :]
    slopes = np.full((height, width, channels, count), np.nan)
    known = valid[..., 0]
    slopes[known] = np.linalg.solve(squares[known] + epsilon * np.eye(channels), mixed[known])
    offsets = of_values - (of_guide[..., None] * slopes).sum(axis=-2)
    lines = np.concatenate([offsets[..., None, :], slopes], axis=-2).reshape(height, width, -1)
    lines = box_mean(_framed(np.where(valid, lines, np.nan), radius), 2 * radius + 1)
    mean = lines.reshape(height, width, channels + 1, count)
    return np.asarray(mean[..., 0, :] + (guide[..., None] * mean[..., 1:, :]).sum(axis=-2))


def _framed(values: Floats, radius: int) -> Floats:
    """Return values with a frame of pixels without data."""
    frame = (radius, radius)
    return np.pad(values, (frame, frame, (0, 0)), constant_values=np.nan)
