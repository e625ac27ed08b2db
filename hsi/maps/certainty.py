"""What the probabilities of a block become: classes left open, and rasters of certainty."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.calibration.conformal import class_sets, least_for
from hsi.calibration.temperature import tempered
from hsi.classifiers.model import Model
from hsi.classifiers.protocol import Prediction
from hsi.errors import HsiError
from hsi.maps.options import MapOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Certainty:
    """How probabilities are read: each pixel's alone, so that blocks do not change the map.

    Attributes
    ----------
    temperature : float
        Of the model's calibration; 1 without one.
    abstain : float, optional
        Pixels whose highest probability is lower are left open.
    least : float, optional
        Probability, before calibration, from which a class is in a pixel's set.
    """

    temperature: float = 1.0
    abstain: float | None = None
    least: np.float32 | None = None

    def read(self, found: Prediction) -> tuple[Prediction, Mapping[str, npt.NDArray[Any]]]:
        """Return a block whose uncertain pixels are open, and its rasters by name.

        Returns
        -------
        Prediction
            −1 where the highest probability is below `abstain`; probabilities are calibrated.
        mapping of str to ndarray
            `probabilities` (h, w, C), `confidence` (the highest), `margin` (highest less second),
            `entropy` (in bits; NaN without data), float32, and `sets` (h, w, C), uint8. Empty
            without probabilities.
        """
        if found.probabilities is None:
            return found, {}
        shares = tempered(found.probabilities, self.temperature)
        two = np.sort(shares, axis=-1)[..., -2:]
        layers = {
            "probabilities": shares,
            "confidence": two[..., -1],
            "margin": two[..., -1] - two[..., 0],
            "entropy": _entropy(shares),
        }
        if self.least is not None:
            layers["sets"] = class_sets(found.probabilities, self.least)
        indices = found.indices
        if self.abstain is not None:
            indices = np.where(two[..., -1] < self.abstain, -1, indices)
        return replace(found, indices=indices, probabilities=shares), layers


def certainty_of(model: Model, options: MapOptions) -> Certainty:
    """Return how a map's options read the probabilities of a model.

    Raises
    ------
    HsiError
        Sets are asked for, and the model holds no calibration, or one of other probabilities.
    """
    kept = model.description.get("calibration")
    if options.sets is not None and kept is None:
        raise HsiError(
            f"`sets` {options.sets:g}: expected a calibrated model, found one without; run hsi "
            "calibrate, and map with what it writes"
        )
    if kept is not None and options.smooth is not None:
        learned = "was learned without that smoothing"
        remedy = f"train with smooth={options.smooth} and calibrate again"
        if options.sets is not None:
            raise HsiError(f"`sets` {options.sets:g}: the coverage {learned}; {remedy}")
        if options.of_probabilities:
            log.warning("%s: the temperature %s; %s", options.smooth, learned, remedy)
    temperature = 1.0 if kept is None else float(kept["temperature"])
    least = None if options.sets is None or kept is None else least_for(kept["least"], options.sets)
    return Certainty(temperature, options.abstain, least)


def _entropy(shares: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the entropy of each pixel in bits, (h, w); NaN where all probabilities are 0."""
    logs = np.log2(np.where(shares > 0, shares, 1))
    entropy: npt.NDArray[np.float32] = -(shares * logs).sum(axis=-1)
    return np.where(shares.any(axis=-1), np.maximum(entropy, 0), np.nan).astype(np.float32)
