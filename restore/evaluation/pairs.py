"""The degradations by name, and the protocol that makes a scored pair of images from one image.

The protocol is the one behind the published tables (DnCNN: K. Zhang et al., "Beyond a Gaussian
denoiser", IEEE Trans. Image Processing 26(7), 3142-3155, 2017): its choices are in `pair` and in
`restore.evaluation.protocol`.
"""

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import expect_seed
from restore.degradations import bicubic, camera, jpeg, luma, noise
from restore.degradations.degradation import Degradation, parse
from restore.degradations.luma import exact_grey, grey
from restore.errors import RestoreError
from restore.evaluation.protocol import PUBLISHED, Scoring


@dataclass(frozen=True)
class Pair:
    """An image to score against and what the network sees, both float64 on the 0..255 scale.

    Attributes
    ----------
    target, observed : ndarray (H, W) or (H, W, 3)
        Of one shape.
    border : int
        Pixels that are not scored at each side.
    quantised : bool
        Whether the protocol clips and rounds the network's output to 8 bit before scoring it.
    """

    target: NDArray[np.float64]
    observed: NDArray[np.float64]
    border: int
    quantised: bool


def pair(
    image: NDArray[np.uint8],
    degradation: Degradation,
    *,
    seed: int,
    name: str,
    colour: bool = False,
    protocol: Scoring = PUBLISHED,
) -> Pair:
    """Degrade one image as the published tables do.

    Noise is added in floating point, neither clipped nor rounded beyond float32. A JPEG is made of
    MATLAB's luma (16..235). For super-resolution the image is cropped to a multiple of the scale,
    shrunk with MATLAB's antialiased bicubic in RGB, rounded to 8 bit, enlarged and clipped in
    floating point; the luma of both is scored unrounded, without a border of `scale` pixels. A
    camera's picture is scored against what the same camera makes without noise; a grey image is
    photographed as the colour image it also is, and both pictures are turned grey.

    Parameters
    ----------
    image : ndarray (H, W) or (H, W, 3), uint8
        An image that is grey by nature is used as it is, never put through a luma formula.
    degradation : Degradation
    seed : int
        With `name` and sigma it determines the noise, so that neither the order nor the choice of
        the images matters.
    name : str
        The image's name in its set.
    colour : bool, optional
        Keep three channels: colour noise, colour JPEG (4:2:0), bicubic in RGB. Otherwise a colour
        image becomes grey: with full range (MATLAB's `rgb2gray`, rounded) for noise, MATLAB's
        luma for JPEG and bicubic.
    protocol : Scoring, optional
        Other choices than the published ones.

    Returns
    -------
    Pair

    Raises
    ------
    RestoreError
        If the image is not as above, grey where `colour` is asked for, or too small.
    """
    target, stored = degraded(
        image, degradation, seed=seed, name=name, colour=colour, protocol=protocol
    )
    return observe(target, stored, degradation, colour=colour, protocol=protocol)


def degrade(
    image: NDArray[np.uint8], degradation: str, *, seed: int = 0, name: str = ""
) -> NDArray[np.float32] | NDArray[np.uint8]:
    """Return a degraded copy of an image, as `restore degrade` writes it to a file.

    Parameters
    ----------
    image : ndarray (H, W) or (H, W, 3), uint8
        Grey or RGB; it keeps its channels.
    degradation : str
        ``noise:SIGMA`` (white Gaussian, 0..255), ``jpeg:QUALITY`` (1..100), ``bicubic:SCALE``
        (2, 3 or 4) or ``camera:ISO`` (25..102400).
    seed : int, optional
        Of the noise, 0 or more.
    name : str, optional
        The image's name in its set; each name has noise of its own.

    Returns
    -------
    ndarray
        Noise: float32 on the 0..255 scale, neither clipped nor rounded. JPEG: uint8 of the same
        shape. Bicubic: the small image, uint8. Camera: uint8 of the same shape, out of a JPEG.

    Raises
    ------
    RestoreError
        The degradation is not understood, or the image is not as above.

    Examples
    --------
    >>> import numpy as np, restore
    >>> clean = np.full((64, 64), 100, np.uint8)
    >>> noisy = restore.degrade(clean, "noise:25", seed=0)
    >>> noisy.dtype, bool(20 < noisy.std() < 30)
    (dtype('float32'), True)
    >>> restore.degrade(clean, "bicubic:2").shape
    (32, 32)
    """
    if not isinstance(image, np.ndarray):
        raise RestoreError(
            f"`image`: expected an array (H, W) or (H, W, 3) of uint8, found "
            f"{type(image).__name__}; convert it with numpy.asarray"
        )
    if isinstance(image, np.ma.MaskedArray):
        raise RestoreError("`image`: expected a plain array, found a masked one; fill it first")
    if image.size == 0:
        raise RestoreError(f"`image`: expected pixels, found none in shape {image.shape}")
    expect_seed(seed, RestoreError)
    kind = parse(degradation)
    return degraded(image, kind, seed=seed, name=name, colour=image.ndim == 3)[1]


def degraded(
    image: NDArray[np.uint8],
    degradation: Degradation,
    *,
    seed: int,
    name: str,
    colour: bool,
    protocol: Scoring = PUBLISHED,
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | NDArray[np.uint8]]:
    """Return the reference and the degraded image in the form in which a file would hold it.

    Returns
    -------
    reference : ndarray, uint8
        The image in the colours and the crop that are compared.
    stored : ndarray
        float32 for noise, uint8 for JPEG, a camera, and the small image of bicubic.
    """
    if degradation.kind == "camera":
        clean, noisy = camera.evaluated(
            _in_colour(image, colour=colour),
            degradation.level,
            _rng(seed, name, degradation.level),
        )
        return (clean, noisy) if colour else (grey(clean), grey(noisy))
    reference = prepared(image, degradation, colour=colour, protocol=protocol)
    if degradation.kind == "noise":
        rng = _rng(seed, name, degradation.level)
        return reference, noise.gaussian(reference, degradation.level, rng).astype(np.float32)
    if degradation.kind == "jpeg":
        return reference, jpeg.compress(reference, int(degradation.level))
    return reference, bicubic.imresize(reference, 1 / degradation.level).astype(np.uint8)


def prepared(
    image: NDArray[np.uint8],
    degradation: Degradation,
    *,
    colour: bool,
    protocol: Scoring = PUBLISHED,
) -> NDArray[np.uint8]:
    """Return the image in the colours and the crop in which it is compared."""
    if degradation.kind == "camera":
        clean = camera.without_noise(_in_colour(image, colour=colour))
        return clean if colour else grey(clean)
    _check(image, colour=colour)
    if degradation.kind == "bicubic":
        # RGB even for a grey model: its luma is taken after enlarging.
        return bicubic.modcrop(image, int(degradation.level))
    if colour or image.ndim == 2:
        return image
    return luma.luma(image) if protocol.matlab_luma(degradation) else grey(image)


def _in_colour(image: NDArray[np.uint8], *, colour: bool) -> NDArray[np.uint8]:
    """Return what a camera is to photograph: RGB of at least 8 pixels a side."""
    _check(image, colour=colour)
    if min(image.shape[:2]) < 8:
        raise RestoreError(
            f"a camera needs 8 pixels a side or more, the image has "
            f"{image.shape[1]}x{image.shape[0]}"
        )
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def _check(image: NDArray[np.uint8], *, colour: bool) -> None:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise RestoreError(f"expected 8-bit grey or RGB pixels, got {image.dtype} {image.shape}")
    if colour and image.ndim == 2:
        raise RestoreError("a colour degradation was asked for, but the image is grey")


def observe(
    reference: NDArray[np.uint8],
    stored: NDArray[np.float32] | NDArray[np.uint8],
    degradation: Degradation,
    *,
    colour: bool,
    protocol: Scoring = PUBLISHED,
) -> Pair:
    """Make the scored pair of what `degraded` gave, whether from memory or from a file."""
    border, quantised = protocol.shaved(degradation), protocol.rounds(degradation)
    if degradation.kind != "bicubic":
        return Pair(reference.astype(np.float64), stored.astype(np.float64), border, quantised)
    scale = int(degradation.level)
    target = reference.astype(np.float64)
    observed = np.clip(bicubic.imresize(stored.astype(np.float64), scale), 0, 255)
    if not colour and reference.ndim == 3:
        plane = luma.exact_luma if protocol.matlab_luma(degradation) else exact_grey
        target, observed = plane(target), plane(observed)
    # The published super-resolution figures are of unrounded luma: rounding costs 0.03 dB at x3.
    return Pair(target, observed, border, quantised)


def _rng(seed: int, name: str, sigma: float) -> np.random.Generator:
    """Derive the generator of one image's noise."""
    if seed < 0:
        raise RestoreError(f"the seed must be 0 or more, not {seed}")
    key = hashlib.sha256(name.encode() + b"\0" + struct.pack("<d", sigma)).digest()
    return np.random.default_rng([seed, *struct.unpack("<4Q", key)])
