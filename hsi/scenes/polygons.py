"""Labels from polygons and points: brought to a scene's grid and burnt into its pixels.

GDAL decides which pixels a polygon holds: those whose centre it holds, or all that it touches.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.georeference import crs_of, load_rasterio, moved
from hsi.formats.registry import locate
from hsi.formats.vector import Features, load_pyogrio, read_features
from hsi.scenes.class_numbers import LARGEST, is_number
from hsi.scenes.grid import Grid

log = logging.getLogger(__name__)

NAMED = 5  # polygons that a message names


@dataclass(frozen=True)
class Drawing:
    """How polygons become class numbers of pixels.

    Attributes
    ----------
    class_field : str, optional
        Field of the class, numbers from 1 or texts; else 'class', or the only one.
    class_names : sequence of str, optional
        Of the classes, in the order of their numbers; where the field holds texts, the order in
        which they are numbered from 1, else they are sorted.
    all_touched : bool
        Take every pixel that a polygon touches, not only those whose centre it holds.
    radius : float, optional
        Of the disc around a point, in units of the scene's coordinate system, such as metres; else
        a point is the pixel that it lies in.
    crs : str, optional
        Coordinate system of the polygons where their file states none.
    """

    class_field: str | None = None
    class_names: Sequence[str] | None = None
    all_touched: bool = False
    radius: float | None = None
    crs: str | None = None

    def __post_init__(self) -> None:
        if self.radius is not None and not 0 < self.radius < np.inf:
            raise HsiError(f"`radius` {self.radius:g}: expected a length above 0, such as 15")


@dataclass(frozen=True)
class Drawn:
    """Class numbers (H, W), int32, the polygon of each pixel counted from 1, and class names."""

    classes: npt.NDArray[np.int32]
    polygons: npt.NDArray[np.int32]
    names: list[str]


def draw(source: str, grid: Grid, drawing: Drawing) -> Drawn:
    """Return the classes of a scene's pixels from a file of polygons.

    Parameters
    ----------
    source : str
        'FILE' or 'FILE:layer'.
    grid : Grid
    drawing : Drawing

    Returns
    -------
    Drawn
        Where polygons overlap, that which comes later in the file, as GDAL has it. What overlaps
        with another class, lies outside, crosses itself, or holds no pixel is named in the log.

    Raises
    ------
    HsiError
        No coordinate system of the polygons or of the scene; no polygon inside the scene; a value
        that is no class; what `read_features` raises.
    """
    path, layer = locate(source)
    crs, transform = grid.place()
    features = read_features(path, layer, drawing.class_field)
    numbers, names = _classes(features, drawing.class_names)
    kept = (numbers > 0) & _with_area(features)
    shapes = _on_the_ground(features, kept, crs, drawing)
    inside = _inside(features, kept, shapes, grid, transform)
    order = np.flatnonzero(kept)[inside]
    burnt = _burnt(shapes[inside], order + 1, grid, transform, drawing.all_touched)
    classes = np.append(0, numbers).astype(np.int32)[burnt]
    _name_overlaps(features, shapes[inside], numbers[order], order, grid, transform, drawing)
    empty = np.setdiff1d(order + 1, np.unique(burnt)) - 1
    if len(empty):
        log.warning(
            "%s: %d polygons are the only one in no pixel, being small or covered by others: %s; "
            "`all_touched` takes small ones", path, len(empty), _named(features, empty),
        )  # fmt: skip
    return Drawn(classes, burnt, names)


def _classes(
    features: Features, listed: Sequence[str] | None
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the class number of each feature, 0 for none, and the names by number."""
    path, values = features.path, features.values
    called = f"{path}: field {features.field}"
    if values.dtype.kind in "iu":
        numbers = values.astype(np.int64)
    elif values.dtype.kind == "f":
        whole = np.nan_to_num(values, nan=0.0)
        if (whole != np.rint(whole)).any():
            wrong = whole[whole != np.rint(whole)][0]
            raise HsiError(f"{called}: expected class numbers or names, found {wrong:g}")
        numbers = whole.astype(np.int64)
    elif values.dtype.kind == "O":
        texts = ["" if value is None else str(value).strip() for value in values]
        found = sorted(set(texts) - {""})
        order = found if listed is None else [str(name) for name in listed]
        strange = [text for text in found if text not in order]
        if (strange or listed is None) and all(map(is_number, found)):
            place = {text: int(text) for text in found}  # numbers in a field of texts
        elif strange:
            raise HsiError(
                f"{called}: `class_names`: expected all of {', '.join(found)}, found none for "
                f"{strange[0]}; list it"
            )
        else:
            place, listed = {name: number for number, name in enumerate(order, 1)}, order
        numbers = np.array([place.get(text, 0) for text in texts], np.int64)
    else:
        raise HsiError(f"{called}: expected class numbers or names, found {values.dtype}")
    if len(numbers) and (numbers.min() < 0 or numbers.max() > LARGEST):
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        raise HsiError(f"{called}: expected class numbers from 1 to {LARGEST}, found {wrong}")
    if missing := int((numbers == 0).sum()):
        log.warning("%s: %d features have no class, or 0, and are left out", called, missing)
    top = int(numbers.max(initial=0))
    if listed is not None and len(listed) < top:
        raise HsiError(
            f"{called}: `class_names`: expected {top} names, one for each class number, found "
            f"{len(listed)}"
        )
    return numbers, [] if listed is None else ["", *listed]


def _with_area(features: Features) -> npt.NDArray[np.bool_]:
    """Return which features are not empty; name the empty ones and those that cross themselves."""
    _, shapely = load_pyogrio()
    shapes = features.geometries
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if empty.any():
        log.warning(
            "%s: %d features are empty and are left out: %s",
            features.path, empty.sum(), _named(features, np.flatnonzero(empty)),
        )  # fmt: skip
    crossing = np.flatnonzero(~empty & ~shapely.is_valid(shapes))
    if len(crossing):
        log.warning(
            "%s: %d polygons cross themselves and are filled as drawn, what is enclosed twice "
            "left out: %s; the first: %s",
            features.path, len(crossing), _named(features, crossing),
            shapely.is_valid_reason(shapes[crossing[0]]),
        )  # fmt: skip
    return np.asarray(~empty, np.bool_)


def _on_the_ground(
    features: Features, kept: npt.NDArray[np.bool_], crs: Any, drawing: Drawing
) -> npt.NDArray[np.object_]:
    """Return the kept shapes in the scene's coordinate system, points as discs."""
    _, shapely = load_pyogrio()
    stated = features.crs or drawing.crs
    if stated is None:
        raise HsiError(
            f"{features.path}: expected a coordinate system, found none; state it with `crs`, such "
            "as EPSG:32616"
        )
    try:
        own = crs_of(stated)
    except HsiError as error:
        raise HsiError(f"{features.path if features.crs else '`crs`'}: {error}") from error
    if features.crs and drawing.crs:
        log.warning("%s: its own coordinate system counts, not the given one", features.path)
    shapes = features.geometries[kept]
    if own != crs:
        try:
            shapes = shapely.transform(shapes, lambda points: moved(points, own, crs))
        except HsiError as error:
            raise HsiError(
                f"{features.path}: its coordinates cannot be brought to those of the scene "
                f"({error}); see that both state the right system"
            ) from error
    points = np.isin(shapely.get_type_id(shapes), (0, 4))
    if points.any() and drawing.radius is not None:
        shapes = shapes.copy()
        shapes[points] = shapely.buffer(shapes[points], drawing.radius, quad_segs=32)
    return np.asarray(shapes)


def _inside(
    features: Features,
    kept: npt.NDArray[np.bool_],
    shapes: npt.NDArray[np.object_],
    grid: Grid,
    transform: Any,
) -> npt.NDArray[np.bool_]:
    """Return which shapes reach into the scene; name the others, and refuse none at all."""
    _, shapely = load_pyogrio()
    rows, columns = grid.shape
    corners = [transform @ corner for corner in ((0, 0), (columns, 0), (columns, rows), (0, rows))]
    extent = shapely.Polygon(corners)
    shapely.prepare(extent)
    bounds = shapely.bounds(shapes)
    finite = np.isfinite(bounds).all(axis=1)
    inside = finite.copy()
    inside[finite] = shapely.intersects(shapely.box(*bounds[finite].T), extent)
    if not inside.any():
        if not len(shapes):
            raise HsiError(f"{features.path}: expected polygons with a class, found none")
        reach = "beyond what the scene's system can state"
        if finite.any():
            low, high = bounds[finite, :2].min(axis=0), bounds[finite, 2:].max(axis=0)
            reach = f"x {low[0]:.6g} to {high[0]:.6g}, y {low[1]:.6g} to {high[1]:.6g}"
        own = extent.bounds
        raise HsiError(
            f"{features.path}: expected polygons inside {grid.name} (x {own[0]:.6g} to "
            f"{own[2]:.6g}, y {own[1]:.6g} to {own[3]:.6g}), found all {len(shapes)} outside of it "
            f"({reach}, in the scene's coordinate system); give the polygons of this scene, or "
            "mend their coordinate system"
        )
    outside = np.flatnonzero(kept)[~inside]
    if len(outside):
        log.warning(
            "%s: %d of %d polygons lie outside %s and are left out: %s",
            features.path, len(outside), len(shapes), grid.name, _named(features, outside),
        )  # fmt: skip
    return np.asarray(inside, np.bool_)


def _burnt(
    shapes: npt.NDArray[np.object_],
    values: npt.NDArray[np.int64],
    grid: Grid,
    transform: Any,
    all_touched: bool,
) -> npt.NDArray[np.int32]:
    load_rasterio()
    from rasterio.features import rasterize

    burnt: npt.NDArray[np.int32] = rasterize(
        zip(shapes.tolist(), values.tolist(), strict=True),
        out_shape=grid.shape, transform=transform, all_touched=all_touched, dtype="int32",
    )  # fmt: skip
    return burnt


def _name_overlaps(
    features: Features,
    shapes: npt.NDArray[np.object_],
    numbers: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    grid: Grid,
    transform: Any,
    drawing: Drawing,
) -> None:
    """Log the pixels that polygons of several classes hold, and the first such polygons."""
    seen = np.zeros(grid.shape, np.int8)
    for number in np.unique(numbers).tolist():
        own = shapes[numbers == number]
        ones = np.ones(len(own), np.int64)
        seen += _burnt(own, ones, grid, transform, drawing.all_touched).astype(np.int8)
        np.minimum(seen, 2, out=seen)
    pixels = int((seen > 1).sum())
    if not pixels:
        return
    _, shapely = load_pyogrio()
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    differ = (first < second) & (numbers[first] != numbers[second])
    pairs = zip(order[first[differ]], order[second[differ]], strict=True)
    named = [f"{features.numbers[one]} and {features.numbers[two]}" for one, two in pairs]
    more = f", and {len(named) - NAMED} pairs more" if len(named) > NAMED else ""
    log.warning(
        "%s: %d pixels lie in polygons of several classes; the later in the file counts: %s%s",
        features.path, pixels, ", ".join(named[:NAMED]), more,
    )  # fmt: skip


def _named(features: Features, which: npt.NDArray[np.int64]) -> str:
    """Return features by what the file calls them, the first few."""
    more = f" and {len(which) - NAMED} more" if len(which) > NAMED else ""
    return ", ".join(str(features.numbers[i]) for i in which[:NAMED]) + more
