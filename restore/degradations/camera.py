"""The noise of a digital camera, from the sensor to the 8-bit picture: one model, NumPy and torch.

An sRGB picture is taken back to what the sensor saw, gets the noise of light and of the amplifier
on its Bayer mosaic, and is developed again: demosaicing, white balance, colour matrix, tone curve.
That makes the noise grow with brightness and alike between neighbours and between channels, as it
is in photographs and as white Gaussian noise is not. The steps and the constants are those of
"unprocessing" [1]_, the noise is the Poissonian-Gaussian model [2]_ with its Poisson part as a
Gaussian of the same variance, and the second demosaicing is that of Malvar, He and Cutler [3]_.

All functions take NumPy arrays or tensors and return the same kind.

References
----------
.. [1] T. Brooks, B. Mildenhall, T. Xue, J. Chen, D. Sharlet, J. T. Barron, "Unprocessing Images for
       Learned Raw Denoising", CVPR 2019. :arxiv:`1811.11127`
.. [2] A. Foi, M. Trimeche, V. Katkovnik, K. Egiazarian, "Practical Poissonian-Gaussian Noise
       Modeling and Fitting for Single-Image Raw-Data", IEEE TIP 17(10), 2008.
.. [3] H. S. Malvar, L. He, R. Cutler, "High-quality linear interpolation for demosaicing of
       Bayer-patterned color images", ICASSP 2004.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from restore.degradations import jpeg
from restore.degradations.demosaic import cells, demosaiced, each, library, where

if TYPE_CHECKING:  # evaluation in NumPy, and a look at the config, need no torch
    from torch import Tensor

    Array = NDArray[np.floating[Any]] | Tensor

ISO = (25.0, 102400.0)  # what `camera:ISO` accepts
QUALITY = 95  # of the JPEG that an evaluated photograph is kept in
# Variance of the photon noise per unit of signal and ISO: white is 50,000 electrons at ISO 100, as
# in cameras with large sensors. The range that [1] draws from, 1e-4 to 1.2e-2, is then ISO 500 to
# 60,000.
SHOT_PER_ISO = 2e-7
# log(read variance) over log(shot) [1, equation 15], and its standard deviation.
READ_SLOPE, READ_OFFSET, READ_SPREAD = 2.18, 1.20, 0.26
_DARKEST = 1e-8  # the slope of a power is infinite at black

# XYZ to the colours of four cameras, and linear sRGB to XYZ, as in the code of [1].
_CAMERAS = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
CAMERAS = len(_CAMERAS)


@dataclass(frozen=True)
class Camera:
    """What one camera does to each picture of a batch; every field is an array or tensor (B,).

    Attributes
    ----------
    shot, read : Array
        Variance of the noise: `shot` times the raw value, plus `read`. White is 1.
    gamma : Array
        Exponent of the tone curve, before its contrast.
    contrast : Array of bool
        Whether the tone curve ends with the S-shaped 3x² - 2x³.
    exposure : Array
        Raw value of what is white in the picture.
    red, blue : Array
        White-balance gains; green has 1.
    matrix : Array (B, 3, 3)
        Linear sRGB to the colours of the camera, rows of sum 1.
    row, column : Array of int
        Where in the mosaic's 2x2 cell the picture begins; at (0, 0) with red.
    gradient : Array of bool
        Demosaicing by gradient-corrected linear interpolation [3]_, or else bilinear.
    """

    shot: Any
    read: Any
    gamma: Any
    contrast: Any
    exposure: Any
    red: Any
    blue: Any
    matrix: Any
    row: Any
    column: Any
    gradient: Any


def of_iso(iso: float) -> Camera:
    """Return the camera that evaluation uses, for one picture in NumPy.

    Gains, exposure and tone curve are the middle of what [1]_ draws from, the matrix is the mean
    of its four cameras; the demosaicing is gradient-corrected.

    Parameters
    ----------
    iso : float
        Sensitivity: `shot` is 2e-7 times it, `read` follows from `shot` as [1]_ measured it.
    """
    shot = SHOT_PER_ISO * iso
    values = {
        "shot": shot,
        "read": math.exp(READ_SLOPE * math.log(shot) + READ_OFFSET),
        "gamma": 2.2,
        "contrast": True,
        "exposure": 0.8,
        "red": 2.15,
        "blue": 1.7,
        "row": 0,
        "column": 0,
        "gradient": True,
    }
    matrix = colour_matrix(np.full((1, CAMERAS), 1 / CAMERAS))
    return Camera(matrix=matrix, **{key: np.array([value]) for key, value in values.items()})


def colour_matrix(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mix the matrices of four cameras: (B, 4) shares of sum 1 to (B, 3, 3) matrices."""
    mixed = np.tensordot(shares, _CAMERAS, axes=1) @ _XYZ
    return np.asarray(mixed / mixed.sum(axis=2, keepdims=True))


def photograph(image: Any, camera: Camera, normal: Any = None) -> Any:
    """Photograph a picture again.

    Parameters
    ----------
    image : Array (B, 3, H, W)
        sRGB in 0..1; H and W at least 3.
    camera : Camera
        Of the same kind and size.
    normal : Array (B, 1, H, W), optional
        Standard normal numbers, one for each pixel of the sensor. Without them the picture has no
        noise, but all else that the camera does to it: the target of training and of scores.

    Returns
    -------
    Array (B, 3, H, W)
        sRGB in 0..1, not rounded.
    """
    # (B, 3, 1, 1): from camera colours under the light of the picture to raw ones, and back
    ones = camera.red * 0 + 1
    gains = library(ones).stack([camera.red, ones, camera.blue], 1) / camera.exposure[:, None]
    gains = gains[:, :, None, None]
    raw = _mixed(camera.matrix, _linear(image, camera)) / gains
    red, green, blue = cells(image, camera.row, camera.column)
    mosaic = where(red, raw[:, :1], where(blue, raw[:, 2:], raw[:, 1:2]))
    if normal is not None:
        variance = camera.shot[:, None, None, None] * mosaic.clip(0) + each(camera.read)
        mosaic = mosaic + variance**0.5 * normal
    developed = demosaiced(mosaic, red, green, blue, camera.gradient) * gains
    return _toned(_mixed(library(image).linalg.inv(camera.matrix), developed).clip(0, 1), camera)


def evaluated(
    image: NDArray[np.uint8], iso: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Photograph an 8-bit picture with and without noise, for evaluation.

    Parameters
    ----------
    image : ndarray (H, W, 3), uint8
        At least 3 pixels a side.
    iso : float
        See `of_iso`.
    rng : numpy.random.Generator
        Source of the noise; one standard normal number per pixel is drawn from it.

    Returns
    -------
    clean : ndarray (H, W, 3), uint8
        The photograph without noise, as it would be without a file.
    noisy : ndarray (H, W, 3), uint8
        The noisy one, out of a JPEG of quality 95 with colour at full size.
    """
    planes = image.transpose(2, 0, 1)[None] / 255.0
    camera = of_iso(iso)
    normal = rng.standard_normal((1, 1, *image.shape[:2]))
    noisy = eight_bit(photograph(planes, camera, normal)[0].transpose(1, 2, 0))
    return without_noise(image), jpeg.compress(noisy, QUALITY, subsampling=0)


def without_noise(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Photograph an 8-bit picture (H, W, 3) without noise: what `evaluated` scores against."""
    planes = image.transpose(2, 0, 1)[None] / 255.0
    return eight_bit(photograph(planes, of_iso(ISO[0]))[0].transpose(1, 2, 0))


def eight_bit(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Round 0..1 to uint8, clipped."""
    return np.asarray(np.rint(values * 255).clip(0, 255), dtype=np.uint8)


def _linear(image: Any, camera: Camera) -> Any:
    """Undo the tone curve."""
    space = library(image)
    image = image.clip(0, 1)  # sums of kernels may be off by a rounding error
    flat = 0.5 - space.sin(space.arcsin(1 - 2 * image) / 3)
    straight = where(each(camera.contrast), flat, image)
    return straight.clip(_DARKEST, 1) ** each(camera.gamma)


def _toned(linear: Any, camera: Camera) -> Any:
    values = linear.clip(_DARKEST) ** (1 / each(camera.gamma))
    return where(each(camera.contrast), (3 - 2 * values) * values**2, values).clip(0, 1)


def _mixed(matrix: Any, planes: Any) -> Any:
    return (matrix @ planes.reshape(*planes.shape[:2], -1)).reshape(planes.shape)
