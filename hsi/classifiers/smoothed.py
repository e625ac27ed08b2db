"""A classifier whose class probabilities are smoothed over neighbouring pixels."""

import time
from collections.abc import Mapping
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
from torch import Tensor

from engine.tiling import Block
from hsi.classifiers.model_file import projection, projection_tensors
from hsi.classifiers.protocol import (
    Application,
    ChoosesSmoothing,
    Classifier,
    Prediction,
    Training,
    check_probabilities,
)
from hsi.errors import HsiError
from hsi.features.mnf import fit_mnf
from hsi.features.projection import Projection
from hsi.features.smoothing import EXPECTED, Smoothing
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene

SETTING = "smooth"  # among the settings of a classifier and of its model file
AUTO, NONE = "auto", "none"  # its values beside those of `Smoothing.parse`
PREFIX = "guide."  # of the tensors of the guide's projection


def smoothed(
    classifier: Classifier,
    smoothing: Smoothing | None,
    scene: Scene | None = None,
    bands: Bands | None = None,
) -> Classifier:
    """Return a classifier whose probabilities are smoothed.

    Parameters
    ----------
    classifier : Classifier
        Untrained; or trained, and to be smoothed in the map of `scene`.
    smoothing : Smoothing, optional
        By default what the classifier chooses in training, if it does.
    scene : Scene, optional
        Whose components guide.
    bands : Bands, optional
        The classifier's bands in that scene; by default those of the same positions.

    Raises
    ------
    HsiError
        The classifier has no probabilities, or chooses no smoothing.
    """
    if smoothing is None and not isinstance(classifier, ChoosesSmoothing):
        raise HsiError(
            f"`{SETTING}` {AUTO}: {classifier.name} chooses none; expected {EXPECTED}, or {NONE}"
        )
    check_probabilities(classifier, True, SETTING)
    made = Smoothed(classifier, smoothing)
    if scene is not None:
        made.guided_by(scene, bands or Bands(classifier.bands))
    return cast(Classifier, made)


class Smoothed:
    """Another classifier, and the smoothing of its probabilities.

    Parameters
    ----------
    classifier : Classifier
        With probabilities.
    smoothing : Smoothing, optional
        By default what the classifier chooses in training.
    guide : Projection, optional
        Of the components that guide; fitted in training, and by `guided_by` for a map alone.
    """

    def __init__(
        self, classifier: Classifier, smoothing: Smoothing | None, guide: Projection | None = None
    ) -> None:
        self.classifier, self.chosen, self.guide = classifier, smoothing, guide
        self.name, self.stepwise = classifier.name, classifier.stepwise

    @property
    def options(self) -> Mapping[str, Any]:
        """Settings of the classifier, and the smoothing."""
        return {**self.classifier.options, SETTING: str(self.chosen or AUTO)}

    @property
    def smoothing(self) -> Smoothing:
        """The smoothing that was asked for, or that the trained classifier has chosen."""
        if self.chosen is not None:
            return self.chosen
        assert isinstance(self.classifier, ChoosesSmoothing)
        return self.classifier.smoothing

    @property
    def bands(self) -> npt.NDArray[np.int64]:
        """Bands of the training scene that it looks at."""
        return self.classifier.bands

    @property
    def classes(self) -> int:
        """Classes that it may name."""
        return self.classifier.classes

    @property
    def halo(self) -> int:
        """Distance to which classifier and smoothing together look around a pixel."""
        return self.classifier.halo + self.smoothing.halo

    @property
    def has_probabilities(self) -> bool:
        """Whether the classifier gives probabilities, which are what is smoothed."""
        return self.classifier.has_probabilities

    def fit(self, training: Training) -> float:
        """Learn from the training pixels; return the seconds, those of the guide included."""
        seconds = self.classifier.fit(training)
        began = time.monotonic()
        self.guided_by(training.scene)
        return seconds + time.monotonic() - began

    def guided_by(self, scene: Scene, bands: Bands | None = None) -> None:
        """Fit the components that guide on all pixels of a scene, without labels."""
        if self.smoothing.guides:
            count = min(self.smoothing.guides, len(scene.good_bands if bands is None else bands))
            self.guide = fit_mnf(scene, count, bands=bands)

    def features(self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the classifier's features, and those that guide behind them (h, w, F + G).

        Another channel says which pixels hold data.
        """
        found = self.classifier.features(spectra, valid)
        parts = [found, valid[..., None].astype(found.dtype)]
        if self.guide is not None:
            parts.append(self.guide.project(spectra, valid).astype(found.dtype))
        return np.concatenate(parts, axis=-1)

    def refit_scaling(self, scene: Scene, bands: Bands) -> None:
        """Replace mean and standard deviation by those of another scene; the rest stays."""
        self.classifier.refit_scaling(scene, bands)
        if self.guide is not None:
            self.guide = self.guide.refitted(scene, bands)

    def classify(
        self, features: npt.NDArray[Any], block: Block, application: Application
    ) -> Prediction:
        """Return the classes of a block, from the probabilities of it and of what is around."""
        wide = _widened(block, self.smoothing.halo, self.classifier.halo)
        behind = 1 + (0 if self.guide is None else len(self.guide.scale))
        own = features.shape[-1] - behind
        found = self.classifier.classify(
            np.ascontiguousarray(features[..., :own]), wide, application.with_probabilities()
        )
        assert found.probabilities is not None
        extra = wide.inner(features[..., own:])
        valid = extra[..., 0] > 0
        guide = None if self.guide is None else extra[..., 1:].astype(np.float64)
        inside = _within(block, wide)
        shares = self.smoothing.apply(found.probabilities, valid, guide)[inside]
        indices = np.where(valid[inside], shares.argmax(axis=-1), -1)
        return Prediction(indices, shares if application.probabilities else None)

    def working_bytes(self, block: tuple[int, int]) -> int:
        """Return the bytes of the classifier on the block and its halo, and of the smoothing."""
        wide = block[0] + 2 * self.smoothing.halo, block[1] + 2 * self.smoothing.halo
        smoothing = self.smoothing.working_bytes(wide[0] * wide[1], self.classes)
        return max(self.classifier.working_bytes(wide), smoothing) + self.feature_bytes() * (
            wide[0] * wide[1]
        )

    def feature_bytes(self) -> int:
        """Return the bytes of one pixel's features, at most."""
        return self.classifier.feature_bytes() + 8 * (1 + self.smoothing.guides)

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return what the classifier saves, the smoothing, and the projection that guides."""
        tensors, settings = self.classifier.save()
        settings = {**settings, SETTING: str(self.smoothing)}
        if self.guide is not None:
            tensors = {**tensors, **projection_tensors(self.guide, PREFIX)}
        return tensors, settings

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Raise HsiError: `loaded` needs the classifier, too."""
        del tensors, settings
        raise HsiError("expected the kind of the smoothed classifier")


def loaded(
    kind: type[Classifier], tensors: Mapping[str, Tensor], settings: Mapping[str, Any]
) -> Classifier:
    """Return the classifier that `save` described, smoothed where its settings say so."""
    classifier = kind.load(tensors, settings)
    if SETTING not in settings:
        return classifier
    smoothing = Smoothing.parse(settings[SETTING])
    guide = None
    if smoothing.guides:
        guide = projection(tensors, PREFIX)
        if not np.array_equal(guide.bands, classifier.bands):
            raise HsiError(f"{PREFIX}bands: expected the classifier's bands, found others")
    check_probabilities(classifier, True, SETTING)
    return cast(Classifier, Smoothed(classifier, smoothing, guide))


def _widened(block: Block, reach: int, halo: int) -> Block:
    """Return a block and `reach` pixels around it, as far as they are in the image."""
    sides, beyond = [], []
    for own, around, over in zip(
        (block.rows, block.columns), block.around, block.beyond, strict=True
    ):
        wide = slice(max(own.start - reach, around.start), min(own.stop + reach, around.stop))
        sides.append(wide)
        size = around.stop if over[1] else None  # only then is the end of the image known
        after = 0 if size is None else max(wide.stop + halo - size, 0)
        beyond.append((max(halo - wide.start, 0), after))
    return Block(sides[0], sides[1], block.around, (beyond[0], beyond[1]))


def _within(block: Block, wide: Block) -> tuple[slice, slice]:
    """Return where a block lies in a wider one."""
    top, left = block.rows.start - wide.rows.start, block.columns.start - wide.columns.start
    return slice(top, top + block.shape[0]), slice(left, left + block.shape[1])
