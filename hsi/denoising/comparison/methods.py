"""Ways to denoise a cube, to be compared: ours, simple ones, and those of an optional library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.denoising import eigen_images, noise, statistics, subspace
from hsi.denoising.eigen_images import Scaling
from hsi.errors import HsiError
from hsi.scenes.scene import Scene

Cube = npt.NDArray[np.float32]

HYDE_COMPONENTS = 10  # as in its authors' examples
WAVELET_MODE, TV_WEIGHT = "BayesShrink", 1.0  # weight of TV, per noise level
BOX = 5  # side of the box over which spectra are averaged, in pixels


@dataclass(frozen=True)
class Setting:
    """What methods are told.

    Attributes
    ----------
    device, precision : str
        Of networks.
    """

    device: str = "auto"
    precision: str = "auto"


def noisy(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return the cube as it is."""
    return cube


def ours(cube: Cube, setting: Setting) -> Cube:
    """Return what `hsi denoise` makes of it."""
    from hsi.denoising.denoise import denoise  # imports torch, which the names alone do without

    scene = Scene("cube", cube)
    found = denoise(scene, device=setting.device, precision=setting.precision)
    return np.asarray(found.cube)


def band_by_band(cube: Cube, setting: Setting) -> Cube:
    """Return each band denoised by itself, by the same network and scaling as `hsi denoise`."""
    from hsi.denoising.denoise import load_denoiser

    sigma = noise_levels(cube)
    white = (cube / sigma).astype(np.float32)
    model = load_denoiser(setting.device, setting.precision)
    scaling = Scaling.fit(white.reshape(-1, cube.shape[2]))
    clean = eigen_images.denoise(model, white, scaling)
    return np.asarray((clean * sigma).astype(np.float32))


def pca(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return the cube's projection on the components that stand out of the noise."""
    found = gathered(cube)
    chosen = subspace.choose(found, noise.estimate(found.covariance, found.pixels))
    return chosen.spectra(chosen.project(cube))


def box_mean(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return the mean of the 5 × 5 spectra around each pixel: the simplest use of neighbours."""
    from scipy.ndimage import uniform_filter

    mean = uniform_filter(cube.astype(np.float64), (BOX, BOX, 1), mode="reflect")
    return np.asarray(mean, np.float32)


def wavelet(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return each band denoised by thresholds of its wavelets (scikit-image)."""
    from skimage.restoration import denoise_wavelet

    sigma = noise_levels(cube)
    bands = [
        denoise_wavelet(cube[..., band], sigma=sigma[band], method=WAVELET_MODE, rescale_sigma=True)
        for band in range(cube.shape[2])
    ]
    return np.stack(bands, axis=-1).astype(np.float32)


def tv(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return each band denoised by its total variation (scikit-image)."""
    from skimage import restoration

    restore_tv: Any = restoration.denoise_tv_chambolle  # has no types

    sigma = noise_levels(cube)
    bands = [
        restore_tv(cube[..., band].astype(np.float64), weight=TV_WEIGHT * sigma[band])
        for band in range(cube.shape[2])
    ]
    return np.stack(bands, axis=-1).astype(np.float32)


def fasthyde(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return what FastHyDe of hyde-images makes of it."""
    return _by_hyde("fasthyde", cube, k_subspace=HYDE_COMPONENTS)


def l1hymixde(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return what L1HyMixDe of hyde-images, which is made for mixed noise, makes of it."""
    return _by_hyde("l1hymixde", cube, k_subspace=HYDE_COMPONENTS)


def hyres(cube: Cube, setting: Setting) -> Cube:  # noqa: ARG001
    """Return what HyRes of hyde-images makes of it."""
    return _by_hyde("hyres", cube)


def _by_hyde(name: str, cube: Cube, **options: int) -> Cube:
    import torch

    found = _hyde(name)()(torch.from_numpy(cube.copy()), **options)
    return np.asarray(found.numpy(), np.float32)


METHODS: dict[str, Callable[[Cube, Setting], Cube]] = {
    "noisy": noisy,
    "band-by-band": band_by_band,
    "box-mean": box_mean,
    "pca": pca,
    "wavelet": wavelet,
    "tv": tv,
    "denoise": ours,
    "fasthyde": fasthyde,
    "l1hymixde": l1hymixde,
    "hyres": hyres,
}
# Those of hyde-images, and their classes there.
OPTIONAL = {"fasthyde": "FastHyDe", "l1hymixde": "L1HyMixDe", "hyres": "HyRes"}


def gathered(cube: Cube) -> statistics.Statistics:
    """Return the statistics of a cube in memory, all of whose pixels hold data."""
    valid = np.ones(cube.shape[:2], np.bool_)
    return statistics.gather(
        Scene("cube", cube), cube.shape[2], lambda rows: (cube[rows], valid[rows])
    )


def noise_levels(cube: Cube) -> npt.NDArray[np.float64]:
    """Return the estimated noise of each band."""
    found = gathered(cube)
    return noise.estimate(found.covariance, found.pixels)


def check(name: str) -> None:
    """Raise an HsiError unless there is such a method, and what it needs is installed."""
    if name not in METHODS:
        raise HsiError(f"`method` {name}: expected one of {', '.join(METHODS)}")
    if name in OPTIONAL:
        _hyde(name)


def _hyde(name: str) -> Any:
    try:
        import hyde
    except ImportError as error:
        raise HsiError(
            f"`method` {name}: needs hyde-images, which is not here ({why(error)}); pip "
            "install 'restore-hsi[hyde]', and PyTorch-Wavelets from its repository"
        ) from error
    return getattr(hyde, OPTIONAL[name])
