"""Classify a whole scene with a trained model, and write the map as the scene was."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import sha256_file, write_json
from engine.device import Compute
from engine.schedule import in_words
from hsi.classifier import Application
from hsi.errors import HsiError
from hsi.formats import envi, numpy_arrays
from hsi.maps import save_map
from hsi.model import Model, load_model
from hsi.reduce import Reduced
from hsi.scene import Scene

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outputs:
    """The files of one map, all of one stem."""

    map: Path
    picture: Path
    record: Path
    probabilities: Path


def outputs(out: Path, scene: Scene) -> Outputs:
    """Name the files that `classify` writes for OUT.

    Parameters
    ----------
    out : Path
        A .npy or .hdr file, or a folder, in which the map is called `map` and is of the scene's
        format: ENVI where the scene is ENVI, else .npy.
    scene : Scene

    Raises
    ------
    HsiError
        Another suffix.
    """
    if not out.suffix or out.is_dir():
        is_envi = str(scene.provenance.get("format", "")).startswith("ENVI")
        out = out / ("map.hdr" if is_envi else "map.npy")
    if out.suffix not in (".npy", ".hdr"):
        raise HsiError(f"{out}: expected a name that ends with .npy or .hdr, or a folder")
    return Outputs(
        out,
        out.with_suffix(".png"),
        out.with_suffix(".json"),
        out.with_name(f"{out.stem}_probabilities{out.suffix}"),
    )


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
        _write_probabilities(files.probabilities, found.probabilities, scene)
    _write_map(files.map, numbers, model, scene)
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


def _write_map(
    path: Path, numbers: npt.NDArray[np.integer[Any]], model: Model, scene: Scene
) -> None:
    if path.suffix == ".npy":
        numpy_arrays.write(path, numbers)
        return
    # ENVI lists names and colours for every number from 0 up, gaps included.
    names = ["Unclassified"] + [f"class {n}" for n in range(1, int(model.classes.max()) + 1)]
    colours = np.zeros((len(names), 3), np.uint8)
    for number, name, colour in zip(
        model.classes, model.description["class_names"], model.colours, strict=True
    ):
        names[number], colours[number] = name, colour
    envi.write_classification(
        path, numbers, class_names=names, colours=colours, georeference=scene.georeference
    )


def _write_probabilities(path: Path, values: npt.NDArray[np.float32], scene: Scene) -> None:
    if path.suffix == ".npy":
        numpy_arrays.write(path, values)
    else:
        envi.write_cube(path, values, georeference=scene.georeference)
