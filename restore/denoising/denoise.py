"""Denoise one image in memory, with a model that suits it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.device import pick
from restore.denoising import choose, levels, noise_seen
from restore.denoising.photographs import PhotographDenoiser, is_for_photographs
from restore.denoising.pixels import How, PixelDenoiser, is_number, single_channel, used
from restore.errors import RestoreError
from restore.networks.denoiser import Denoiser, load

_TYPES = (np.uint8, np.uint16, np.float32)


def denoise(
    image: npt.NDArray[Any],
    model: str | Path | Denoiser = "auto",
    *,
    sigma: float | None = None,
    strength: float = 1.0,
    device: str = "auto",
) -> npt.NDArray[Any]:
    """Return a denoised copy of an image, as `restore denoise` would denoise its file.

    Parameters
    ----------
    image : ndarray (H, W) or (H, W, 3); uint8, uint16 or float32
        Grey or RGB; RGB whose channels are equal is denoised as grey. Floats may lie on 0..1,
        0..255 or 0..65535: white is the smallest of 1, 255 and 65535 that fits, noise beyond white
        included. Other floats are brought to 0..1 by their own range: those of which many lie below
        0, and those far below 1. Channels of one value stay as they are. It is not changed.
    model : str, Path or Denoiser, optional
        'auto' chooses among the shipped weights by the image's channels and noise. Otherwise a
        shipped name, a weights file, or what `load_model` returns; the last is fastest for many
        images, as it is loaded once.
    sigma : float, optional
        Noise level, the standard deviation on the 0..255 scale whatever the type; estimated from
        the image by default.
    strength : float, optional
        Share of the noise to remove, above 0 and at most 1.
    device : str, optional
        'auto' (CUDA where there is a GPU), 'cpu', 'cuda' or 'cuda:N'. A `Denoiser` stays on its
        own.

    Returns
    -------
    ndarray
        Of the same shape, type and scale.

    Raises
    ------
    RestoreError
        The image, the model, `sigma` or `strength` is not as above.
    UserError
        The device is not there.

    References
    ----------
    .. [1] K. Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 26(7), 2017.

    Examples
    --------
    >>> import numpy as np, restore
    >>> clean = np.full((64, 64), 0.5, np.float32)
    >>> noise = np.random.default_rng(0).normal(0, 25 / 255, clean.shape)
    >>> noisy = (clean + noise).astype(np.float32)
    >>> restored = restore.denoise(noisy)
    >>> restored.dtype, bool(restored.std() < noisy.std() / 5)
    (dtype('float32'), True)
    """
    _check(image, sigma)
    how, given, shape = How(strength), image.dtype, image.shape
    original, image = image, image.astype(given.newbyteorder("="), order="C")
    grey = single_channel(image)
    parts = used(image) if grey is None else [grey]
    told = [levels.measure(part, sigma=sigma) for part in parts]
    for part, level in zip(parts, told, strict=True):
        if level.black:
            part -= level.black
    noises = [noise_seen.look(part, level.white) for part, level in zip(parts, told, strict=True)]
    if not isinstance(model, Denoiser):
        if model == "auto":
            sigmas = [level.sigma for level in told]
            channels = 3 if parts[0].ndim == 3 else 1
            seen = choose.seen_together(channels, sigmas, noises, jpeg=False)
            suited = choose.for_all(choose.candidates("auto"), sigmas)
            chosen = choose.choose(suited, seen).candidate
            if chosen is None:  # nothing to remove
                return original.copy()
            model = chosen.path
        model = load(str(model), pick(device))
    for part, level, noise in zip(parts, told, noises, strict=True):
        known = level.sigma if math.isfinite(level.sigma) else 0.0
        if is_for_photographs(model):
            PhotographDenoiser(model, how)(part, known, level.white, noise)
        else:
            PixelDenoiser(model, how)([part], [known], [level.white])
        if level.black:
            part += level.black
    if grey is not None:
        image = np.repeat(grey[..., None], shape[2], axis=2)
    return image.astype(given, copy=False)


def _check(image: npt.NDArray[Any], sigma: float | None) -> None:
    """Refuse what is no image, or no noise level."""
    expected = "`image`: expected an array (H, W) or (H, W, 3) of uint8, uint16 or float32, found"
    if not isinstance(image, np.ndarray):
        raise RestoreError(f"{expected} {type(image).__name__}; convert it with numpy.asarray")
    if isinstance(image, np.ma.MaskedArray):
        raise RestoreError(f"{expected} a masked one; fill it with image.filled")
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise RestoreError(f"{expected} the shape {image.shape}; choose one or three channels")
    if image.size == 0:
        raise RestoreError(f"{expected} an empty one of shape {image.shape}; give it pixels")
    if image.dtype.newbyteorder("=") not in _TYPES:
        raise RestoreError(f"{expected} {image.dtype}; convert it with image.astype")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        bad = int(np.count_nonzero(~np.isfinite(image)))
        raise RestoreError(
            f"`image`: expected finite values, found {bad} NaN or infinite; fill them first"
        )
    if sigma is not None and not (is_number(sigma) and 0 <= sigma <= 255):
        raise RestoreError(f"`sigma` {sigma!r}: expected None or a number from 0 to 255")
