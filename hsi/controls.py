"""What a network must beat: position alone, and spectra without a window network."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hsi.classifier import Application, Prediction, Training
from hsi.errors import HsiError
from hsi.reduce import row_blocks
from hsi.scene import Scene


class Coordinates:
    """One nearest neighbour on (row, column): no spectra at all.

    What it reaches measures how far a split lets position give the class away.
    """

    name: ClassVar[str] = "coordinates"
    stepwise: ClassVar[bool] = False

    options: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.points = np.empty((0, 2), np.int64)
        self.targets = np.empty(0, np.int64)

    def fit(self, training: Training) -> float:
        """Keep where the training pixels lie."""
        began = time.monotonic()
        self.points = np.argwhere(training.split.train).astype(np.int64)
        self.targets = training.targets
        return time.monotonic() - began

    def predict(self, scene: Scene, application: Application) -> Prediction:
        """Give every pixel the class of the nearest training pixel (Euclidean distance)."""
        from scipy.spatial import KDTree

        _refuse_probabilities(self.name, application)
        pixels = np.indices(scene.shape).reshape(2, -1).T
        _, nearest = KDTree(self.points).query(pixels)
        return Prediction(self.targets[nearest].reshape(scene.shape))

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Points and their classes."""
        return _tensors(points=self.points, targets=self.targets), {}

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Take up what `save` gave."""
        del settings
        made = cls()
        made.points, made.targets = tensors["points"].numpy(), tensors["targets"].numpy()
        return made


class Spectral:
    """What `svm` and `forest` share: an estimator on the standardised spectrum of each pixel.

    The training spectra are what is saved; on load the estimator is fitted again, which is
    deterministic, instead of unpickled.
    """

    name: ClassVar[str]
    stepwise: ClassVar[bool] = False
    options: ClassVar[dict[str, Any]] = {}
    box: ClassVar[int] = 1  # side of the box over which spectra are averaged, in pixels

    def __init__(self) -> None:
        self.bands = np.empty(0, np.int64)
        self.mean = self.deviation = np.empty(0)
        self.spectra = np.empty((0, 0), np.float32)
        self.targets = np.empty(0, np.int64)
        self.classes = 0
        self.settings: dict[str, Any] = {}
        self.estimator: Any = None

    def choose(self, seed: int) -> dict[str, Any]:
        """Choose the estimator's settings on the training pixels alone."""
        raise NotImplementedError

    def make(self, settings: Mapping[str, Any]) -> Any:
        """Make the estimator."""
        raise NotImplementedError

    def fit(self, training: Training) -> float:
        """Standardise the training spectra, choose settings, fit."""
        began = time.monotonic()
        scene, train = training.scene, training.split.train
        self.bands = scene.good_bands
        spectra = np.concatenate(
            [block[train[rows]] for rows, block in self._blocks(scene)], dtype=np.float64
        )
        if not np.isfinite(spectra).all():
            raise scene.not_finite()
        self.mean, deviation = spectra.mean(axis=0), spectra.std(axis=0)
        if not deviation.any():
            raise HsiError(f"{scene.name}: expected bands that vary, found all of them constant")
        self.deviation = np.where(deviation > 0, deviation, 1.0)
        self.spectra = self._standardised(spectra)
        self.targets = training.targets
        self.classes = len(training.labels.classes)
        self.settings = {**self.choose(training.seed), "classes": self.classes, "window": self.box}
        self.estimator = self.make(self.settings).fit(self.spectra, self.targets)
        return time.monotonic() - began

    def predict(self, scene: Scene, application: Application) -> Prediction:
        """Classify block by block of rows."""
        if application.probabilities and not hasattr(self.estimator, "predict_proba"):
            _refuse_probabilities(self.name, application)
        indices = np.empty(scene.shape, np.int64)
        probabilities = None
        if application.probabilities:
            probabilities = np.zeros((*scene.shape, self.classes), np.float32)
        for rows, block in self._blocks(scene):
            flat = self._standardised(block.reshape(-1, block.shape[-1]))
            if not np.isfinite(flat).all():
                raise scene.not_finite()
            indices[rows] = self.estimator.predict(flat).reshape(block.shape[:2])
            if probabilities is not None:
                # The estimator knows the classes it was fitted on, which may be fewer.
                shares = self.estimator.predict_proba(flat)
                known = probabilities[rows].reshape(-1, self.classes)
                known[:, self.estimator.classes_] = shares
                probabilities[rows] = known.reshape(*block.shape[:2], -1)
        return Prediction(indices, probabilities)

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Training spectra, standardisation and settings."""
        tensors = _tensors(
            bands=self.bands,
            mean=self.mean,
            deviation=self.deviation,
            spectra=self.spectra,
            targets=self.targets,
        )
        return tensors, self.settings

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Fit again to the saved training spectra."""
        made = cls()
        for key in ("bands", "mean", "deviation", "spectra", "targets"):
            setattr(made, key, tensors[key].numpy())
        made.settings, made.classes = dict(settings), settings["classes"]
        made.estimator = made.make(settings).fit(made.spectra, made.targets)
        return made

    def _standardised(self, spectra: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        standard: npt.NDArray[np.float64] = (spectra - self.mean) / self.deviation
        return standard.astype(np.float32)

    def _blocks(self, scene: Scene) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
        """Yield blocks of rows with their features, (h, W, B) float64."""
        from scipy.ndimage import uniform_filter

        half = self.box // 2
        for rows in row_blocks(scene):
            # A block is filtered with its neighbouring rows, so that blocks leave no seam.
            above = min(half, rows.start)
            around = scene.cube[rows.start - above : rows.stop + half][..., self.bands]
            spectra = np.asarray(around, np.float64)
            if self.box > 1:
                spectra = uniform_filter(spectra, (self.box, self.box, 1), mode="reflect")
            yield rows, spectra[above : above + rows.stop - rows.start]


class SVM(Spectral):
    """Support vector machine with a Gaussian kernel; C is searched on the training pixels."""

    name: ClassVar[str] = "svm"
    candidates: ClassVar[tuple[float, ...]] = (1.0, 10.0, 100.0, 1000.0)
    folds: ClassVar[int] = 3

    def choose(self, seed: int) -> dict[str, Any]:
        """Take the C with the best mean accuracy over stratified folds, the smaller of equals.

        A fold counts where it holds pixels and the others hold two classes; where none does, there
        are too few pixels to search on and C is 100.
        """
        fold = stratified_folds(self.targets, self.folds, np.random.default_rng(seed))
        usable = [
            f
            for f in range(self.folds)
            if (fold == f).any() and len(np.unique(self.targets[fold != f])) > 1
        ]
        if not usable:
            return {"c": 100.0, "searched": {}}
        scores = []
        for c in self.candidates:
            settings = {"c": c}
            right = [
                np.mean(
                    self.make(settings)
                    .fit(self.spectra[fold != f], self.targets[fold != f])
                    .predict(self.spectra[fold == f])
                    == self.targets[fold == f]
                )
                for f in usable
            ]
            scores.append(float(np.mean(right)))
        best = int(np.argmax(scores))
        return {
            "c": self.candidates[best],
            "searched": dict(zip(self.candidates, scores, strict=True)),
        }

    def make(self, settings: Mapping[str, Any]) -> Any:
        """Gamma is 1 / (bands × variance), as scikit-learn's `scale`."""
        from sklearn.svm import SVC

        return SVC(C=settings["c"], kernel="rbf", gamma="scale", cache_size=500)


class BoxMeanSVM(SVM):
    """The same on spectra averaged over 5 × 5 pixels: the simplest use of neighbours."""

    name: ClassVar[str] = "boxmean-svm"
    box: ClassVar[int] = 5


class Forest(Spectral):
    """Random forest of 500 trees."""

    name: ClassVar[str] = "forest"

    def choose(self, seed: int) -> dict[str, Any]:
        """Nothing is searched."""
        return {"trees": 500, "seed": seed}

    def make(self, settings: Mapping[str, Any]) -> Any:
        """Make it parallel: the result does not depend on the number of jobs."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(settings["trees"], random_state=settings["seed"], n_jobs=-1)


def stratified_folds(
    targets: npt.NDArray[np.int64], folds: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Deal the samples of each class out to folds, as evenly as can be.

    Unlike scikit-learn's, it takes classes with fewer samples than folds.
    """
    fold = np.empty(len(targets), np.int64)
    for target in np.unique(targets):
        members = rng.permutation(np.flatnonzero(targets == target))
        fold[members] = (np.arange(len(members)) + rng.integers(folds)) % folds
    return fold


def _tensors(**arrays: npt.NDArray[Any]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}


def _refuse_probabilities(name: str, application: Application) -> None:
    if application.probabilities:
        raise HsiError(f"--probabilities: {name} has none; use hybridsn or forest, or leave it out")
