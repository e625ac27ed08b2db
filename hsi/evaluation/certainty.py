"""What the rasters beside a map say on test pixels: calibration error, coverage, class sets."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.tables import write_csv
from hsi.calibration.reliability import COLUMNS, calibration_error, coverage_curve
from hsi.errors import HsiError
from hsi.figures import blank_figure, save_figure
from hsi.formats.registry import read
from hsi.maps.record import layer_beside
from hsi.scenes.labels import Labels
from hsi.splits.split import Split

log = logging.getLogger(__name__)


def layers_beside(map_path: Path, record: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Return the rasters of `hsi classify` beside a map that can be scored, by name.

    Parameters
    ----------
    map_path : Path
    record : mapping
        Of the map. Where pixels were left open or changed afterwards, the highest probability is
        no longer that of the map's class, and is not returned.

    Returns
    -------
    dict of str to ndarray
        `confidence` (H, W) and `sets` (H, W, C), where they are there and the record names them.
    """
    found = {}
    for name in ("confidence", "sets"):
        path = layer_beside(map_path, record, name)
        if path is not None:
            found[name] = read(path, "cube" if name == "sets" else "labels").array
    changed = [key for key in ("abstain", "majority", "sieve") if record.get(key) is not None]
    if changed and "confidence" in found:
        log.info("%s: made with %s: its confidence is not scored", map_path, ", ".join(changed))
        del found["confidence"]
    return found


def score_layers(
    layers: Mapping[str, npt.NDArray[Any]],
    right: npt.NDArray[np.bool_],
    labels: Labels,
    split: Split,
    out: Path,
    title: str,
) -> dict[str, float]:
    """Write `coverage.csv` and `coverage.png`, and return the figures for `scores.json`.

    Without `confidence`, those of earlier scores in the folder are deleted.

    Parameters
    ----------
    layers : mapping of str to ndarray
        Of `layers_beside`.
    right : ndarray (n,), bool
        Whether the map has each test pixel right, row by row.
    labels, split
        Of one another, and of the size of the map.
    out : Path
        Folder to write to.
    title : str
        Of the picture.

    Returns
    -------
    dict
        With `confidence`: `ece`, the expected calibration error. With `sets`: `sets_hold`, the
        percentage of test pixels whose set holds their class, and `classes_per_set`, the mean.

    Raises
    ------
    HsiError
        A raster is not of the map's size.
    """
    found: dict[str, float] = {}
    size = labels.ground_truth.shape
    for name, layer in layers.items():
        if layer.shape[:2] != size:
            raise HsiError(
                f"{name}: expected {size[0]} × {size[1]} pixels as the map has, found "
                f"{layer.shape[0]} × {layer.shape[1]}; run hsi classify again"
            )
    if "confidence" in layers:
        confidence = np.squeeze(np.asarray(layers["confidence"]))[split.test]
        found["ece"] = round(calibration_error(confidence, right), 4)
        curve = coverage_curve(confidence, right)
        table = curve.round({"coverage": 2, "least_probability": 6, "accuracy": 2})
        write_csv(table, out / "coverage.csv", COLUMNS)
        save_coverage(out / "coverage.png", curve, title)
    elif (out / "scores.json").is_file():  # of the scores that are replaced
        for stale in ("coverage.csv", "coverage.png"):
            (out / stale).unlink(missing_ok=True)
    if "sets" in layers:
        sets = np.asarray(layers["sets"])[split.test]
        if sets.shape[1] != len(labels.classes):
            raise HsiError(
                f"sets: expected a band for each of the {len(labels.classes)} classes of "
                f"{labels.name}, found {sets.shape[1]}; score on the labels of the training"
            )
        holds = sets[np.arange(len(sets)), labels.indices[split.test]] > 0
        found["sets_hold"] = round(100 * float(holds.mean()), 4)
        found["classes_per_set"] = round(float(sets.sum(axis=1).mean()), 4)
    return found


def save_coverage(path: Path, curve: pd.DataFrame, title: str) -> None:
    """Draw the accuracy on the most certain pixels against the share of pixels answered."""
    figure = blank_figure(5.0, 3.4)
    axes = figure.subplots()
    axes.plot(curve["coverage"], curve["accuracy"], lw=1.4)
    axes.set(
        xlim=(0, 100), ylim=(min(50.0, float(curve["accuracy"].min())), 100.5),
        xlabel="test pixels answered, the most certain first, %", ylabel="of them right, %",
    )  # fmt: skip
    axes.set_title(title.replace("$", r"\$"), fontsize=9)
    axes.grid(alpha=0.3)
    save_figure(figure, path)
