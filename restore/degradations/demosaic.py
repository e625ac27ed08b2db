"""The Bayer mosaic of a sensor, and two ways to interpolate the colours that it lacks.

All functions take NumPy arrays or tensors and return the same kind.

References
----------
.. [1] H. S. Malvar, L. He, R. Cutler, "High-quality linear interpolation for demosaicing of
       Bayer-patterned color images", ICASSP 2004.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Bilinear interpolation of red or blue, and of green, from a mosaic with zeros between.
_BILINEAR = np.array([[[1, 2, 1], [2, 4, 2], [1, 2, 1]], [[0, 1, 0], [1, 4, 1], [0, 1, 0]]]) / 4
# Figure 2 of [1]: green at red or blue; a colour from its own row; from its own column; red at
# blue and blue at red.
_ROW = [[0, 0, 1, 0, 0], [0, -2, 0, -2, 0], [-2, 8, 10, 8, -2], [0, -2, 0, -2, 0], [0, 0, 1, 0, 0]]
_MALVAR = (
    np.array(
        [
            [
                [0, 0, -2, 0, 0],
                [0, 0, 4, 0, 0],
                [-2, 4, 8, 4, -2],
                [0, 0, 4, 0, 0],
                [0, 0, -2, 0, 0],
            ],
            _ROW,
            np.transpose(_ROW).tolist(),
            [
                [0, 0, -3, 0, 0],
                [0, 4, 0, 4, 0],
                [-3, 0, 12, 0, -3],
                [0, 4, 0, 4, 0],
                [0, 0, -3, 0, 0],
            ],
        ]
    )
    / 16
)


def cells(image: Any, row: Any, column: Any) -> tuple[Any, Any, Any]:
    """Return which pixels of a sensor see red, green and blue.

    Parameters
    ----------
    image : Array (B, C, H, W)
        Of its size.
    row, column : Array (B,) of int
        Where in the mosaic's 2x2 cell the picture begins; at (0, 0) with red.

    Returns
    -------
    red, green, blue : Array (B, 1, H, W) of bool
    """
    height, width = image.shape[-2:]
    space = library(image)
    place = {} if isinstance(image, np.ndarray) else {"device": image.device}
    rows = (space.arange(height, **place) + row[:, None]) % 2 == 1
    columns = (space.arange(width, **place) + column[:, None]) % 2 == 1
    rows, columns = rows[:, None, :, None], columns[:, None, None, :]
    return ~rows & ~columns, rows ^ columns, rows & columns


def demosaiced(mosaic: Any, red: Any, green: Any, blue: Any, gradient: Any) -> Any:
    """Interpolate the colours that each pixel of a mosaic lacks; the border is mirrored.

    Parameters
    ----------
    mosaic : Array (B, 1, H, W)
    red, green, blue : Array (B, 1, H, W) of bool
        Which pixels saw which colour.
    gradient : Array (B,) of bool
        By gradient-corrected linear interpolation [1]_, or else bilinear.

    Returns
    -------
    Array (B, 3, H, W)
    """
    zero = mosaic * 0
    linear = [
        filtered(where(chosen, mosaic, zero), _BILINEAR[[kernel]])
        for chosen, kernel in ((red, 0), (green, 1), (blue, 0))
    ]
    to_green, by_row, by_column, across = (filtered(mosaic, kernel[None]) for kernel in _MALVAR)
    # A row with red has no blue: there a green pixel's red neighbours are in its row.
    red_row = red.any(3, keepdims=True)
    corrected = [
        where(red, mosaic, where(blue, across, where(red_row, by_row, by_column))),
        where(green, mosaic, to_green),
        where(blue, mosaic, where(red, across, where(red_row, by_column, by_row))),
    ]
    return where(
        each(gradient),
        library(mosaic).concatenate(corrected, 1),
        library(mosaic).concatenate(linear, 1),
    )


def filtered(planes: Any, kernels: NDArray[np.float64] | Any) -> Any:
    """Correlate every plane with a kernel of odd sides; the border is mirrored about its pixels.

    Parameters
    ----------
    planes : Array (B, C, H, W)
        Sides longer than half a kernel.
    kernels : ndarray or Tensor (1 or B, h, w)
        One for all pictures of the batch, or one each.
    """
    if len(planes) == 0:
        return planes
    if isinstance(planes, np.ndarray):
        from scipy import ndimage

        chosen = np.broadcast_to(kernels, (len(planes), *kernels.shape[1:]))
        results = [
            ndimage.correlate(plane, kernel[None], mode="mirror")
            for plane, kernel in zip(planes, chosen, strict=True)
        ]
        return np.stack(results)
    import torch
    from torch.nn import functional

    batch, channels, height, width = planes.shape
    kernels = torch.as_tensor(kernels).to(planes)
    rows, columns = kernels.shape[1] // 2, kernels.shape[2] // 2
    weights = kernels.expand(batch, -1, -1).repeat_interleave(channels, 0)[:, None]
    flat = planes.reshape(1, batch * channels, height, width)
    padded = functional.pad(flat, (columns, columns, rows, rows), mode="reflect")
    return functional.conv2d(padded, weights, groups=batch * channels).view(planes.shape)


def library(values: Any) -> Any:
    """Return the library that `values` belong to, `numpy` or `torch`."""
    if isinstance(values, np.ndarray):
        return np
    import torch

    return torch


def where(condition: Any, first: Any, second: Any) -> Any:
    """Choose between two arrays or two tensors."""
    return library(first).where(condition, first, second)


def each(values: Any) -> Any:
    """Return one value per picture in the shape of pictures: (B,) to (B, 1, 1, 1)."""
    return values[:, None, None, None]
