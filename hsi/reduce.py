"""Principal components of the spectra, computed in float64 over blocks of rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic, sha256_arrays
from hsi.errors import HsiError
from hsi.scene import Scene

BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class PCA:
    """A fitted projection on principal components.

    Attributes
    ----------
    bands : ndarray (B,), int64
        Which bands of the scene go in.
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

    def transform(self, spectra: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Project spectra (..., all bands of the scene) to (..., K), float32.

        Raises
        ------
        HsiError
            A value that is not finite.
        """
        chosen = np.asarray(spectra[..., self.bands], np.float64)
        projected: npt.NDArray[np.float64] = (chosen - self.mean) @ self.components.T / self.scale
        if not np.isfinite(projected).all():
            raise HsiError("the scene holds NaN or infinite values; mask or repair them first")
        return projected.astype(np.float32)

    def reduce(self, scene: Scene) -> npt.NDArray[np.float32]:
        """Project a whole scene to (H, W, K), float32, block by block."""
        height, width = scene.shape
        reduced = np.empty((height, width, len(self.scale)), np.float32)
        for rows in row_blocks(scene):
            try:
                reduced[rows] = self.transform(scene.cube[rows])
            except HsiError as error:
                raise scene.not_finite() from error
        return reduced

    def checksum(self) -> str:
        """SHA-256 of the projection."""
        return sha256_arrays(self.bands, self.mean, self.components, self.scale)


def row_blocks(scene: Scene) -> list[slice]:
    """Cut the rows of a scene so that a block in float64 stays near 64 MiB."""
    height, width, bands = scene.cube.shape
    rows = max(1, BLOCK_BYTES // (width * bands * 8))
    return [slice(start, min(start + rows, height)) for start in range(0, height, rows)]


def fit_pca(
    scene: Scene,
    count: int,
    *,
    whiten: bool = True,
    training: npt.NDArray[np.bool_] | None = None,
) -> PCA:
    """Fit principal components in two passes: the mean, then the covariance.

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
        More components than bands, pixels or dimensions of the data; values that are not finite.
    """
    bands = scene.good_bands
    if not 1 <= count <= len(bands):
        raise HsiError(
            f"{scene.name}: components: expected 1 to {len(bands)}, the usable bands, found {count}"
        )
    total, number = np.zeros(len(bands)), 0
    for block in _spectra(scene, bands, training):
        total += block.sum(axis=0)
        number += len(block)
    if number <= count:
        raise HsiError(f"{scene.name}: {count} components need more than {number} pixels")
    mean = total / number
    scatter = np.zeros((len(bands), len(bands)))
    for block in _spectra(scene, bands, training):
        centred = block - mean
        scatter += centred.T @ centred
    if not np.isfinite(scatter).all():
        raise scene.not_finite()
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
    scene: Scene, bands: npt.NDArray[np.int64], training: npt.NDArray[np.bool_] | None
) -> Any:
    """Yield the pixels to fit on, (n, B) float64, block by block."""
    for rows in row_blocks(scene):
        block = np.asarray(scene.cube[rows][..., bands], np.float64)
        yield block.reshape(-1, len(bands)) if training is None else block[training[rows]]


@dataclass(frozen=True)
class Reduced:
    """A scene's components, prepared once and used by several trainings.

    Attributes
    ----------
    cube : ndarray (H, W, K), float32
    pca : PCA
    scene : str
        Name of the scene.
    scene_checksum : str
        Of the scene's cube.
    """

    cube: npt.NDArray[np.float32]
    pca: PCA
    scene: str
    scene_checksum: str

    def save(self, path: Path) -> None:
        """Write everything to one .npz without pickles."""
        description = {
            "scene": self.scene,
            "scene_checksum": self.scene_checksum,
            "fitted_on": self.pca.fitted_on,
        }
        with atomic(path) as part, part.open("wb") as file:
            np.savez(
                file,
                cube=self.cube,
                bands=self.pca.bands,
                mean=self.pca.mean,
                components=self.pca.components,
                scale=self.pca.scale,
                description=np.array(json.dumps(description)),
            )

    def check_fits(self, scene: Scene) -> None:
        """Raise HsiError where the components are of another scene."""
        if self.cube.shape[:2] != scene.shape or self.scene_checksum != scene.checksum():
            raise HsiError(
                f"reduced scene: expected the components of {scene.name}, found those of "
                f"{self.scene} ({self.cube.shape[0]} × {self.cube.shape[1]}); run hsi reduce again"
            )


def load_reduced(path: Path) -> Reduced:
    """Read what `Reduced.save` wrote.

    Raises
    ------
    HsiError
        No such file, or not one of `hsi reduce`.
    """
    found = read_npz(
        path, ("cube", "bands", "mean", "components", "scale", "description"), "reduce"
    )
    text: Mapping[str, str] = json.loads(str(found["description"]))
    pca = PCA(found["bands"], found["mean"], found["components"], found["scale"], text["fitted_on"])
    return Reduced(found["cube"], pca, text["scene"], text["scene_checksum"])


def read_npz(path: Path, keys: tuple[str, ...], command: str) -> dict[str, npt.NDArray[Any]]:
    """Read the named arrays of a .npz that `hsi <command>` wrote, without pickles."""
    from zipfile import BadZipFile

    if not path.is_file():
        raise HsiError(f"{path}: no such file; make it with hsi {command}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in keys}
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        BadZipFile,
        AttributeError,
        TypeError,
    ) as error:
        raise HsiError(f"{path}: expected a file of hsi {command} ({error})") from error
