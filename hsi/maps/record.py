"""What is written beside a map: a picture with a legend, and a record of how it was made."""

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import write_json
from engine.training.schedule import in_words
from hsi.classifiers.model import Model
from hsi.classifiers.protocol import Application
from hsi.figures import save_map
from hsi.maps.journal import MapState
from hsi.maps.options import Options
from hsi.maps.outputs import Outputs, Rasters
from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

LARGEST_PICTURE = 1500  # pixels; the map itself is never resized


def describe(
    files: Outputs,
    rasters: Rasters,
    state: MapState,
    scene: Scene,
    model: Model,
    application: Application,
    options: Options,
    model_path: Path,
) -> None:
    """Write the picture, and the record (JSON), of a map whose blocks are all written."""
    numbers, described = rasters.map.read(), model.description
    title = f"{scene.name}: {described['classifier']}, {described['split']['how']}"
    picture(files.picture, numbers, model, title)
    pixels = counted(numbers)
    seconds = max(state.seconds, 1e-9)
    bands, compute = application.bands, application.compute
    record: dict[str, Any] = {
        "scene": scene.name,
        "source": scene.provenance.get("source"),
        "trained_on": described["scene"],
        "classifier": described["classifier"],
        "split": described["split"]["how"],
        "trained_split": described["split"],
        "seed": described["seed"],
        "schedule": in_words(described["schedule"]),
        "seconds_map": round(seconds, 3),
        "seconds_train": described["seconds_train"],
        "device": compute.device.type,
        "precision": compute.precision,
        "block": state.block,
        "bands": None if bands is None else {"count": len(bands), "matched_by": bands.how},
        "scaling": "refitted on this scene" if options.refit_scaling else "of the training",
        "model": str(model_path),
        "model_sha256": state.key["model"],
        "class_names": dict(zip(map(str, model.classes), described["class_names"], strict=True)),
        "pixels": pixels,
    }
    if options.strip is not None:
        rows = options.strip.rows(scene.shape[0])
        record["rows"] = [rows.start, rows.stop]
    write_json(files.record, record)
    missing = pixels.get(0, 0)
    if missing:
        log.warning("%s: %d pixels hold no data: 0 in the map", scene.name, missing)
    height, width = numbers.shape
    rate = height * width / seconds
    log.info("%s: %d × %d pixels in %.2f s, %.3g a second", files.map, height, width, seconds, rate)


def picture(path: Path, numbers: npt.NDArray[Any], model: Model, title: str) -> None:
    """Draw a map with its legend, a large one by every n-th pixel."""
    step = -(-max(numbers.shape) // LARGEST_PICTURE)
    small = np.array(numbers[::step, ::step])
    names = model.description["class_names"]
    save_map(path, small, model.classes, names, model.colours, title)


def counted(numbers: npt.NDArray[Any]) -> Mapping[int, int]:
    """Count the pixels of each class number, some rows at a time."""
    counts: Counter[int] = Counter()
    for start in range(0, len(numbers), 256):
        found, times = np.unique(numbers[start : start + 256], return_counts=True)
        counts.update(dict(zip(found.tolist(), times.tolist(), strict=True)))
    return dict(sorted(counts.items()))
