"""Polygons and points with a class: GeoPackage, GeoJSON, Shapefile and FlatGeobuf, by pyogrio."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from hsi.errors import HsiError
from hsi.formats.contents import LISTED, Contents, Kind

SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb")
BESIDE_SHAPEFILE = (".shx", ".dbf", ".prj", ".cpg")
TYPES = (-1, 0, 3, 4, 6)  # shapely's numbers of none, points, polygons, and several of them
FIELD = "class"  # that is taken where there are several and none is named


@dataclass(frozen=True)
class Features:
    """Polygons and points of a layer, in its own coordinate system.

    Attributes
    ----------
    path : Path
    geometries : ndarray (n,), object
        Of shapely; None where a feature has none.
    values : ndarray (n,)
        What the class field holds of each: numbers or texts; None where it is empty.
    numbers : ndarray (n,), int64
        What the file calls the features.
    crs : str, optional
        'EPSG:N' or well-known text.
    field : str
        The class field.
    """

    path: Path
    geometries: npt.NDArray[np.object_]
    values: npt.NDArray[Any]
    numbers: npt.NDArray[np.int64]
    crs: str | None
    field: str


def load_pyogrio() -> tuple[Any, Any]:
    """Return pyogrio and shapely, optional dependencies.

    Raises
    ------
    HsiError
        One of them is not installed.
    """
    try:
        import pyogrio.raw
        import shapely
    except ImportError as error:
        raise HsiError(
            f"polygons need pyogrio and shapely, which are not here ({error}); "
            "pip install 'restore-hsi[geo]'"
        ) from error
    return pyogrio, shapely


def is_vector(path: Path) -> bool:
    """Return whether a file holds polygons, by its suffix."""
    return path.suffix.lower() in SUFFIXES


def files(path: Path) -> list[Path]:
    """Return the file and, of a Shapefile, those beside it."""
    beside = [path.with_suffix(suffix) for suffix in BESIDE_SHAPEFILE]
    return [path, *(file for file in beside if path.suffix.lower() == ".shp" and file.is_file())]


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Raise HsiError: polygons are no raster; see `read_features`."""
    del variable
    if kind == "cube":
        raise HsiError(f"{path}: expected a cube of spectra, found polygons; labels can be")
    raise HsiError(
        f"{path}: polygons are labels of a scene alone, expected the scene that they lie in; "
        "give `scene`, or write them as a raster with hsi labels"
    )


def read_features(path: Path, layer: str | None = None, field: str | None = None) -> Features:
    """Read the polygons and points of a layer, with their classes.

    Parameters
    ----------
    path : Path
    layer : str, optional
        Needed where the file has several.
    field : str, optional
        Of the class; else 'class', or the only field.

    Raises
    ------
    HsiError
        No such layer or field (the message lists those there are), several to choose from, no
        features, lines, or a damaged file; pyogrio is not installed.
    """
    pyogrio, shapely = load_pyogrio()
    with parsing(path, "expected a whole file of polygons", HsiError, "fetch it again"):
        named = _layer(path, pyogrio.list_layers(path), layer)
        os.environ.setdefault("OGR_GEOJSON_MAX_OBJ_SIZE", "0")
        info = pyogrio.read_info(path, layer=named)
        chosen = _field(path, [str(name) for name in info["fields"]], field)
        meta, numbers, wkb, columns = pyogrio.raw.read(
            path, layer=named, columns=[chosen], return_fids=True, force_2d=True
        )
        if wkb is None or not len(wkb):
            raise HsiError(f"{path}: layer {named}: expected polygons, found none; draw some")
        geometries = shapely.from_wkb(wkb)
        kinds = np.unique(shapely.get_type_id(geometries))
        strange = [shapely.GeometryType(k).name for k in kinds.tolist() if k not in TYPES]
        if strange:
            raise HsiError(
                f"{path}: layer {named}: expected polygons or points, found {strange[0].lower()}; "
                "draw areas around what has one class"
            )
    return Features(path, geometries, columns[0], np.asarray(numbers), meta["crs"], chosen)


def _layer(path: Path, listed: npt.NDArray[Any], layer: str | None) -> str:
    names = [str(name) for name, kind in listed if kind is not None]
    if not names:
        raise HsiError(f"{path}: expected a layer of polygons, found none")
    if layer is not None and layer not in names:
        raise HsiError(f"{path}: no layer '{layer}'; the file holds {_listed(names)}")
    if layer is None and len(names) > 1:
        raise HsiError(
            f"{path}: expected one layer, found {_listed(names)}; name one as {path}:LAYER"
        )
    return layer or names[0]


def _field(path: Path, names: Sequence[str], field: str | None) -> str:
    listed = _listed(names) if names else "no field"
    if field is not None and field not in names:
        raise HsiError(f"{path}: `class_field` {field}: no such field; the file has {listed}")
    if field is not None:
        return field
    same = [name for name in names if name.lower() == FIELD]
    if len(same) == 1 or len(names) == 1:
        return same[0] if same else names[0]
    raise HsiError(
        f"{path}: expected to know which field is the class, found {listed}; name it with "
        "`class_field`"
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}"
