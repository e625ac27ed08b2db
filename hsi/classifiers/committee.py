"""A committee of simple classifiers on noise-whitened components, alone and averaged over boxes.

It was found on inner folds of training pixels alone; `results/reference/README.md` has the table.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.tiling import Block, Tiling
from hsi.classifiers.members import (
    BOXES,
    CHUNK_BYTES,
    PLANS,
    KernelRegression,
    Logistic,
    Plan,
)
from hsi.classifiers.model_file import array, projection, projection_tensors, setting
from hsi.classifiers.protocol import Application, Prediction, Training, expect_finite_scores
from hsi.errors import HsiError
from hsi.features.box_mean import box_mean
from hsi.features.mnf import fit_mnf
from hsi.features.projection import Projection
from hsi.features.smoothing import Smoothing
from hsi.scenes.bands import Bands
from hsi.scenes.class_numbers import LARGEST
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import prepared

Floats = npt.NDArray[np.float64]

COMPONENTS = 40  # fewer where the scene has fewer bands
NEAR = 8.0  # pixels from the scene to the nearest training pixel, on average
PIXELS = 20_000  # of the scene whose distance is looked at, at most
PREFIX = "mnf."


class Committee:
    """The mean probability of logistic and kernel regressions, of one of two plans.

    The plan goes by where the training pixels are, not by their classes: `near` where the scene's
    pixels lie within 8 pixels of one on average, else `far`. The components are fitted on all
    pixels of the scene, without labels.
    """

    name: ClassVar[str] = "best"
    stepwise: ClassVar[bool] = False
    has_probabilities: ClassVar[bool] = True
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.mnf: Projection | None = None
        self.classes = 0
        self.centre = self.spread = np.empty(0)
        self.settings: dict[str, Any] = {"plan": next(iter(PLANS))}  # until one is chosen
        self.members: list[Logistic | KernelRegression] = []

    def fit(self, training: Training) -> float:
        """Fit the members of the plan to the training pixels; return the seconds it took."""
        began = time.monotonic()
        scene, targets = training.scene, training.targets
        self.mnf = fit_mnf(scene, min(COMPONENTS, len(scene.good_bands)))
        self.classes = len(training.labels.classes)
        found = np.concatenate(list(self._training_features(scene, training.split.train)))
        deviation = found.std(axis=0)
        self.centre, self.spread = found.mean(axis=0), np.where(deviation > 0, deviation, 1.0)
        standard = (found - self.centre) / self.spread
        distance = mean_distance(training.split.train, np.random.default_rng(training.seed))
        self.settings = {
            "plan": "far" if distance > NEAR else "near",
            "mean_distance": round(distance, 2),
            "classes": self.classes,
        }
        self.settings["window"] = max(self._boxes)
        self.members = self._fitted(self.plan, standard, targets, training.seed)
        return time.monotonic() - began

    @property
    def plan(self) -> Plan:
        """The plan that was chosen."""
        return PLANS[self.settings["plan"]]

    @property
    def smoothing(self) -> Smoothing:
        """The smoothing that goes with the chosen plan."""
        return Smoothing.parse(self.plan.smoothing)

    @property
    def bands(self) -> npt.NDArray[np.int64]:
        """Bands of the training scene that the components are made from."""
        return self._projection.bands

    @property
    def halo(self) -> int:
        """Half the side of the largest box, in pixels."""
        return max(self._boxes) // 2

    def features(self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]) -> Floats:
        """Return components (h, w, K), NaN where a pixel holds no data."""
        projected = self._projection.unscaled(spectra, valid) / self._projection.scale
        return np.where(valid[..., None], projected, np.nan)

    def refit_scaling(self, scene: Scene, bands: Bands) -> None:
        """Replace mean and standard deviation of the components by those of another scene."""
        self.mnf = self._projection.refitted(scene, bands)

    def classify(
        self, features: npt.NDArray[Any], block: Block, application: Application
    ) -> Prediction:
        """Return the classes of a block by the mean probability of the members."""
        valid = ~np.isnan(block.inner(features)[..., 0])
        indices = np.full(block.shape, -1, np.int64)
        shares = np.zeros((*block.shape, self.classes), np.float32)
        if valid.any():
            held = self._with_means(features, block, self._boxes)[valid]
            standard = (held - self.centre) / self.spread
            squared = np.sqrt(np.finfo(standard.dtype).max / standard[0].size)  # as distances are
            expect_finite_scores(self.name, finite=bool((np.abs(standard) < squared).all()))
            mean = self._mean(self.plan, self.members, standard)
            indices[valid], shares[valid] = mean.argmax(axis=1), mean
        return Prediction(indices, shares if application.probabilities else None)

    def working_bytes(self, block: tuple[int, int]) -> int:
        """Return the bytes of box sums, standardised features, kernels and probabilities."""
        around = (block[0] + 2 * self.halo) * (block[1] + 2 * self.halo)
        own = block[0] * block[1] * 8 * (5 * len(BOXES) * self._count + 6 * self.classes)
        return around * self._count * 24 + own + 3 * CHUNK_BYTES

    def feature_bytes(self) -> int:
        """Return the bytes of one pixel's components in float64."""
        return 8 * self._count

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return projection, scaling and members as tensors, and the settings."""
        tensors = projection_tensors(self._projection, PREFIX)
        arrays = {"centre": self.centre, "spread": self.spread}
        for number, member in enumerate(self.members):
            arrays |= {f"{number}.{key}": value for key, value in member.arrays().items()}
        tensors |= {key: torch.from_numpy(np.ascontiguousarray(a)) for key, a in arrays.items()}
        return tensors, self.settings

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Return the classifier that `save` described."""
        made = cls()
        if settings.get("plan") not in PLANS:
            raise HsiError(
                f"plan: expected one of {', '.join(PLANS)}, found {settings.get('plan')!r:.40}; "
                "train again"
            )
        made.settings, made.classes = dict(settings), setting(settings, "classes", 1, LARGEST)
        made.mnf = projection(tensors, PREFIX)
        count, features = made._count, len(BOXES) * made._count
        made.centre = array(tensors, "centre", (features,))
        made.spread = array(tensors, "spread", (features,))
        if not (made.spread > 0).all():
            raise HsiError("spread: expected numbers above 0")
        for number, member in enumerate(made.plan.members):
            given = tensors, f"{number}.", len(member.columns(count)), made.classes
            made.members.append(
                KernelRegression.load(*given, member.parts(count), member.rates)
                if member.rates
                else Logistic.load(*given)
            )
        return made

    @property
    def _projection(self) -> Projection:
        assert self.mnf is not None
        return self.mnf

    @property
    def _count(self) -> int:
        return len(self._projection.scale)

    @property
    def _boxes(self) -> set[int]:
        return {box for member in self.plan.members for box in member.boxes}

    def _fitted(
        self, plan: Plan, standard: Floats, targets: npt.NDArray[np.int64], seed: int
    ) -> list[Logistic | KernelRegression]:
        """Return the members of a plan, fitted to standardised features (n, F)."""
        found: list[Logistic | KernelRegression] = []
        for member in plan.members:
            own = standard[:, member.columns(self._count)]
            if member.rates:
                rng = np.random.default_rng(seed)
                parts = member.parts(self._count)
                found.append(
                    KernelRegression.fit(
                        own, targets, self.classes, parts, member.rates, member.ridge, rng
                    )
                )
            else:
                found.append(Logistic.fit(own, targets, self.classes))
        return found

    def _mean(
        self, plan: Plan, members: list[Logistic | KernelRegression], standard: Floats
    ) -> Floats:
        """Return the mean probabilities (n, C) of members."""
        total = np.zeros((len(standard), self.classes))
        for planned, member in zip(plan.members, members, strict=True):
            total += member.probabilities(standard[:, planned.columns(self._count)])
        return total / len(members)

    def _training_features(self, scene: Scene, train: npt.NDArray[np.bool_]) -> Iterator[Floats]:
        """Yield components and their means (n, F) of the training pixels, some rows at a time."""
        for block in Tiling(scene.shape, (64, scene.shape[1]), max(BOXES) // 2):
            chosen = train[block.rows]
            if chosen.any():
                around, _ = prepared(scene, *block.around, Bands(self.bands), self.features)
                found = self._with_means(around, block, set(BOXES))[chosen]
                if not np.isfinite(found).all():
                    scene.refuse_not_finite()
                yield found

    def _with_means(self, features: Floats, block: Block, boxes: set[int]) -> Floats:
        """Return components and their means over `boxes` (h, w, F); 0 for other boxes."""
        padded = block.padded(features, constant_values=np.nan)
        reach = (padded.shape[0] - block.shape[0]) // 2
        found = np.zeros((*block.shape, len(BOXES), self._count))
        for number, box in enumerate(BOXES):
            if box in boxes:
                cut = reach - box // 2
                inner = padded[cut : len(padded) - cut, cut : padded.shape[1] - cut]
                found[..., number, :] = box_mean(inner, box)
        return found.reshape(*block.shape, -1)


def mean_distance(train: npt.NDArray[np.bool_], rng: np.random.Generator) -> float:
    """Return how far the scene's pixels are from the nearest training pixel, on average.

    Parameters
    ----------
    train : ndarray (H, W), bool
        At least one pixel. Which of the others are labelled or tested is not known here.
    rng : Generator
        Draws 20,000 pixels of a larger scene.

    Returns
    -------
    float
        Mean Chebyshev distance in pixels of those that are not trained on; 0 without any.

    Examples
    --------
    >>> train = np.zeros((1, 5), bool)
    >>> train[0, 0] = True
    >>> mean_distance(train, np.random.default_rng(0))
    2.5
    """
    from scipy.spatial import KDTree

    others = np.flatnonzero(~train)
    if not len(others):
        return 0.0
    if len(others) > PIXELS:
        others = rng.choice(others, PIXELS, replace=False)
    places = np.stack(np.unravel_index(others, train.shape), axis=1)
    return float(np.mean(KDTree(np.argwhere(train)).query(places, p=np.inf)[0]))
