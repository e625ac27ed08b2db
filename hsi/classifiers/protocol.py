"""The interface of a classifier, and what it is given for training and for a map."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from engine.device import Compute
from engine.tiling import Block
from engine.training.checkpoint import Checkpoint
from hsi.classifiers.schedules import WindowSchedule
from hsi.errors import HsiError
from hsi.features.components import ComponentsFile
from hsi.features.smoothing import Smoothing
from hsi.scenes.bands import Bands
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split


@dataclass(frozen=True)
class Training:
    """Everything that a classifier learns from, and how it learns.

    Attributes
    ----------
    scene, labels, split
        Of one size. A classifier may look at the labels of `split.train` alone.
    seed : int
    schedule : WindowSchedule
        For classifiers that are trained in steps.
    compute : Compute
    checkpoint : Checkpoint
        Keeps the state from which a killed training resumes; already entered.
    reduced : ComponentsFile, optional
        Prepared components of the scene.
    history : Path, optional
        CSV of the loss to write.
    """

    scene: Scene
    labels: Labels
    split: Split
    seed: int
    schedule: WindowSchedule
    compute: Compute
    checkpoint: Checkpoint
    reduced: ComponentsFile | None = None
    history: Path | None = None

    @property
    def targets(self) -> npt.NDArray[np.int64]:
        """Position in `labels.classes` of each training pixel's class, in row order."""
        targets: npt.NDArray[np.int64] = self.labels.indices[self.split.train].astype(np.int64)
        return targets


@dataclass(frozen=True)
class Prediction:
    """A classified scene, or a block of one.

    Attributes
    ----------
    indices : ndarray (H, W), int64
        Position of the class in the training labels' `classes`; −1 where the scene holds no data.
    probabilities : ndarray (H, W, C), float32, optional
        Where they were asked for; 0 where the scene holds no data.
    """

    indices: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32] | None = None

    def numbers(self, classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return class numbers (H, W), 0 where the scene holds no data."""
        return np.concatenate([classes, np.zeros(1, classes.dtype)])[self.indices]


def expect_finite_scores(name: str, *, finite: bool) -> None:
    """Raise HsiError where a classifier has got beyond what numbers hold.

    The largest of NaN would be the first class, without a word.
    """
    if not finite:
        raise HsiError(
            f"{name}: expected finite scores, found NaN or infinite ones; give a scene in the "
            "units that the model was trained on, or train again if its weights are damaged"
        )


@dataclass(frozen=True)
class Application:
    """How to classify a scene.

    Attributes
    ----------
    compute : Compute
    block : int, optional
        Side of the blocks that go through a network at once, in pixels; by default by memory.
    probabilities : bool
        Return the probabilities too; classifiers that have none raise HsiError.
    reduced : ComponentsFile, optional
        Prepared components of the scene, made with the model's own projection.
    bands : Bands, optional
        Which of the scene's bands are the model's; by default those of the same positions.
    """

    compute: Compute
    block: int | None = None
    probabilities: bool = False
    reduced: ComponentsFile | None = None
    bands: Bands | None = None

    def with_probabilities(self) -> "Application":
        """Return the same, probabilities included."""
        return replace(self, probabilities=True)


class Classifier(Protocol):
    """A classifier: it learns from the training pixels of a scene and classifies every pixel."""

    name: ClassVar[str]
    stepwise: ClassVar[bool]  # trains by a schedule of steps and writes a history

    @property
    def options(self) -> Mapping[str, Any]:
        """Settings chosen when it was made, JSON-serialisable; the result depends on them."""

    @property
    def bands(self) -> npt.NDArray[np.int64]:
        """Bands of the training scene that it looks at."""

    @property
    def classes(self) -> int:
        """Classes that it may name: its indices are below."""

    @property
    def halo(self) -> int:
        """Distance to which it looks around a pixel, in pixels."""

    @property
    def has_probabilities(self) -> bool:
        """Whether it gives the probability of each class."""

    def fit(self, training: Training) -> float:
        """Learn from the training pixels; return the seconds, those before a resume included."""

    def features(self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the features (h, w, F) of spectra (h, w, B), each made from its spectrum alone."""

    def refit_scaling(self, scene: Scene, bands: Bands) -> None:
        """Replace mean and standard deviation by those of another scene; the rest stays."""

    def classify(
        self, features: npt.NDArray[Any], block: Block, application: Application
    ) -> Prediction:
        """Return the classes of a block, from its features and those of the halo around it."""

    def working_bytes(self, block: tuple[int, int]) -> int:
        """Return an estimate of the most bytes that `classify` holds on its device."""

    def feature_bytes(self) -> int:
        """Return the bytes of one pixel's features."""

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and JSON-serialisable settings from which `load` makes an equal one."""

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Return the classifier that `save` described."""


@runtime_checkable
class TakesComponents(Protocol):
    """A classifier that can be given the components of a scene in place of its spectra."""

    def check_reduced(self, scene: Scene, reduced: ComponentsFile) -> None:
        """Raise HsiError where prepared components are not the model's, or of another scene."""


@runtime_checkable
class ChoosesSmoothing(Protocol):
    """A classifier that chooses, in training, how its probabilities are smoothed."""

    @property
    def smoothing(self) -> Smoothing:
        """What it has chosen."""


def check_probabilities(
    classifier: Classifier, asked: bool, argument: str = "probabilities"
) -> None:
    """Raise HsiError where `argument` asks for probabilities and the classifier has none."""
    if asked and not classifier.has_probabilities:
        needs = "" if argument == "probabilities" else "needs probabilities, and "
        raise HsiError(
            f"`{argument}`: {needs}{classifier.name} has none; use hybridsn or forest, or leave it "
            "out"
        )
