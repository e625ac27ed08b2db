"""Noise-whitened components of the spectra (MNF), computed in float64, some rows at a time.

References
----------
.. [1] A. Green, M. Berman, P. Switzer and M. Craig, "A Transformation for Ordering Multispectral
   Data in Terms of Image Quality", IEEE TGRS 26(1), 1988.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.features.projection import (
    Projection,
    check_count,
    expect_pixels,
    spectra_of,
    with_fixed_signs,
)
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene

Floats = npt.NDArray[np.float64]

FLOOR = 1e-8  # smallest variance of noise, as a share of the largest: bands may be copies


def fit_mnf(
    scene: Scene, count: int, *, whiten: bool = True, bands: Bands | None = None
) -> Projection:
    """Return the components of largest variance in units of the noise (MNF [1]_).

    The covariance of the noise is half that of the differences of neighbouring pixels, to the right
    and below; where one of the two holds no data, there is no difference. Two passes over the
    scene, some rows at a time, first the mean and then both covariances. No label is used.

    Parameters
    ----------
    scene : Scene
        Bands marked as bad are left out.
    count : int
        Number of components K, the least noisy first.
    whiten : bool
        Divide each component by its standard deviation; else the noise of each is 1.
    bands : Bands, optional
        Which bands of the scene; by default those that are not marked as bad.

    Returns
    -------
    Projection

    Raises
    ------
    HsiError
        There are fewer bands, pixels or dimensions of the data than components; no pixel holds
        data; all neighbouring pixels are alike.
    """
    chosen = bands or Bands(scene.good_bands)
    size = check_count(scene, count, chosen)
    total, number = np.zeros(size), 0
    for spectra, valid in spectra_of(scene, chosen):
        total += spectra[valid].sum(axis=0)
        number += int(valid.sum())
    expect_pixels(scene, number, scene.shape[0] * scene.shape[1], count)
    mean = total / number
    covariance, noise = np.zeros((2, size, size))
    pairs = 0
    for centred, steps in _centred(scene, chosen, mean):
        covariance += centred.T @ centred
        noise += steps.T @ steps
        pairs += len(steps)
    covariance /= number - 1
    deviation = np.sqrt(np.diag(covariance))
    if not deviation.any() or not noise.any():
        raise HsiError(
            f"{scene.name}: expected neighbouring pixels that differ, to estimate the noise, found "
            "none; use principal components"
        )
    deviation[deviation == 0] = 1
    noise /= 2 * pairs
    # Bands of unit variance first, so that their units do not count.
    variances, vectors = np.linalg.eigh(noise / deviation[:, None] / deviation)
    variances = np.maximum(variances, variances[-1] * FLOOR)
    whitening = vectors.T / np.sqrt(variances)[:, None] / deviation
    ratios, turned = np.linalg.eigh(whitening @ covariance @ whitening.T)
    ratios, components = ratios[::-1][:count], turned.T[::-1][:count] @ whitening
    if ratios[-1] <= ratios[0] * 1e-13:
        raise HsiError(
            f"{scene.name}: components: expected {count} directions that vary, found "
            f"{int((ratios > ratios[0] * 1e-13).sum())}; ask for so many at most"
        )
    scale = np.sqrt(ratios) if whiten else np.ones(count)
    used = scene.good_bands if bands is None else np.arange(size)
    return Projection(used, mean, with_fixed_signs(components), scale, "all pixels")


def _centred(scene: Scene, bands: Bands, mean: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield centred spectra (n, B), and differences (m, B) of neighbours, of some rows."""
    width = scene.shape[1]
    above: tuple[Floats, npt.NDArray[np.bool_]] | None = None
    for flat, flat_valid in spectra_of(scene, bands):
        spectra, valid = flat.reshape(-1, width, len(bands)), flat_valid.reshape(-1, width)
        centred = spectra - mean
        steps = [(centred[:, 1:] - centred[:, :-1])[valid[:, 1:] & valid[:, :-1]]]
        steps.append((centred[1:] - centred[:-1])[valid[1:] & valid[:-1]])
        if above is not None:
            steps.append((centred[0] - above[0])[valid[0] & above[1]])
        above = centred[-1].copy(), valid[-1].copy()
        yield centred[valid], np.concatenate(steps)
