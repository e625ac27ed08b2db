"""Classify a whole scene with a trained model, and write the map as the scene was."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import sha256_file, write_json
from engine.device import Compute
from engine.schedule import in_words
from hsi.classifier import Application
from hsi.map_files import outputs, write_map, write_probabilities
from hsi.maps import save_map
from hsi.model import load_model
from hsi.reduce import Reduced
from hsi.scene import Scene

log = logging.getLogger(__name__)


def classify(
    scene: Scene,
    model_path: Path,
    out: Path,
    *,
    compute: Compute,
    block: int | None = None,
    probabilities: bool = False,
    reduced: Reduced | None = None,
) -> npt.NDArray[np.integer[Any]]:
    """Name the class of every pixel and write map, picture and record.

    Parameters
    ----------
    scene : Scene
    model_path : Path
        Of `hsi train`.
    out : Path
        See `outputs`.
    compute : Compute
    block : int, optional
        Side of the blocks that are classified at once, in pixels.
    probabilities : bool
        Write them too, (H, W, C) float32.
    reduced : Reduced, optional
        The components that the model was trained with.

    Returns
    -------
    ndarray (H, W), the smallest unsigned integer
        Class numbers as in the training labels; never 0.

    Raises
    ------
    HsiError
        Scene and model do not fit, or the classifier has no probabilities.
    """
    model = load_model(model_path)
    model.check_fits(scene)
    files = outputs(out, scene)
    began = time.monotonic()
    found = model.classifier.predict(scene, Application(compute, block, probabilities, reduced))
    seconds = time.monotonic() - began
    smallest = np.min_scalar_type(int(model.classes.max()))
    numbers: npt.NDArray[np.integer[Any]] = model.classes[found.indices].astype(smallest)
    described = model.description
    if found.probabilities is not None:
        write_probabilities(files.probabilities, found.probabilities, model, scene)
    write_map(files.map, numbers, model, scene)
    title = f"{scene.name}: {described['classifier']}, {described['split']['how']}"
    save_map(files.picture, numbers, model.classes, described["class_names"], model.colours, title)
    record = {
        "scene": scene.name,
        "source": scene.provenance.get("source"),
        "trained_on": described["scene"],
        "classifier": described["classifier"],
        "split": described["split"]["how"],
        "seed": described["seed"],
        "schedule": in_words(described["schedule"]),
        "seconds_map": round(seconds, 3),
        "seconds_train": described["seconds_train"],
        "device": compute.device.type,
        "precision": compute.precision,
        "model": str(model_path),
        "model_sha256": sha256_file(model_path),
        "class_names": dict(zip(map(str, model.classes), described["class_names"], strict=True)),
        "pixels": dict(
            zip(*(a.tolist() for a in np.unique(numbers, return_counts=True)), strict=True)
        ),
    }
    write_json(files.record, record)
    log.info("%s: %d × %d pixels in %.2f s", files.map, *scene.shape, seconds)
    return numbers
