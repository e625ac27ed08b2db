"""Two views of a pixel: its spectrum, and the patch around it without that spectrum."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.features.mnf import fit_mnf
from hsi.features.pca import fit_pca
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

FEATURES = ("mnf", "pca")


@dataclass(frozen=True)
class Views:
    """Some pixels of a scene, each in two views that share no measurement.

    Attributes
    ----------
    spectra : ndarray (N, K), float32
        The pixel's spectrum, as components; the strongest has standard deviation 1.
    patches : ndarray (N, w² − 1, K), float32
        Components of the other pixels of a w × w window, row by row; 0 beyond the scene and where
        it holds no data.
    classes : ndarray (N,), int64
        Positions in `Labels.classes`.
    positions : ndarray (N, 2), int64
        Row and column.
    """

    spectra: Floats
    patches: Floats
    classes: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of pixels."""
        return len(self.classes)

    @property
    def flat_patches(self) -> Floats:
        """The patches as vectors, (N, (w² − 1) K)."""
        return self.patches.reshape(len(self), -1)


def components(scene: Scene, features: str, count: int, training: Mask) -> Floats:
    """Return the components (H, W, K) of a scene, the strongest of standard deviation 1.

    Parameters
    ----------
    scene : Scene
    features : {'mnf', 'pca'}
        Noise-whitened components, fitted on all pixels without labels; or whitened principal
        components, fitted on the training pixels.
    count : int
        K.
    training : ndarray (H, W), bool

    Raises
    ------
    HsiError
        Other features; there are fewer bands or pixels than components.
    """
    if features not in FEATURES:
        raise HsiError(f"`features` {features}: expected one of {', '.join(FEATURES)}")
    if features == "pca":
        return fit_pca(scene, count, training=training).reduce(scene)
    cube = fit_mnf(scene, count, whiten=False).reduce(scene)
    strongest = float(cube[training].std(axis=0).max())
    return cube / np.float32(strongest)


class ViewMaker:
    """Make both views of pixels from the components of a scene.

    Parameters
    ----------
    scene : Scene
    cube : ndarray (H, W, K), float32
        Of `components`.
    window : int
        Odd side w of the patch, 3 pixels at least.

    Raises
    ------
    HsiError
        The window is even, below 3 or larger than the scene.
    """

    def __init__(self, scene: Scene, cube: Floats, window: int) -> None:
        if window < 3 or window % 2 == 0 or window > min(scene.shape):
            rows, columns = scene.shape
            raise HsiError(
                f"`window` {window}: expected an odd number of pixels, 3 at least and at most the "
                f"{rows} × {columns} of {scene.name}, so that a patch has pixels beside its centre"
            )
        self.scene, self.cube, self.half = scene, cube, window // 2

    def views(self, labels: Labels, pixels: Mask) -> Views:
        """Return the views of labelled pixels (H, W), bool, row by row.

        Raises
        ------
        HsiError
            A pixel holds no data.
        """
        positions = np.argwhere(pixels)
        spectra = self.cube[pixels]
        empty = ~spectra.any(axis=1)  # components are zero where there is no data
        if empty.any():
            row, column = positions[empty.argmax()]
            raise HsiError(
                f"{self.scene.name}: expected data at every pixel of the split, found none at "
                f"{int(empty.sum())}, first at row {row}, column {column}; split again "
                "with `scene`, which leaves them out"
            )
        half, side = self.half, 2 * self.half + 1
        around = np.pad(self.cube, ((half, half), (half, half), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(around, (side, side), axis=(0, 1))
        patches = windows[positions[:, 0], positions[:, 1]]  # (N, K, w, w)
        patches = patches.reshape(*patches.shape[:2], -1).transpose(0, 2, 1)
        others = np.arange(side**2) != side**2 // 2
        classes = labels.indices[pixels].astype(np.int64)
        return Views(spectra, np.ascontiguousarray(patches[:, others]), classes, positions)
