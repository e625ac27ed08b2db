"""Additive white Gaussian noise: NumPy for evaluation, batched on the device for training.

The noise is neither clipped nor rounded: storing a noisy image as 8 bit costs 0.35 dB on BSD68 at
sigma 25, which is the commonest reason why published figures are not met.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError

if TYPE_CHECKING:  # evaluation in NumPy, and a look at the config, need no torch
    import torch
    from torch import Tensor


def gaussian(image: NDArray[Any], sigma: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Add white Gaussian noise to an image.

    Parameters
    ----------
    image : ndarray (H, W[, C])
        Any real dtype, on the scale 0..255.
    sigma : float
        Standard deviation on the same scale; 0 adds nothing.
    rng : numpy.random.Generator
        Source of the noise; one standard normal number per sample is drawn from it.

    Returns
    -------
    ndarray (H, W[, C]), float64
        Not clipped, not rounded.

    Raises
    ------
    RestoreError
        If `sigma` is negative or not finite.
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise RestoreError(f"noise sigma must be a number >= 0 on the 0..255 scale, not {sigma:g}")
    return np.asarray(image, dtype=np.float64) + sigma * rng.standard_normal(np.shape(image))


def gaussian_batch(patches: "Tensor", sigma: "Tensor", generator: "torch.Generator") -> "Tensor":
    """Add white Gaussian noise to a batch, with one standard deviation per patch.

    Parameters
    ----------
    patches : Tensor (B, C, H, W)
        Floating point, in [0, 1].
    sigma : Tensor (B,)
        Standard deviations on the 0..255 scale.
    generator : torch.Generator
        Source of the noise. When it lives on another device than the patches, a generator of their
        device is seeded with one draw from it, so that the noise is made where it is needed.

    Returns
    -------
    Tensor (B, C, H, W)
        Not clipped.

    Raises
    ------
    RestoreError
        If the shapes do not fit or a `sigma` is negative (checked on the CPU only, where looking
        at the values does not make the device wait).
    """
    import torch

    if patches.ndim != 4 or sigma.shape != patches.shape[:1]:
        raise RestoreError(
            f"expected patches (B, C, H, W) and one sigma per patch, "
            f"got {tuple(patches.shape)} and {tuple(sigma.shape)}"
        )
    if sigma.device.type == "cpu" and bool((sigma < 0).any()):
        raise RestoreError(f"noise sigma must be >= 0, not {float(sigma.min()):g}")
    if generator.device.type != patches.device.type:
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        generator = torch.Generator(patches.device).manual_seed(seed)
    noise = torch.empty_like(patches).normal_(generator=generator)
    return patches + noise * (sigma.to(patches) / 255).view(-1, 1, 1, 1)
