"""The level of spectra: whether a scene comes in the units that a model learned from.

Scale factors are kept and not applied, and files state them or not. Reflectance from 0 to 1, in
per cent and times 10 000 give maps of one size and type, of which only one means anything.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import read

log = logging.getLogger(__name__)

LEVELS = ("level", "scale", "offset")
ROWS = 16  # of a scene that are looked at, spread over it
DOUBTFUL = 2.0  # times, where one scene alone states a scale that would make up for it
COLUMNS = 4096  # of a row that are looked at, at most
APART = 20.0  # times: per cent are 100 times as much as shares, water a tenth as bright as land


def levels(
    scene: Scene, bands: Bands, pixels: npt.NDArray[np.bool_] | None = None
) -> dict[str, float | None]:
    """Return how large the values of a scene are, and the scale that it states.

    Parameters
    ----------
    scene : Scene
    bands : Bands
        Those to look at.
    pixels : ndarray (H, W), bool, optional
        Those to look at; else all that hold data.

    Returns
    -------
    dict
        `level`, the median over the bands of the mean magnitude over pixels of 16 rows, None where
        none of them holds data; `scale` and `offset`, the medians over the bands of what the scene
        states, None where it states nothing.
    """
    height, width = scene.shape
    rows = np.arange(height) if pixels is None else np.flatnonzero(pixels.any(axis=1))
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, ROWS).astype(np.int64))]
    total, number = np.zeros(len(bands)), 0
    for row in chosen.tolist():
        here = slice(row, row + 1)
        spectra, valid = read(scene, here, slice(0, width), bands)
        if pixels is not None:
            valid &= pixels[here]
        some = spectra[valid]
        some = some[:: 1 + len(some) // COLUMNS].astype(np.float64)
        total += np.abs(some).sum(axis=0)
        number += len(some)
    stated = {"scale": scene.scale, "offset": scene.offset}
    none = all(values is None for values in stated.values())
    default = {"scale": None if none else 1.0, "offset": None if none else 0.0}
    level = float(np.median(total / max(number, 1)))
    return {"level": level if number and np.isfinite(level) else None} | {
        key: default[key] if values is None else float(np.median(values))
        for key, values in stated.items()
    }


def warn_of_other_units(
    scene: Scene, bands: Bands, trained: Mapping[str, Any], trained_on: str
) -> None:
    """Log a warning where a scene seems to come in other units than a model learned from.

    Parameters
    ----------
    scene : Scene
    bands : Bands
        Of the scene, those of the model.
    trained : mapping
        What `levels` returned of the training pixels.
    trained_on : str
        The scene of the training, for the message.
    """
    found = levels(scene, bands)
    remedy = "bring both to one scale, or add `refit_scaling`"
    one, other = found["level"], trained["level"]
    if one and other and not 1 / APART < one / other < APART:
        log.warning(
            "%s: its values are about %.3g, those of %s, which the model was trained on, about "
            "%.3g: these are other units, and the map means nothing; %s",
            scene.name, one, trained_on, other, remedy,
        )  # fmt: skip
        return
    here, there = found["scale"], trained["scale"]
    if one and other and (here is None) != (there is None):
        apart = abs(math.log(one / other))
        left = abs(math.log(one * abs(here or 1.0) / (other * abs(there or 1.0))))
        if apart > math.log(DOUBTFUL) and left < apart / 2:
            log.warning(
                "%s: its values are about %.3g, those of %s, which the model was trained on, about "
                "%.3g; the scale of %g that only %s states, and that is not applied, would bring "
                "them together: %s",
                scene.name, one, trained_on, other, here or there,
                trained_on if here is None else scene.name, remedy,
            )  # fmt: skip
            return
    for key in ("scale", "offset"):
        here, there = found[key], trained[key]
        if here is not None and there is not None and not np.isclose(here, there, rtol=1e-3):
            log.warning(
                "%s: it states %s %g, and %s, which the model was trained on, %g; neither is "
                "applied: %s", scene.name, key, here, trained_on, there, remedy,
            )  # fmt: skip
