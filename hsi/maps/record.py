"""What lies beside a map: a picture with a legend, and the record of how the map was made.

The record is a JSON file under the map's own name. `write_record` and `write_joined` write it;
`read_record` and `read_strip_record` read it, and `layer_beside` finds a raster that it names.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import write_json
from engine.errors import parsing
from engine.memory import release
from engine.settings import validate
from engine.training.schedule import in_words
from hsi.errors import HsiError
from hsi.figures import save_map
from hsi.maps.options import GENERALISING

if TYPE_CHECKING:  # reading a record needs neither torch nor a classifier
    from hsi.blockwise.journal import BlockJournal
    from hsi.classifiers.model import Model
    from hsi.classifiers.protocol import Application
    from hsi.maps.options import MapOptions
    from hsi.maps.outputs import Outputs, Rasters
    from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

LARGEST_PICTURE = 1500  # pixels; the map itself is never resized
# What strips of one map have in common, by the keys of their records.
SHARED = ("scene", "model_sha256", "precision", "bands", "scaling")
LATER = ("abstain", "sets", "smooth")  # shared, too; records of earlier versions lack them
SAMPLED_ROWS = 4  # of a scene, whose values tell it from others of its name
_TEXT = {"type": ["string", "null"], "title": "text"}
_NUMBER = {"type": ["number", "null"], "title": "a number"}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("scene", "classifier", "split", "model_sha256", "schedule"), _TEXT),
        **dict.fromkeys(("source", "sample_sha256"), _TEXT),
        **dict.fromkeys(("seconds_map", "seconds_train", "seed"), _NUMBER),
        **dict.fromkeys(("abstain", "sets", *GENERALISING), _NUMBER),
        "smooth": _TEXT,
        "layers": {
            "type": ["array", "null"], "title": "the names of rasters beside the map",
            "items": {"type": "string", "title": "a name"},
        },
        "trained_split": {"type": ["object", "null"], "title": "the description of a split"},
        "rows": {
            "type": "array", "title": "the first row and that behind the last",
            "minItems": 2, "maxItems": 2,
            "items": {"type": "integer", "minimum": 0, "title": "a row"},
        },
    },
}  # fmt: skip


def write_record(
    files: "Outputs",
    rasters: "Rasters",
    state: "BlockJournal",
    scene: "Scene",
    model: "Model",
    application: "Application",
    options: "MapOptions",
    model_path: Path,
    changed: int | None = None,
) -> None:
    """Write the picture and the record of a map whose blocks are all written.

    `changed` is the number of pixels that majority and sieve changed.
    """
    numbers, described = rasters.map.read(), model.description
    title = f"{scene.name}: {described['classifier']}, {described['split']['how']}"
    _save_picture(files.picture, numbers, model, title)
    pixels = _counted(numbers)
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
        "calibration": described.get("calibration"),
        "abstain": options.abstain,
        "sets": options.sets,
        **{name: getattr(options, name) for name in GENERALISING},
        "generalised_pixels": changed,
        "smooth": None if options.smooth is None else str(options.smooth),
        "layers": list(rasters.layers),
        "model": str(model_path),
        "model_sha256": state.key["model"],
        "made_from": state.fingerprint,
        "class_names": dict(zip(map(str, model.classes), model.class_names, strict=True)),
        "pixels": pixels,
    }
    if options.strip is not None:
        rows = options.strip.rows(scene.shape[0])
        record["rows"] = [rows.start, rows.stop]
        record["sample_sha256"] = sample_sha256(scene)
    write_json(files.record, record)
    missing = pixels.get(0, 0)
    if missing:
        reason = "hold no data"
        if options.abstain is not None:
            reason += f", or no probability of at least {options.abstain:g}"
        log.warning("%s: %d pixels %s: 0 in the map", scene.name, missing, reason)
    height, width = numbers.shape
    rate = height * width / seconds
    log.info(
        "%s: %d × %d pixels in %.2f s, %.3g per second", files.map, height, width, seconds, rate
    )


def sample_sha256(scene: "Scene") -> str:
    """Return the SHA-256 of a scene's size, type and some of its rows; reads these rows.

    It tells strips of one scene from those of another, wherever each machine mounts its files.
    """
    height, kind = scene.shape[0], scene.cube.dtype.newbyteorder("<")
    digest = hashlib.sha256(f"{scene.cube.shape}{kind.str}".encode())
    for place in range(SAMPLED_ROWS):
        row = (2 * place + 1) * height // (2 * SAMPLED_ROWS)
        digest.update(np.ascontiguousarray(scene.cube[row : row + 1], kind).tobytes())
        release(scene.cube)
    return digest.hexdigest()


def write_joined(
    files: "Outputs",
    numbers: npt.NDArray[Any],
    model: "Model",
    strips: Sequence[Mapping[str, Any]],
    options: "MapOptions",
    changed: int | None = None,
) -> None:
    """Write the picture and the record of a map that was joined from strips.

    Parameters
    ----------
    files : Outputs
    numbers : ndarray (H, W), int
        The whole map.
    model : Model
    strips : sequence of mapping
        The records of the strips.
    options : MapOptions
    changed : int, optional
        Pixels that majority and sieve changed.
    """
    first = strips[0]
    title = f"{first['scene']}: {first['classifier']}, {first['split']}"
    _save_picture(files.picture, numbers, model, title)
    record = {key: value for key, value in first.items() if key not in ("rows", "made_from")}
    record["seconds_map"] = round(sum(strip["seconds_map"] for strip in strips), 3)
    record |= {name: getattr(options, name) for name in GENERALISING}
    record["generalised_pixels"] = changed
    record["layers"] = options.layers
    write_json(files.record, record | {"strips": len(strips), "pixels": _counted(numbers)})


def read_record(map_path: Path) -> dict[str, Any]:
    """Return the record beside a map, or an empty one where `hsi classify` wrote none there.

    Raises
    ------
    HsiError
        The file beside the map is no JSON.
    """
    path = map_path.with_suffix(".json")
    if not path.is_file():
        return {}
    with parsing(path, "expected the record of hsi classify", HsiError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or "model_sha256" not in found:
            log.warning("%s: no record of hsi classify; it is not used", path)
            return {}
        return validate(found, _SCHEMA, str(path))


def layer_beside(map_path: Path, record: Mapping[str, Any], name: str) -> Path | None:
    """Return the file of a raster beside a map, if the map's record says that it came with it.

    A raster under the map's name may be of an earlier map: `layers` of the record decides. Records
    of earlier versions lack it; theirs name the sets alone. What is left out is said.

    Parameters
    ----------
    map_path : Path
    record : mapping
        Of the map, as `read_record` returns it; empty where there is none.
    name : str
        One of `hsi.maps.options.LAYERS`.
    """
    path = map_path.with_name(f"{map_path.stem}_{name}{map_path.suffix}")
    if not path.is_file():
        return None
    named = record.get("layers")
    if named is None and name == "sets":
        named = ["sets"] if record.get("sets") is not None else []
    if named is not None and name in named:
        return path
    reason = "does not name it, so it may be of an earlier map" if record else "is not there"
    log.warning(
        "%s: not used: the record of %s %s; run hsi classify again, with --%s, for one of this map",
        path, map_path.name, reason, name,
    )  # fmt: skip
    return None


def read_strip_record(map_path: Path) -> dict[str, Any]:
    """Return the record beside a strip of a map.

    Raises
    ------
    HsiError
        There is no record, or one of something else than a strip.
    """
    path = map_path.with_suffix(".json")
    with parsing(path, "expected the record of a strip", HsiError):
        record = json.loads(path.read_text(encoding="utf-8"))
        needed = {"rows", "model_sha256", "seconds_map", "classifier", "split", *SHARED}
        if not isinstance(record, dict) or not needed <= record.keys():
            raise HsiError(f"{map_path}: expected a map of hsi classify --strip, found another")
        return validate(record, _SCHEMA, str(path))


def _save_picture(path: Path, numbers: npt.NDArray[Any], model: "Model", title: str) -> None:
    """Draw a map with its legend; of a large one, every n-th pixel."""
    step = -(-max(numbers.shape) // LARGEST_PICTURE)
    save_map(path, np.array(numbers[::step, ::step]), model, title)


def _counted(numbers: npt.NDArray[Any]) -> Mapping[int, int]:
    """Return the number of pixels of each class number, counted some rows at a time."""
    counts: Counter[int] = Counter()
    for start in range(0, len(numbers), 256):
        found, times = np.unique(numbers[start : start + 256], return_counts=True)
        counts.update(dict(zip(found.tolist(), times.tolist(), strict=True)))
    return dict(sorted(counts.items()))
