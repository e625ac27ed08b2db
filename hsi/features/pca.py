"""Principal components of the spectra, computed in float64, some rows at a time."""

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


def fit_pca(
    scene: Scene,
    count: int,
    *,
    whiten: bool = True,
    training: npt.NDArray[np.bool_] | None = None,
) -> Projection:
    """Return principal components, fitted in two passes: the mean, then the covariance.

    The scene is read some rows at a time, and pixels without data are left out.

    Parameters
    ----------
    scene : Scene
        Bands marked as bad are left out.
    count : int
        Number of components K, orthonormal, largest variance first.
    whiten : bool
        Divide each component by its standard deviation.
    training : ndarray (H, W), bool, optional
        Fit on these pixels only; by default on all pixels, labelled or not, which is the published
        protocol and uses no label, but lets the test pixels' spectra into the projection.

    Raises
    ------
    HsiError
        There are fewer bands, pixels or dimensions of the data than components; no pixel holds
        data.
    """
    check_count(scene, count)
    bands = scene.good_bands
    total, number = np.zeros(len(bands)), 0
    for spectra, valid in spectra_of(scene, Bands(bands), training):
        block = spectra[valid]
        total += block.sum(axis=0)
        number += len(block)
    asked = scene.shape[0] * scene.shape[1] if training is None else int(training.sum())
    expect_pixels(scene, number, asked, count)
    mean = total / number
    scatter = np.zeros((len(bands), len(bands)))
    for spectra, valid in spectra_of(scene, Bands(bands), training):
        centred = spectra[valid] - mean
        scatter += centred.T @ centred
    variances, vectors = np.linalg.eigh(scatter / (number - 1))
    variances, components = variances[::-1][:count], vectors.T[::-1][:count]
    if whiten and variances[-1] <= variances[0] * 1e-13:
        raise HsiError(
            f"{scene.name}: components: expected {count} directions that vary, found "
            f"{int((variances > variances[0] * 1e-13).sum())}; ask for so many at most"
        )
    return Projection(
        bands,
        mean,
        with_fixed_signs(components),
        np.sqrt(variances) if whiten else np.ones(count),
        "all pixels" if training is None else "training pixels",
    )
