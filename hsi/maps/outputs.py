"""The files of a map: which are written, their names, and what each holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.artifacts import names_folder
from engine.tiling import Block
from hsi.blockwise.journal import BlockJournal
from hsi.classifiers.model import Model
from hsi.classifiers.protocol import Prediction
from hsi.errors import HsiError
from hsi.formats.envi import read as envi
from hsi.formats.writing import sidecars
from hsi.maps.certainty import Certainty, certainty_of
from hsi.maps.options import LAYERS, MapOptions
from hsi.maps.rasters import RASTERS, Content, Raster
from hsi.scenes.scene import Scene

# The suffix of a map, by the first word of its scene's format.
SUFFIXES = {"ENVI": ".hdr", "GeoTIFF": ".tif"}


@dataclass(frozen=True)
class Outputs:
    """The files of one map, all of one stem."""

    map: Path
    picture: Path
    record: Path
    probabilities: Path
    confidence: Path
    entropy: Path
    margin: Path
    sets: Path

    def wanted(self, options: MapOptions) -> list[Path]:
        """Return the files that are written, the data of ENVI pairs included."""
        found = [self.map]
        found += [getattr(self, name) for name in options.layers]
        found += [path.with_suffix(".img") for path in found if path.suffix == ".hdr"]
        return [*found, self.picture, self.record]


def outputs(out: Path | str, scene: Scene) -> Outputs:
    """Return the files that `hsi classify` writes for OUT.

    Parameters
    ----------
    out : Path or str
        A .hdr, .tif or .npy file, or a folder (a text that ends with a slash is one). In a folder
        the map is called `map` and is of the scene's format: ENVI or GeoTIFF where the scene is;
        GeoTIFF where a scene of another format has a georeference; else .npy.
    scene : Scene

    Raises
    ------
    HsiError
        The name ends otherwise.
    """
    is_folder, out = names_folder(out), Path(out)
    if is_folder:
        kind = str(scene.provenance.get("format", "")).partition(" ")[0]
        out = out / f"map{SUFFIXES.get(kind, '.tif' if scene.georeference else '.npy')}"
    if out.suffix not in RASTERS:
        known = " or ".join(RASTERS)
        raise HsiError(f"{out}: expected a name that ends with {known}, or a folder")
    return Outputs(
        out,
        out.with_suffix(".png"),
        out.with_suffix(".json"),
        *(out.with_name(f"{out.stem}_{name}{out.suffix}") for name in LAYERS),
    )


def refuse_existing(
    files: Outputs, options: MapOptions, state: BlockJournal, inputs: set[Path]
) -> None:
    """Raise HsiError where a file would be replaced unasked, or is an input of the map."""
    wanted = files.wanted(options)
    for path in wanted:
        if path.resolve() in inputs:
            raise HsiError(f"{files.map}: the map would replace {path}, which it is made from")
    for path in wanted:
        if path.suffix == ".hdr":
            envi.refuse_older_data(path)
    beside = [side for path in wanted for side in sidecars(path)]
    there = [path.name for path in (*wanted, *beside) if path.exists()]
    if there and not (options.overwrite or state.placing):
        raise HsiError(
            f"{files.map}: found {', '.join(there)} there already; add `overwrite`, or write "
            "elsewhere"
        )


@dataclass(frozen=True)
class Rasters:
    """The map, and the rasters of certainty beside it, by name."""

    map: Raster
    layers: Mapping[str, Raster]
    certainty: Certainty
    top: int = 0  # row of the scene that is their first

    def __iter__(self) -> Iterator[Raster]:
        """Yield all rasters, the map last: if the map is in place, all others are."""
        yield from self.layers.values()
        yield self.map

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes that are written per pixel."""
        return sum(raster.content.bytes_per_pixel for raster in self)

    def are_in(self, folder: Path) -> bool:
        """Return whether the unfinished files of all rasters are in a folder."""
        return all(raster.is_in(folder) for raster in self)

    def open(self, folder: Path, *, resume: bool) -> None:
        """Create all files, or resume all."""
        for raster in self:
            raster.open(folder, resume=resume)

    def write(self, block: Block, found: Prediction, classes: npt.NDArray[np.int64]) -> None:
        """Write a block to all files."""
        rows = slice(block.rows.start - self.top, block.rows.stop - self.top)
        place = rows, block.columns
        found, layers = self.certainty.read(found)
        numbers = found.numbers(classes)
        self.map.write(*place, numbers.astype(self.map.content.dtype))
        for name, raster in self.layers.items():
            raster.write(*place, layers[name])

    def flush(self) -> None:
        """Wait until all blocks are on the disk."""
        for raster in self:
            raster.flush()

    def close(self) -> None:
        """Move all files to their places."""
        for raster in self:
            raster.close()


def make_rasters(files: Outputs, model: Model, scene: Scene, options: MapOptions) -> Rasters:
    """Return what each file will hold; nothing is written yet."""
    kind = RASTERS[files.map.suffix]
    smallest = np.min_scalar_type(int(model.classes.max()))
    # Names and colours for every number from 0 up, gaps included.
    names = ["Unclassified"] + [f"class {n}" for n in range(1, int(model.classes.max()) + 1)]
    colours = np.zeros((len(names), 3), np.uint8)
    described = model.description["class_names"]
    for number, name, colour in zip(model.classes, described, model.colours, strict=True):
        names[number], colours[number] = name, colour
    size, place, top = scene.shape, scene.georeference, 0
    if options.strip is not None:
        rows = options.strip.rows(scene.shape[0])
        size, place, top = (rows.stop - rows.start, scene.shape[1]), None, rows.start
    single = np.dtype(np.float32)
    bands = (*size, len(model.classes))
    contents = {
        "probabilities": Content(bands, single, described, None, place),
        "confidence": Content(size, single, ["highest probability"], None, place),
        "entropy": Content(size, single, ["entropy in bits"], None, place),
        "margin": Content(size, single, ["highest less second probability"], None, place),
        "sets": Content(bands, np.dtype(np.uint8), described, None, place),
    }
    layers = {name: kind(getattr(files, name), contents[name]) for name in options.layers}
    numbers = kind(files.map, Content(size, smallest, names, colours, place))
    return Rasters(numbers, layers, certainty_of(model, options), top)
