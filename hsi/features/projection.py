"""A fitted linear projection of spectra, and how a scene is read to fit one."""

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
class Projection:
    """A fitted linear projection: principal components, or those of least noise.

    Attributes
    ----------
    bands : ndarray (B,), int64
        Bands of the scene that are projected.
    mean : ndarray (B,), float64
    components : ndarray (K, B), float64
        Linearly independent rows, the most informative first; the entry of largest magnitude of
        each is positive.
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
        with np.errstate(over="ignore"):  # scores are not finite then, and that is told
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

    def refitted(self, scene: Scene, bands: Bands) -> "Projection":
        """Return the projection with mean and scale of another scene; the directions stay."""
        found = spectra_of(scene, bands)
        projected = (self.unscaled(spectra, valid)[valid] for spectra, valid in found)
        mean, deviation = mean_and_deviation(projected, scene)
        whitened = not (self.scale == 1).all()
        return replace(
            self,
            mean=self.mean + np.linalg.pinv(self.components) @ mean,
            scale=deviation if whitened else self.scale,
        )

    def of_nothing(self) -> npt.NDArray[np.float64]:
        """Return the components (K,) of a spectrum of zeros."""
        projected: npt.NDArray[np.float64] = -(self.components @ self.mean) / self.scale
        return projected

    def checksum(self) -> str:
        """Return the SHA-256 of the projection."""
        return sha256_arrays(self.bands, self.mean, self.components, self.scale)


def with_fixed_signs(components: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return components (K, B) of which the entry of largest magnitude is positive.

    The sign of an eigenvector is arbitrary.
    """
    peak = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), peak])
    return np.ascontiguousarray(components * signs[:, None])


def check_count(scene: Scene, count: int, chosen: Bands | None = None) -> int:
    """Return the number of bands to project, by default those that are not marked as bad.

    Raises
    ------
    HsiError
        There are fewer than components are asked for.
    """
    bands = len(scene.good_bands if chosen is None else chosen)
    if not 1 <= count <= bands:
        raise HsiError(
            f"{scene.name}: components: expected 1 to {bands}, the usable bands, found "
            f"{count}; give `components` in this range"
        )
    return bands


def expect_pixels(scene: Scene, number: int, asked: int, count: int) -> None:
    """Raise HsiError where too few pixels hold data; warn where some do not.

    Parameters
    ----------
    scene : Scene
    number : int
        Pixels that hold data.
    asked : int
        All pixels that were looked at.
    count : int
        Components that are asked for.
    """
    if not number and asked:
        if scene.cube.dtype.kind == "f":
            scene.refuse_not_finite()
        refuse_without_data(scene)
    if number < asked:
        log.warning(
            "%s: %d of %d pixels hold no data and are left out of the components",
            scene.name, asked - number, asked,
        )  # fmt: skip
    if number <= count:
        raise HsiError(f"{scene.name}: {count} components need more than {number} pixels")


def spectra_of(
    scene: Scene, bands: Bands, training: npt.NDArray[np.bool_] | None = None
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]:
    """Yield spectra (n, B) in float64, some rows at a time, and which of them to fit on."""
    height, width = scene.shape
    columns = slice(0, width)
    for rows in strips(scene, slice(0, height), columns, bands):
        spectra, valid = read(scene, rows, columns, bands)
        if training is not None:
            valid &= training[rows]
        yield spectra.reshape(-1, len(bands)).astype(np.float64), valid.ravel()
