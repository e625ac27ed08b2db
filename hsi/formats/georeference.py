"""Where pixels lie on the ground, as ENVI and as GeoTIFF say it.

A scene keeps what its own format states: ENVI's `map info` and `coordinate system string`, or the
`crs` (well-known text, or EPSG:N) and `transform` (a, b, c, d, e, f: x = a·column + b·row + c,
y = d·column + e·row + f, counted from the upper left corner) of GeoTIFF. Between the two, GDAL's
own ENVI driver translates, on a file of a few pixels.

Beside these, or in their place, there may be `gcps` (ground control points, each row, column, x, y,
z; with `gcps crs`) and `rpcs` (rational polynomial coefficients by GDAL's names). GeoTIFF holds
them. ENVI has words for four points and for coefficients without errors, so that GDAL's
DATA.aux.xml is written, and read, beside its data.
"""

import logging
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.envi.header import GEOREFERENCE, entries, format_header, read_header
from hsi.formats.lazy import CACHE_BYTES

log = logging.getLogger(__name__)

GEO_POINTS = 4  # that ENVI has words for
# The order of ENVI's `rpc info`, and how many numbers each has.
RPC_NUMBERS = (
    "LINE_OFF", "SAMP_OFF", "LAT_OFF", "LONG_OFF", "HEIGHT_OFF",
    "LINE_SCALE", "SAMP_SCALE", "LAT_SCALE", "LONG_SCALE", "HEIGHT_SCALE",
)  # fmt: skip
RPC_LISTS = ("LINE_NUM_COEFF", "LINE_DEN_COEFF", "SAMP_NUM_COEFF", "SAMP_DEN_COEFF")
_TINY = {
    "samples": 16, "lines": 1, "bands": 1, "header offset": 0, "file type": "ENVI Standard",
    "data type": 1, "interleave": "bsq", "byte order": 0,
}  # fmt: skip


def load_rasterio() -> Any:
    """Return rasterio, an optional dependency.

    Raises
    ------
    HsiError
        It is not installed.
    """
    # By default GDAL keeps a twentieth of all memory; a user's own setting is kept.
    os.environ.setdefault("GDAL_CACHEMAX", str(CACHE_BYTES // 2**20))
    try:
        import rasterio
    except ImportError as error:
        raise HsiError(
            f"GeoTIFF and map projections need rasterio, which is not here ({error}); "
            "pip install 'restore-hsi[geotiff]'"
        ) from error
    return rasterio


def for_envi(georeference: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a georeference as the keys of an ENVI header; see `aux_xml` for the rest."""
    if not georeference:
        return {}
    known = {key: _braced(georeference[key]) for key in GEOREFERENCE if key in georeference}
    if "transform" in georeference or "crs" in georeference:
        known |= _translated(georeference)
    return known | _geo_points(georeference) | _rpc_info(georeference)


def _translated(georeference: Mapping[str, Any]) -> dict[str, Any]:
    """Return `crs` and `transform` as `map info` and `coordinate system string`, by GDAL."""
    rasterio = load_rasterio()
    grid = {key: georeference[key] for key in ("crs", "transform") if key in georeference}
    stated = for_geotiff(grid)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        tiny = Path(folder) / "tiny.img"
        shape = {"height": 1, "width": 16, "count": 1, "dtype": "uint8"}
        with rasterio.open(tiny, "w", driver="ENVI", **shape, **stated):
            pass
        header = read_header(tiny.with_suffix(".hdr"))
        with rasterio.open(tiny) as image:
            kept = np.array(image.transform) if "transform" in stated else None
    if kept is not None and not np.allclose(kept, stated["transform"], rtol=1e-9, atol=1e-9):
        log.warning("ENVI has no words for a sheared grid; the map info is left out")
        header.pop("map info", None)
    values = {key: header[key] for key in GEOREFERENCE if key in header}
    return {
        key: _braced(value if key == "coordinate system string" else entries(value))
        for key, value in values.items()
    }


def for_geotiff(georeference: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a georeference as rasterio takes it: `crs`, `transform`, `gcps`, `rpcs`, where known.

    Raises
    ------
    HsiError
        Text that states no coordinate system; rasterio is not installed.
    """
    if not georeference:
        return {}
    rasterio = load_rasterio()
    plain = dict(georeference)
    if "transform" not in plain and "crs" not in plain:
        plain |= {key: value for key, value in _of_envi(plain).items() if key not in plain}
    found: dict[str, Any] = {}
    if plain.get("crs"):
        found["crs"] = crs_of(plain["crs"])
    if plain.get("transform") is not None:
        found["transform"] = rasterio.Affine(*plain["transform"])
    if plain.get("gcps") and "transform" in found:
        log.warning("GeoTIFF holds no ground control points beside a transform; they are left out")
    elif plain.get("gcps"):
        from rasterio.control import GroundControlPoint

        found["gcps"] = [
            GroundControlPoint(row=row, col=col, x=x, y=y, z=z, id=str(number))
            for number, (row, col, x, y, z) in enumerate(plain["gcps"], 1)
        ]
        if plain.get("gcps crs"):
            found["crs"] = crs_of(plain["gcps crs"])
    if plain.get("rpcs"):
        from rasterio.rpc import RPC

        found["rpcs"] = RPC.from_gdal(dict(plain["rpcs"]))
    return found


def crs_of(text: Any) -> Any:
    """Return the coordinate system that a text states: well-known text, or EPSG:N.

    Raises
    ------
    HsiError
        It states none.
    """
    rasterio = load_rasterio()
    try:
        with rasterio.Env():  # keeps GDAL's own lines from standard error
            return rasterio.crs.CRS.from_user_input(text)
    except rasterio.errors.CRSError as error:
        raise HsiError(
            f"expected a coordinate system, such as EPSG:32616, found '{text}' ({error})"
        ) from error


def moved(points: npt.NDArray[np.float64], own: Any, other: Any) -> npt.NDArray[np.float64]:
    """Return points (n, 2), x and y, of one coordinate system in another.

    Raises
    ------
    HsiError
        A point cannot lie in its system, such as a latitude of 4 500 000, or not in the other.
    """
    load_rasterio()
    from rasterio.warp import transform

    try:
        return np.stack(transform(own, other, points[:, 0], points[:, 1]), axis=1)
    except Exception as error:  # GDAL's own types, which rasterio does not publish
        raise HsiError(why(error, whole=True)) from error


def georeferenced(dataset: Any) -> dict[str, Any]:
    """Return what an open rasterio dataset states, in plain values: see the top of this module."""
    found: dict[str, Any] = {}
    if dataset.crs:
        found["crs"] = dataset.crs.to_wkt()
    if not dataset.transform.is_identity:
        found["transform"] = tuple(dataset.transform)[:6]
    points, system = dataset.gcps
    if points:
        found["gcps"] = tuple((p.row, p.col, p.x, p.y, p.z or 0.0) for p in points)
        if system:
            found["gcps crs"] = system.to_wkt()
    coefficients = dataset.tags(ns="RPC")
    if coefficients:
        found["rpcs"] = dict(coefficients)
    return found


def aux_xml(georeference: Mapping[str, Any] | None) -> bytes | None:
    """Return the text of DATA.aux.xml beside ENVI's data, or None if its header says all."""
    points, coefficients = ((georeference or {}).get(key) for key in ("gcps", "rpcs"))
    if not points and not coefficients:
        return None
    root = ElementTree.Element("PAMDataset")
    if points:
        system = str((georeference or {}).get("gcps crs", ""))
        listed = ElementTree.SubElement(root, "GCPList", Projection=system)
        for number, values in enumerate(points, 1):
            names = ("Line", "Pixel", "X", "Y", "Z")
            at = {name: repr(float(value)) for name, value in zip(names, values, strict=True)}
            ElementTree.SubElement(listed, "GCP", {"Id": str(number), **at})
    if coefficients:
        domain = ElementTree.SubElement(root, "Metadata", domain="RPC")
        for key, value in coefficients.items():
            ElementTree.SubElement(domain, "MDI", key=str(key)).text = str(value)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8"))


def of_aux_xml(data: Path) -> dict[str, Any]:
    """Return the points and coefficients in DATA.aux.xml, where there is one.

    Raises
    ------
    HsiError
        It is no XML.
    """
    file = data.with_name(f"{data.name}.aux.xml")
    if not file.is_file():
        return {}
    try:
        root = ElementTree.parse(file).getroot()
        found: dict[str, Any] = {}
        listed = root.find("GCPList")
        points = [] if listed is None else listed.findall("GCP")
        if listed is not None and points:
            found["gcps"] = tuple(
                tuple(float(p.get(key, 0)) for key in ("Line", "Pixel", "X", "Y", "Z"))
                for p in points
            )
            if listed.get("Projection"):
                found["gcps crs"] = str(listed.get("Projection"))
        coefficients = root.findall("Metadata[@domain='RPC']/MDI")
        if coefficients:
            found["rpcs"] = {item.get("key", ""): item.text or "" for item in coefficients}
    except (ElementTree.ParseError, ValueError) as error:
        raise HsiError(f"{file}: expected GDAL's XML ({error}); mend or remove it") from error
    return found


def _of_envi(georeference: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an ENVI header in plain values, by GDAL."""
    stated = {key: _braced(georeference[key]) for key in GEOREFERENCE if key in georeference}
    if not stated:
        return {}
    rasterio = load_rasterio()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        tiny = Path(folder) / "tiny.img"
        tiny.write_bytes(bytes(16))
        tiny.with_suffix(".hdr").write_text(format_header(_TINY | stated), encoding="utf-8")
        with rasterio.open(tiny) as image:
            found = georeferenced(image)
    if "gcps" in found:  # ENVI's points are latitudes and longitudes
        found.setdefault("gcps crs", "EPSG:4326")
    return found


def _geo_points(georeference: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the first ground control points as ENVI's `geo points`: x, y, latitude, longitude."""
    if not georeference.get("gcps") or not georeference.get("gcps crs"):
        return {}
    if not crs_of(georeference["gcps crs"]).is_geographic:
        return {}
    listed = []
    for row, col, x, y, _ in georeference["gcps"][:GEO_POINTS]:
        listed += [repr(float(value)) for value in (col + 1, row + 1, y, x)]
    return {"geo points": listed}


def _rpc_info(georeference: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return rational polynomial coefficients as ENVI's `rpc info`."""
    stated = georeference.get("rpcs") or {}
    numbers = [str(stated.get(key, "")).split() for key in RPC_NUMBERS]
    lists = [str(stated.get(key, "")).split() for key in RPC_LISTS]
    if any(len(part) != 1 for part in numbers) or any(len(part) != 20 for part in lists):
        return {}
    tile = ["0", "0", "0"]  # offsets of the tile, and whether the coefficients stand for others
    return {"rpc info": [number for part in (*numbers, *lists, tile) for number in part]}


def _braced(value: Any) -> Any:
    """Return a text as a list, which `format_header` puts in braces."""
    return f"{{{value}}}" if isinstance(value, str) else list(value)
