"""Where pixels lie on the ground, as ENVI and as GeoTIFF say it.

A scene keeps what its own format states: ENVI's `map info` and `coordinate system string`, or the
`crs` (well-known text, or EPSG:N) and `transform` (a, b, c, d, e, f: x = a·column + b·row + c,
y = d·column + e·row + f, counted from the upper left corner) of GeoTIFF. Between the two, GDAL's
own ENVI driver translates, on a file of a few pixels.
"""

import logging
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import HsiError
from hsi.formats.envi.header import entries, format_header, read_header
from hsi.formats.lazy import CACHE_BYTES

log = logging.getLogger(__name__)

KEYS_ENVI = ("map info", "projection info", "coordinate system string")
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
    """Return a georeference as the keys of an ENVI header."""
    if not georeference:
        return {}
    if "transform" not in georeference and "crs" not in georeference:
        return {key: _braced(value) for key, value in georeference.items()}
    rasterio = load_rasterio()
    stated = for_geotiff(georeference)
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
    values = {key: header[key] for key in KEYS_ENVI if key in header}
    return {
        key: _braced(value if key == "coordinate system string" else entries(value))
        for key, value in values.items()
    }


def for_geotiff(georeference: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a georeference as `crs` and `transform` of rasterio; empty without one.

    Raises
    ------
    HsiError
        Text that states no coordinate system; rasterio is not installed.
    """
    if not georeference:
        return {}
    rasterio = load_rasterio()
    if "transform" in georeference or "crs" in georeference:
        found: dict[str, Any] = {}
        if georeference.get("crs"):
            try:
                found["crs"] = rasterio.crs.CRS.from_user_input(georeference["crs"])
            except rasterio.errors.CRSError as error:
                raise HsiError(
                    f"expected a coordinate system, found '{georeference['crs']}' ({error})"
                ) from error
        if georeference.get("transform") is not None:
            found["transform"] = rasterio.Affine(*georeference["transform"])
        return found
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        tiny = Path(folder) / "tiny.img"
        tiny.write_bytes(bytes(16))
        stated = {key: _braced(georeference[key]) for key in KEYS_ENVI if key in georeference}
        tiny.with_suffix(".hdr").write_text(format_header(_TINY | stated), encoding="utf-8")
        with rasterio.open(tiny) as image:
            return georeferenced(image)


def georeferenced(dataset: Any) -> dict[str, Any]:
    """Return `crs` and `transform` of an open rasterio dataset, each if it states one."""
    found: dict[str, Any] = {}
    if dataset.crs:
        found["crs"] = dataset.crs
    if not dataset.transform.is_identity:
        found["transform"] = dataset.transform
    return found


def _braced(value: Any) -> Any:
    """Return a text as a list, which `format_header` puts in braces."""
    return f"{{{value}}}" if isinstance(value, str) else list(value)
