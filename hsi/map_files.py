"""The files of a map: their names, and the map and its probabilities written as the scene was."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats import WRITTEN, envi, geotiff, numpy_arrays
from hsi.model import Model
from hsi.scene import Scene

# The suffix of a map, by the first word of its scene's format.
SUFFIXES = {"ENVI": ".hdr", "GeoTIFF": ".tif"}


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
        A .hdr, .tif or .npy file, or a folder, in which the map is called `map` and is of the
        scene's format: ENVI or GeoTIFF where the scene is; GeoTIFF where a scene of another format
        has a georeference; else .npy.
    scene : Scene

    Raises
    ------
    HsiError
        Another suffix.
    """
    if not out.suffix or out.is_dir():
        kind = str(scene.provenance.get("format", "")).partition(" ")[0]
        out = out / f"map{SUFFIXES.get(kind, '.tif' if scene.georeference else '.npy')}"
    if out.suffix.lower() not in WRITTEN:
        raise HsiError(
            f"{out}: expected a name that ends with one of {', '.join(WRITTEN)}, or a folder"
        )
    return Outputs(
        out,
        out.with_suffix(".png"),
        out.with_suffix(".json"),
        out.with_name(f"{out.stem}_probabilities{out.suffix}"),
    )


def write_map(
    path: Path, numbers: npt.NDArray[np.integer[Any]], model: Model, scene: Scene
) -> None:
    """Write class numbers (H, W) with class names, colours and the scene's georeference.

    A .npy keeps the numbers alone.
    """
    if path.suffix.lower() == ".npy":
        numpy_arrays.write(path, numbers)
        return
    # Both formats list names and colours for every number from 0 up, gaps included.
    names = ["Unclassified"] + [f"class {n}" for n in range(1, int(model.classes.max()) + 1)]
    colours = np.zeros((len(names), 3), np.uint8)
    for number, name, colour in zip(
        model.classes, model.description["class_names"], model.colours, strict=True
    ):
        names[number], colours[number] = name, colour
    write = envi if path.suffix.lower() == ".hdr" else geotiff
    write.write_classification(
        path, numbers, class_names=names, colours=colours, georeference=scene.georeference
    )


def write_probabilities(
    path: Path, values: npt.NDArray[np.float32], model: Model, scene: Scene
) -> None:
    """Write probabilities (H, W, C), a band a class, named after it; a .npy has no names."""
    if path.suffix.lower() == ".npy":
        numpy_arrays.write(path, values)
        return
    write = envi if path.suffix.lower() == ".hdr" else geotiff
    write.write_cube(
        path,
        values,
        georeference=scene.georeference,
        band_names=[str(name) for name in model.description["class_names"]],
    )
