"""Classical denoisers under the same protocol, for the rows beside the networks."""

import logging
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError

log = logging.getLogger(__name__)

Method = Callable[[NDArray[np.float64], float], NDArray[np.float64]]


def nlm(observed: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Non-local means (scikit-image's fast mode, 5x5 patches, distance 6, h = 0.8 sigma).

    Parameters
    ----------
    observed : ndarray (H, W) or (H, W, 3), float64
        Noisy image on the 0..255 scale.
    sigma : float
        Standard deviation of its noise on the same scale.

    Returns
    -------
    ndarray, float64
        Of the same shape and scale.
    """
    from skimage.restoration import denoise_nl_means

    restored = denoise_nl_means(
        observed / 255,
        patch_size=5,
        patch_distance=6,
        h=0.8 * sigma / 255,
        sigma=sigma / 255,
        fast_mode=True,
        channel_axis=_channels(observed),
    )
    return _scaled(restored)


def wavelet(observed: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Wavelet shrinkage (BayesShrink, soft, scikit-image); parameters as for `nlm`."""
    from skimage.restoration import denoise_wavelet

    restored = denoise_wavelet(
        observed / 255,
        sigma=sigma / 255,
        method="BayesShrink",
        mode="soft",
        rescale_sigma=True,
        channel_axis=_channels(observed),
    )
    return _scaled(restored)


def tv(observed: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Total variation (Chambolle's algorithm, scikit-image); parameters as for `nlm`.

    The weight grows with sigma: 0.1 at sigma 25, about the best on natural images.
    """
    from skimage.restoration import denoise_tv_chambolle

    restored = denoise_tv_chambolle(  # type: ignore[no-untyped-call]
        observed / 255, weight=sigma / 250, channel_axis=_channels(observed)
    )
    return _scaled(restored)


def bm3d(observed: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """BM3D from the package of its authors (non-commercial); parameters as for `nlm`."""
    import bm3d as package

    if observed.ndim == 3:
        return _scaled(package.bm3d_rgb(observed / 255, sigma / 255))
    return _scaled(package.bm3d(observed / 255, sigma / 255))


BASELINES: dict[str, Method] = {"nlm": nlm, "wavelet": wavelet, "tv": tv, "bm3d": bm3d}


def method(name: str) -> Method:
    """Return a baseline by its name in `BASELINES`.

    Raises
    ------
    RestoreError
        Its package is not installed (bm3d's licence is no open one, so that it is left to users).
    """
    if name == "bm3d" and find_spec("bm3d") is None:
        raise RestoreError("baseline bm3d needs the package of its authors: pip install bm3d")
    return BASELINES[name]


def _channels(image: NDArray[np.float64]) -> int | None:
    return -1 if image.ndim == 3 else None


def _scaled(restored: Any) -> NDArray[np.float64]:
    return np.asarray(restored, dtype=np.float64) * 255
