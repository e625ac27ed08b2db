"""The control that measures what position alone gives away: the nearest training pixel."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.tiling import Block
from hsi.classifiers.model_file import array, within
from hsi.classifiers.protocol import Application, Prediction, Training
from hsi.errors import HsiError
from hsi.scenes.bands import Bands
from hsi.scenes.class_numbers import LARGEST
from hsi.scenes.scene import Scene


class Coordinates:
    """One nearest neighbour on (row, column), without any spectra.

    Its accuracy measures how far a split lets position give the class away.
    """

    name: ClassVar[str] = "coordinates"
    stepwise: ClassVar[bool] = False

    options: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.points = np.empty((0, 2), np.int64)
        self.targets = np.empty(0, np.int64)

    def fit(self, training: Training) -> float:
        """Keep the places of the training pixels; return the seconds it took."""
        began = time.monotonic()
        self.points = np.argwhere(training.split.train).astype(np.int64)
        self.targets = training.targets
        return time.monotonic() - began

    @property
    def bands(self) -> npt.NDArray[np.int64]:
        """No bands: spectra only tell which pixels hold data."""
        return np.empty(0, np.int64)

    @property
    def classes(self) -> int:
        """One more than the highest index among the training pixels."""
        return int(self.targets.max(initial=-1)) + 1

    @property
    def halo(self) -> int:
        """Zero: it does not look around a pixel."""
        return 0

    @property
    def has_probabilities(self) -> bool:
        """False: a nearest neighbour gives no probabilities."""
        return False

    def features(self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return features (h, w, 0): spectra are not used."""
        del valid
        return np.empty((*spectra.shape[:2], 0), np.float32)

    def refit_scaling(self, scene: Scene, bands: Bands) -> None:
        """Raise HsiError, because positions have no scaling."""
        del bands
        raise HsiError(f"{scene.name}: `refit_scaling`: {self.name} scales nothing; leave it out")

    def classify(
        self, features: npt.NDArray[Any], block: Block, application: Application
    ) -> Prediction:
        """Return for every pixel the class of the nearest training pixel (Euclidean distance)."""
        from scipy.spatial import KDTree

        del features, application
        corner = np.array([block.rows.start, block.columns.start])
        pixels = np.indices(block.shape).reshape(2, -1).T + corner
        _, nearest = KDTree(self.points).query(pixels)
        return Prediction(self.targets[nearest].reshape(block.shape))

    def working_bytes(self, block: tuple[int, int]) -> int:
        """Return the bytes of places, distances and neighbours."""
        return block[0] * block[1] * 64

    def feature_bytes(self) -> int:
        """Return zero: there are no features."""
        return 0

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the training pixels and their classes as tensors."""
        return {
            "points": torch.from_numpy(self.points),
            "targets": torch.from_numpy(np.ascontiguousarray(self.targets)),
        }, {}

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Return the classifier that `save` described."""
        del settings
        made = cls()
        made.points = array(tensors, "points", (None, 2), "i")
        made.targets = array(tensors, "targets", (len(made.points),), "i")
        within(made.targets, "targets", LARGEST)
        return made
