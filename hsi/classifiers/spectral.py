"""Classifiers of single spectra: what a window network must beat, besides position alone."""

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.tiling import Block, Tiling
from hsi.classifiers.model_file import array, setting, within
from hsi.classifiers.protocol import Application, Prediction, Training, expect_finite_scores
from hsi.errors import HsiError
from hsi.features.box_mean import box_mean
from hsi.features.scaling import mean_and_deviation
from hsi.scenes.bands import Bands
from hsi.scenes.class_numbers import LARGEST
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import prepared

MOST_TREES = 5000  # that a model may ask for


class Spectral:
    """What `svm` and `forest` share: an estimator on the standardised spectrum of each pixel.

    A model holds the training spectra. On load the estimator is fitted to them again, which is
    deterministic, instead of being unpickled.
    """

    name: ClassVar[str]
    stepwise: ClassVar[bool] = False
    options: ClassVar[dict[str, Any]] = {}
    has_probabilities: ClassVar[bool] = False
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
        """Return the estimator's settings, chosen on the training pixels alone."""
        raise NotImplementedError

    def make(self, settings: Mapping[str, Any]) -> Any:
        """Return an estimator with these settings, not fitted yet."""
        raise NotImplementedError

    def fit(self, training: Training) -> float:
        """Fit to the standardised training spectra; return the seconds it took."""
        began = time.monotonic()
        scene, train = training.scene, training.split.train
        self.bands = scene.good_bands
        spectra = self._training_spectra(scene, train)
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

    @property
    def halo(self) -> int:
        """Half the side of the box over which spectra are averaged, in pixels."""
        return self.box // 2

    def features(
        self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        """Return the spectra (h, w, B) as float64, NaN where a pixel holds no data."""
        return np.where(valid[..., None], spectra.astype(np.float64), np.nan)

    def refit_scaling(self, scene: Scene, bands: Bands) -> None:
        """Replace mean and standard deviation of each (averaged) band by those of another scene."""

        def parts() -> Iterator[npt.NDArray[np.float64]]:
            for block in Tiling(scene.shape, (64, scene.shape[1]), self.halo):
                around, _ = prepared(scene, *block.around, bands, self.features)
                spectra = self._averaged(around, block)
                yield spectra[~np.isnan(spectra[..., 0])]

        self.mean, self.deviation = mean_and_deviation(parts(), scene)

    def classify(
        self, features: npt.NDArray[Any], block: Block, application: Application
    ) -> Prediction:
        """Return the classes of a block: each pixel by its own spectrum, or the mean around it."""
        spectra = self._averaged(features, block)
        valid = ~np.isnan(block.inner(features)[..., 0])
        indices = np.full(block.shape, -1, np.int64)
        shares = None
        if application.probabilities:
            shares = np.zeros((*block.shape, self.classes), np.float32)
        if not valid.any():
            return Prediction(indices, shares)
        flat = self._standardised(spectra[valid])
        indices[valid] = self.estimator.predict(flat)
        if shares is not None:
            # The estimator knows the classes it was fitted on, which may be fewer.
            known = np.zeros((len(flat), self.classes), np.float32)
            known[:, self.estimator.classes_] = self.estimator.predict_proba(flat)
            shares[valid] = known
        return Prediction(indices, shares)

    def working_bytes(self, block: tuple[int, int]) -> int:
        """Return the bytes of box sums, standardised spectra and each tree's probabilities."""
        around = (block[0] + 2 * self.halo) * (block[1] + 2 * self.halo)
        copies = 3 if self.box > 1 else 1
        shares = 8 * self.classes * ((os.cpu_count() or 1) + 2)
        return around * len(self.bands) * 8 * copies + block[0] * block[1] * (
            len(self.bands) * 28 + shares
        )

    def feature_bytes(self) -> int:
        """Return the bytes of one spectrum in float64."""
        return 8 * len(self.bands)

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return training spectra and standardisation as tensors, and the settings."""
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
        """Return a classifier that is fitted again to the saved training spectra."""
        made = cls()
        made.bands = array(tensors, "bands", (None,), "i")
        across = (len(made.bands),)
        made.mean, made.deviation = (array(tensors, key, across) for key in ("mean", "deviation"))
        if not (made.deviation > 0).all():
            raise HsiError("deviation: expected numbers above 0")
        made.spectra = array(tensors, "spectra", (None, *across))
        made.targets = array(tensors, "targets", (len(made.spectra),), "i")
        made.settings, made.classes = dict(settings), setting(settings, "classes", 1, LARGEST)
        within(made.targets, "targets", made.classes)
        made.estimator = made.make(settings).fit(made.spectra, made.targets)
        return made

    def _training_spectra(
        self, scene: Scene, train: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        """Return the spectra (n, B) of the training pixels, averaged over the box."""
        bands, found = Bands(self.bands), []
        for block in Tiling(scene.shape, (64, scene.shape[1]), self.halo):
            chosen = train[block.rows]
            if chosen.any():
                around, _ = prepared(scene, *block.around, bands, self.features)
                if not np.isfinite(block.inner(around)[chosen]).all():
                    scene.refuse_not_finite()
                found.append(self._averaged(around, block)[chosen])
        return np.concatenate(found)

    def _standardised(self, spectra: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        standard: npt.NDArray[np.float64] = (spectra - self.mean) / self.deviation
        with np.errstate(over="ignore"):  # told below
            narrow = standard.astype(np.float32)
        expect_finite_scores(self.name, finite=bool(np.isfinite(narrow).all()))
        return narrow

    def _averaged(self, features: npt.NDArray[np.float64], block: Block) -> npt.NDArray[np.float64]:
        if self.box == 1:
            return features
        return box_mean(block.padded(features, mode="symmetric"), self.box)


class SVM(Spectral):
    """Support vector machine with a Gaussian kernel; C is searched on the training pixels."""

    name: ClassVar[str] = "svm"
    candidates: ClassVar[tuple[float, ...]] = (1.0, 10.0, 100.0, 1000.0)
    folds: ClassVar[int] = 3

    def choose(self, seed: int) -> dict[str, Any]:
        """Return the C with the best mean accuracy over stratified folds, the smaller of equals.

        A fold counts where it holds pixels and the others hold two classes; where none does, there
        are too few pixels to search on and C is 100.
        """
        from sklearn.model_selection import GridSearchCV

        fold = stratified_folds(self.targets, self.folds, np.random.default_rng(seed))
        parts = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(self.folds)]
        usable = [
            (rest, held_out)
            for rest, held_out in parts
            if len(held_out) and len(np.unique(self.targets[rest])) > 1
        ]
        if not usable:
            return {"c": 100.0, "searched": {}}
        search = GridSearchCV(
            self.make({"c": 1.0}), {"C": self.candidates}, cv=usable, refit=False
        ).fit(self.spectra, self.targets)
        scores = search.cv_results_["mean_test_score"].tolist()
        return {
            "c": search.best_params_["C"],
            "searched": dict(zip(self.candidates, scores, strict=True)),
        }

    def make(self, settings: Mapping[str, Any]) -> Any:
        """Return an SVC whose gamma is 1 / (bands × variance), scikit-learn's `scale`."""
        from sklearn.svm import SVC

        return SVC(C=setting(settings, "c", 1e-9, 1e9), kernel="rbf", gamma="scale", cache_size=500)


class BoxMeanSVM(SVM):
    """`SVM` on spectra averaged over 5 × 5 pixels: the simplest use of neighbours."""

    name: ClassVar[str] = "boxmean-svm"
    box: ClassVar[int] = 5


class Forest(Spectral):
    """Random forest of 500 trees on the standardised spectrum of each pixel."""

    name: ClassVar[str] = "forest"
    has_probabilities: ClassVar[bool] = True

    def choose(self, seed: int) -> dict[str, Any]:
        """Return fixed settings; nothing is searched."""
        return {"trees": 500, "seed": seed}

    def make(self, settings: Mapping[str, Any]) -> Any:
        """Return a forest that uses all cores; the number of cores does not change its result."""
        from sklearn.ensemble import RandomForestClassifier

        trees = setting(settings, "trees", 1, MOST_TREES)
        seed = setting(settings, "seed", 0, 2**32 - 1)
        return RandomForestClassifier(trees, random_state=seed, n_jobs=-1)


def stratified_folds(
    targets: npt.NDArray[np.int64], folds: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return the fold of each sample; each class is spread over the folds as evenly as possible.

    scikit-learn's `StratifiedKFold` warns of a class with fewer samples than folds, and always
    gives its samples to the first folds; its draw would also move the C that is chosen, because
    100 and 1000 are level on Indian Pines (six of twelve searches ended with the other one).

    Parameters
    ----------
    targets : ndarray (n,), int64
    folds : int
    rng : Generator

    Returns
    -------
    ndarray (n,), int64
        The fold of each sample.
    """
    fold = np.empty(len(targets), np.int64)
    for target in np.unique(targets):
        members = rng.permutation(np.flatnonzero(targets == target))
        fold[members] = (np.arange(len(members)) + rng.integers(folds)) % folds
    return fold


def _tensors(**arrays: npt.NDArray[Any]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
