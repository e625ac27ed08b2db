"""Ground truth: the class of each labelled pixel, with names and colours."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import sha256_arrays
from hsi.errors import HsiError
from hsi.formats import numpy_arrays
from hsi.formats.contents import BANDS_FIRST, Contents
from hsi.formats.envi import write as envi
from hsi.formats.geotiff import write as geotiff
from hsi.formats.lazy import row_blocks
from hsi.formats.registry import locate, read
from hsi.formats.vector import is_vector
from hsi.scenes.class_names import known_names
from hsi.scenes.class_numbers import STRIP_BYTES, occurring, smallest_signed, whole_numbers
from hsi.scenes.embedded import EMBEDDED, embedded_file
from hsi.scenes.grid import Grid
from hsi.scenes.polygons import Drawing, draw
from hsi.scenes.scene import Scene


@dataclass(frozen=True)
class Labels:
    """Ground truth with names and colours.

    Attributes
    ----------
    name : str
        Of the scene.
    ground_truth : ndarray (H, W), signed whole numbers
        Class numbers; 0 is unlabelled. `open_labels` returns int16, or int32 where that is too
        small.
    class_names : tuple of str
        One for each of `classes`, in their order.
    colours : ndarray (C, 3), uint8
        One for each of `classes`, in their order.
    polygons : ndarray (H, W), int32, optional
        The polygon that each labelled pixel lies in, counted from 1; 0 elsewhere. Where the labels
        come from polygons.
    georeference : mapping, optional
        Where the pixels lie, if the file of the labels states it.

    Raises
    ------
    HsiError
        Fewer than two classes, or not as many names or colours as classes.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    >>> labels = hsi.Labels("tiny", np.array([[1, 0], [4, 4]]), ("field", "wood"), colours)
    >>> labels.classes.tolist(), labels.indices.tolist()
    ([1, 4], [[0, -1], [1, 1]])
    """

    name: str
    ground_truth: npt.NDArray[np.signedinteger[Any]]
    class_names: tuple[str, ...]
    colours: npt.NDArray[np.uint8]
    polygons: npt.NDArray[np.int32] | None = None
    georeference: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            found = "none" if not len(self.classes) else f"class {self.classes[0]} alone"
            raise HsiError(f"{self.name}: labels: expected at least two classes, found {found}")
        if len(self.class_names) != len(self.classes) or len(self.colours) != len(self.classes):
            raise HsiError(
                f"{self.name}: expected {len(self.classes)} class names and colours, found "
                f"{len(self.class_names)} and {len(self.colours)}"
            )

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """The class numbers that occur, ascending; they may have gaps."""
        numbers = occurring(self.ground_truth)
        return numbers[numbers > 0]

    @cached_property
    def indices(self) -> npt.NDArray[np.signedinteger[Any]]:
        """Position of each pixel's class in `classes`, (H, W); −1 where unlabelled.

        Of the smallest signed type that holds them.
        """
        found = np.empty(self.ground_truth.shape, smallest_signed(len(self.classes)))
        for rows in self.strips():
            truth = self.ground_truth[rows]
            found[rows] = np.where(truth > 0, np.searchsorted(self.classes, truth), -1)
        return found

    def strips(self) -> Iterator[slice]:
        """Yield the rows in strips, of which some temporary arrays of eight bytes are small."""
        return row_blocks(self.ground_truth.shape, STRIP_BYTES)

    def count(self, mask: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
        """Return how many pixels of each class lie in a mask (H, W), or anywhere, (C,)."""
        counts = np.zeros(len(self.classes), np.int64)
        for rows in self.strips():
            inside = self.indices[rows] if mask is None else self.indices[rows][mask[rows]]
            counts += np.bincount(inside[inside >= 0], minlength=len(counts))
        return counts

    def marked(self, which: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return the pixels (H, W) whose class is marked in `which` (C,), bool."""
        found = np.empty(self.ground_truth.shape, np.bool_)
        with_none = np.append(which, False)  # at the place of −1
        for rows in self.strips():
            found[rows] = with_none[self.indices[rows]]
        return found

    def checksum(self) -> str:
        """Return the SHA-256 of the class numbers, the same whatever type holds them."""
        return sha256_arrays(self.ground_truth, dtype="<i8")

    def check_fits(self, scene: Scene) -> None:
        """Raise HsiError if the labels are not of the scene's size, or lie elsewhere."""
        if self.ground_truth.shape != scene.shape:
            remedy = "give the labels of this scene"
            if "layout" in scene.provenance and scene.cube.shape[1:] == self.ground_truth.shape:
                remedy = f"if its bands come first, put {BANDS_FIRST} into the name of its file"
            raise HsiError(
                f"labels {self.name}: expected {scene.shape[0]} × {scene.shape[1]} pixels as scene "
                f"{scene.name} has, found {' × '.join(map(str, self.ground_truth.shape))}; {remedy}"
            )
        grid = Grid(f"scene {scene.name}", scene.shape, scene.georeference)
        grid.expect_here(f"labels {self.name}", self.georeference)


def open_labels(
    source: str | Path, *, scene: Scene | Grid | None = None, drawing: Drawing | None = None
) -> Labels:
    """Open the ground truth of a scene.

    Parameters
    ----------
    source : str or Path
        A file of a known format with one plane of class numbers, where 'FILE:variable' names a
        variable inside; or 'IndianPines', the ground truth that comes with tensorly; or polygons
        and points in a GeoPackage, GeoJSON, Shapefile or FlatGeobuf, where 'FILE:layer' names a
        layer.
    scene : Scene or Grid, optional
        Whose pixels polygons become.
    drawing : Drawing, optional
        How polygons become class numbers: `class_field`, `class_names`, `all_touched`, `radius`
        and `crs`. Rasters ignore it.

    Returns
    -------
    Labels
        Names and colours are those of the file, those of a known scene, or made up.

    Raises
    ------
    HsiError
        There is no such file, it holds no plane of whole numbers from 0 up, or fewer than two
        classes; polygons without `scene`, and what `hsi.scenes.polygons.draw` raises.

    Examples
    --------
    >>> import hsi
    >>> labels = hsi.open_labels("IndianPines")
    >>> labels.ground_truth.shape, len(labels.classes), labels.class_names[1]
    ((145, 145), 16, 'Corn-notill')
    """
    if str(source) == EMBEDDED:
        array = np.load(embedded_file("Indian_pines_gt.npy"), allow_pickle=False)
        return make_labels(EMBEDDED, array)
    path, _ = locate(source)
    if scene is not None and is_vector(path):
        grid = Grid(scene.name, scene.shape, scene.georeference)
        drawn = draw(str(source), grid, drawing or Drawing())
        made = make_labels(path.stem, drawn.classes, drawn.names or None)
        return replace(made, polygons=drawn.polygons, georeference=grid.georeference)
    found = read(source, "labels")
    made = make_labels(found.path.stem, found.array, _listed_names(found), found.colours)
    return replace(made, georeference=found.georeference)


def write_labels(path: Path, labels: Labels) -> None:
    """Write labels as ENVI Classification (.hdr), GeoTIFF or .npy, with what places them.

    The two formats keep names and colours; .npy keeps the numbers alone.

    Raises
    ------
    HsiError
        The name ends otherwise.
    """
    top = int(labels.classes[-1])
    kind = np.uint8 if top <= 255 else np.uint16 if top <= 65535 else np.int32
    numbers = labels.ground_truth.astype(kind)
    if path.suffix.lower() == ".npy":
        numpy_arrays.write(path, numbers)
        return
    writers = {".hdr": envi, ".tif": geotiff, ".tiff": geotiff}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise HsiError(f"{path}: expected a name that ends with .hdr, .tif or .npy")
    names, colours = ["Unclassified"] * (top + 1), spectral_colours(top)
    for number, name, colour in zip(
        labels.classes.tolist(), labels.class_names, labels.colours, strict=True
    ):
        names[number], colours[number] = name, colour
    writer.write_classification(
        path, numbers, class_names=names, colours=colours, georeference=labels.georeference
    )


def make_labels(
    name: str,
    array: npt.NDArray[Any],
    names: Sequence[str] | None = None,
    colours: npt.NDArray[np.uint8] | None = None,
) -> Labels:
    """Return labels of checked class numbers, with names and colours.

    Parameters
    ----------
    name : str
        Of the scene; that of a known scene brings its class names.
    array : ndarray (H, W)
        Whole numbers from 0 (unlabelled, as NaN is) up, of any type.
    names : sequence of str, optional
        By class number, background first. Equal ones get their numbers.
    colours : ndarray (C + 1, 3), uint8, optional
        By class number, background first; else those of `spectral`.
    """
    if array.ndim != 2:
        raise HsiError(f"{name}: labels: expected (rows, columns), found shape {array.shape}")
    numbers = whole_numbers(name, array)
    classes = [int(c) for c in occurring(numbers) if c > 0]
    top = max(classes, default=0)
    if names is None or len(names) <= top:
        names = ["", *known_names(name, top)]
    twice = {name for name, count in Counter(names[c] for c in classes).items() if count > 1}
    palette = spectral_colours(top) if colours is None or len(colours) <= top else colours
    return Labels(
        name,
        numbers,
        tuple(f"{names[c]} ({c})" if names[c] in twice else names[c] for c in classes),
        np.asarray(palette, np.uint8)[classes].reshape(-1, 3),
    )


def spectral_colours(top: int) -> npt.NDArray[np.uint8]:
    """Return the field's usual colours for the classes 0 to `top`, (top + 1, 3); 0 is black."""
    from spectral import spy_colors

    wheel = np.asarray(spy_colors, np.uint8)
    return np.array([wheel[0], *(wheel[1:][(c - 1) % (len(wheel) - 1)] for c in range(1, top + 1))])


def _listed_names(found: Contents) -> list[str] | None:
    return None if found.class_names is None else [str(name) for name in found.class_names]
