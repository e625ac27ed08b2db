"""The principal components of a scene in a file, for several trainings and maps."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic, read_npz
from engine.errors import parsing
from hsi.errors import HsiError
from hsi.features.projection import Projection
from hsi.scenes.scene import Scene


@dataclass(frozen=True)
class ComponentsFile:
    """A scene's components, prepared once and used by several trainings.

    Attributes
    ----------
    cube : ndarray (H, W, K), float32
    pca : Projection
    scene : str
        Name of the scene.
    scene_checksum : str
        SHA-256 of the scene's cube.
    """

    cube: npt.NDArray[np.float32]
    pca: Projection
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
        """Raise HsiError if the components are those of another scene."""
        if self.cube.shape[:2] != scene.shape or self.scene_checksum != scene.checksum():
            raise HsiError(
                f"reduced scene: expected the components of {scene.name}, found those of "
                f"{self.scene} ({self.cube.shape[0]} × {self.cube.shape[1]}); run hsi reduce again"
            )


def load_components(path: Path) -> ComponentsFile:
    """Return the components in a file of `hsi reduce`.

    Raises
    ------
    HsiError
        There is no such file, or it holds something else.
    """
    keys = ("cube", "bands", "mean", "components", "scale", "description")
    found = read_npz(path, keys, "hsi reduce", HsiError)
    with parsing(path, "expected a file of hsi reduce", HsiError):
        text: Mapping[str, Any] = json.loads(str(found["description"]))
        words = [text[key] for key in ("fitted_on", "scene", "scene_checksum")]
        if not all(isinstance(word, str) for word in words):
            raise HsiError("description: expected text")
        axes = {
            "cube": ("f", 3, found["cube"].shape[:2] + found["scale"].shape),
            "bands": ("i", 1, found["mean"].shape),
            "mean": ("f", 1, found["bands"].shape),
            "components": ("f", 2, found["scale"].shape + found["bands"].shape),
            "scale": ("f", 1, found["scale"].shape),
        }
        for key, (kind, count, shape) in axes.items():
            array = found[key]
            if array.dtype.kind != kind or array.ndim != count or array.shape != shape:
                raise HsiError(f"{key}: expected {shape}, found {array.dtype} {array.shape}")
            if not array.size or not np.isfinite(array).all():
                raise HsiError(f"{key}: expected finite numbers")
        if (found["bands"] < 0).any() or not (found["scale"] > 0).all():
            raise HsiError("expected bands from 0 up and scales above 0")
        arrays = {key: found[key] for key in ("bands", "mean", "components", "scale")}
        fitted = Projection(**arrays, fitted_on=words[0])
        return ComponentsFile(found["cube"], fitted, words[1], words[2])
