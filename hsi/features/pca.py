"""Principal components of the spectra, computed in float64, some rows at a time."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import sha256_arrays
from hsi.errors import HsiError
from hsi.features.scaling import mean_and_deviation
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import prepared, read, refuse_without_data, strips

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PCA:
    """A fitted projection on principal components.

    Attributes
    ----------
    bands : ndarray (B,), int64
        Bands of the scene that are projected.
    mean : ndarray (B,), float64
    components : ndarray (K, B), float64
        Orthonormal rows, largest variance first; the entry of largest magnitude is positive.
    scale : ndarray (K,), float64
        What each component is divided by: its standard deviation when whitened, else 1.
    fitted_on : str
        'all pixels' or 'training pixels'.
    """

    bands: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    components: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    fitted_on: str

    def project(
        self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float32]:
        """Return the components (..., K), float32, of spectra (..., B) of the projection's bands.

        Where a spectrum holds no data (`valid` is False) all components are zero, as beyond the
        scene's border.
        """
        projected: npt.NDArray[np.float64] = self.unscaled(spectra, valid) / self.scale
        return projected.astype(np.float32)

    def unscaled(
        self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        """Return the components (..., K), float64, without whitening."""
        chosen = np.asarray(spectra, np.float64)
        if not valid.all():
            chosen = np.where(valid[..., None], chosen, self.mean)
        projected: npt.NDArray[np.float64] = (chosen - self.mean) @ self.components.T
        return projected

    def reduce(self, scene: Scene, bands: Bands | None = None) -> npt.NDArray[np.float32]:
        """Return the components (H, W, K), float32, of a scene, projected some rows at a time."""
        height, width = scene.shape
        chosen = bands or Bands(self.bands)
        everywhere = slice(0, height), slice(0, width)
        return prepared(scene, *everywhere, chosen, self.project)[0]

    def refitted(self, scene: Scene, bands: Bands) -> "PCA":
        """Return the projection with mean and scale of another scene; the directions stay."""
        found = _spectra(scene, bands, None)
        projected = (self.unscaled(spectra, valid)[valid] for spectra, valid in found)
        mean, deviation = mean_and_deviation(projected, scene)
        whitened = not (self.scale == 1).all()
        return replace(
            self,
            mean=self.mean + mean @ self.components,
            scale=deviation if whitened else self.scale,
        )

    def of_nothing(self) -> npt.NDArray[np.float64]:
        """Return the components (K,) of a spectrum of zeros."""
        projected: npt.NDArray[np.float64] = -(self.components @ self.mean) / self.scale
        return projected

    def checksum(self) -> str:
        """Return the SHA-256 of the projection."""
        return sha256_arrays(self.bands, self.mean, self.components, self.scale)


def fit_pca(
    scene: Scene,
    count: int,
    *,
    whiten: bool = True,
    training: npt.NDArray[np.bool_] | None = None,
) -> PCA:
    """Return principal components, fitted in two passes: the mean, then the covariance.

    The scene is read some rows at a time, and pixels without data are left out.

    Parameters
    ----------
    scene : Scene
        Bands marked as bad are left out.
    count : int
        Number of components K.
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
    bands = scene.good_bands
    if not 1 <= count <= len(bands):
        raise HsiError(
            f"{scene.name}: components: expected 1 to {len(bands)}, the usable bands, found "
            f"{count}; give `components` in this range"
        )
    total, number = np.zeros(len(bands)), 0
    for spectra, valid in _spectra(scene, Bands(bands), training):
        block = spectra[valid]
        total += block.sum(axis=0)
        number += len(block)
    asked = scene.shape[0] * scene.shape[1] if training is None else int(training.sum())
    if not number and asked:
        if scene.cube.dtype.kind == "f":
            scene.refuse_not_finite()
        refuse_without_data(scene)
    if number < asked:
        log.warning(
            "%s: %d of %d pixels hold no data and are left out of the principal components",
            scene.name, asked - number, asked,
        )  # fmt: skip
    if number <= count:
        raise HsiError(f"{scene.name}: {count} components need more than {number} pixels")
    mean = total / number
    scatter = np.zeros((len(bands), len(bands)))
    for spectra, valid in _spectra(scene, Bands(bands), training):
        centred = spectra[valid] - mean
        scatter += centred.T @ centred
    variances, vectors = np.linalg.eigh(scatter / (number - 1))
    variances, components = variances[::-1][:count], vectors.T[::-1][:count]
    if whiten and variances[-1] <= variances[0] * 1e-13:
        raise HsiError(
            f"{scene.name}: components: expected {count} directions that vary, found "
            f"{int((variances > variances[0] * 1e-13).sum())}; ask for so many at most"
        )
    # An eigenvector's sign is arbitrary: fix it.
    peak = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(count), peak])[:, None]
    return PCA(
        bands,
        mean,
        np.ascontiguousarray(components),
        np.sqrt(variances) if whiten else np.ones(count),
        "all pixels" if training is None else "training pixels",
    )


def _spectra(
    scene: Scene, bands: Bands, training: npt.NDArray[np.bool_] | None
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]:
    """Yield spectra (n, B) in float64, some rows at a time, and which of them to fit on."""
    height, width = scene.shape
    columns = slice(0, width)
    for rows in strips(scene, slice(0, height), columns, bands):
        spectra, valid = read(scene, rows, columns, bands)
        if training is not None:
            valid &= training[rows]
        yield spectra.reshape(-1, len(bands)).astype(np.float64), valid.ravel()
