"""Writing GeoTIFF through rasterio: cubes and classifications, block by block."""

import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats import masks
from hsi.formats.contents import Cube
from hsi.formats.georeference import for_geotiff, load_rasterio
from hsi.formats.geotiff import band_tags
from hsi.formats.geotiff.classes import write_classes
from hsi.formats.lazy import row_blocks
from hsi.formats.no_data import Mask
from hsi.formats.writing import new_files

log = logging.getLogger(__name__)

# Types that TIFF does not know, and those that hold all their values.
WIDER = {"float16": np.float32, "bool": np.uint8}
STRIP_BYTES = 2**20


def write_cube(
    path: Path,
    cube: Cube,
    *,
    wavelengths: npt.NDArray[np.float64] | None = None,
    bad_bands: npt.NDArray[np.bool_] | None = None,
    georeference: Mapping[str, Any] | None = None,
    ignore_value: float | None = None,
    scale: npt.NDArray[np.float64] | None = None,
    offset: npt.NDArray[np.float64] | None = None,
    fwhm: npt.NDArray[np.float64] | None = None,
    band_names: Sequence[str] | None = None,
    default_bands: Sequence[int] | None = None,
    mask: Mask | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write a cube (H, W, B) as a GeoTIFF, uncompressed, the bands of a pixel side by side.

    Raises
    ------
    HsiError
        A full disk, or no rasterio.
    """
    dtype = np.dtype(WIDER.get(cube.dtype.name, cube.dtype)).newbyteorder("=")
    # GDAL takes the last of four bands of 8 bits for alpha unless it is told.
    layout = {
        "interleave": "pixel",
        "photometric": "MINISBLACK",
        "ALPHA": "NO",
        "nodata": _held(path, ignore_value, dtype),
    }
    size = int(np.prod(cube.shape)) * dtype.itemsize
    with (
        new_files(path, size) as part,
        _created(part, cube.shape, dtype, georeference, layout) as dataset,
    ):
        for number in range(1, cube.shape[2] + 1):
            centre = None if wavelengths is None else float(wavelengths[number - 1])
            bad = None if bad_bands is None else bool(bad_bands[number - 1])
            width = None if fwhm is None else float(fwhm[number - 1])
            tags = band_tags.written(centre, bad, width)
            if tags:
                dataset.update_tags(number, **tags)
            if band_names is not None:
                dataset.set_band_description(number, band_names[number - 1])
            elif centre is not None:
                dataset.set_band_description(number, band_tags.automatic_name(centre))
        if scale is not None:
            dataset.scales = scale.tolist()
        if offset is not None:
            dataset.offsets = offset.tolist()
        plain, envi = band_tags.written_of_file(default_bands, extra)
        if plain:
            dataset.update_tags(**plain)
        if envi:
            dataset.update_tags(ns="ENVI", **envi)
        _fill(dataset, cube, dtype)
        if mask is not None:
            masks.fill(mask, lambda values, window: dataset.write_mask(values, window=window))


def write_classification(
    path: Path,
    classes: npt.NDArray[np.integer[Any]],
    *,
    class_names: Sequence[str],
    colours: npt.NDArray[np.uint8],
    georeference: Mapping[str, Any] | None = None,
) -> None:
    """Write a map (H, W) as a GeoTIFF with a colour table and class names; 0 is no data.

    Parameters
    ----------
    path : Path
        Its FILE.aux.xml, which holds the names as GDAL and QGIS read them, lies beside it.
    classes : ndarray (H, W), int
    class_names : sequence of str
        By class number, 'Unclassified' first.
    colours : ndarray (C + 1, 3), uint8
        Left out for class numbers above 65535, which TIFF has no colour tables for.
    georeference : mapping, optional
    """
    dtype = np.dtype(classes.dtype).newbyteorder("=")
    layout = {"compress": "deflate", "nodata": 0}
    with new_files(path) as part:
        cube = classes[:, :, None]
        with _created(part, cube.shape, dtype, georeference, layout) as dataset:
            write_classes(dataset, class_names, colours, part.with_name(f"{part.name}.aux.xml"))
            _fill(dataset, cube, dtype)


@contextmanager
def _created(
    path: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    georeference: Mapping[str, Any] | None,
    layout: Mapping[str, Any],
) -> Iterator[Any]:
    """Open a new GeoTIFF of strips near 1 MiB, whole rows each."""
    rasterio = load_rasterio()
    height, width, count = shape
    strip = min(height, max(1, STRIP_BYTES // (width * count * dtype.itemsize)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        # Tags go into the file itself, not beside it.
        with (
            rasterio.Env(GDAL_PAM_ENABLED="NO", GDAL_TIFF_INTERNAL_MASK="YES"),
            rasterio.open(
                path, "w", driver="GTiff", height=height, width=width, count=count,
                dtype=dtype.name, blockysize=strip, BIGTIFF="IF_SAFER",
                **for_geotiff(georeference), **layout,
            ) as dataset,
        ):  # fmt: skip
            yield dataset


def _fill(dataset: Any, cube: Cube, dtype: np.dtype[Any]) -> None:
    # A strip is written once, a piece of the cube is read once.
    together = math.lcm(dataset.block_shapes[0][0], getattr(cube, "stored_rows", 1))
    for rows in row_blocks(cube.shape, dtype.itemsize, together):
        block = np.ascontiguousarray(np.moveaxis(np.asarray(cube[rows], dtype), -1, 0))
        dataset.write(block, window=((rows.start, rows.stop), (0, cube.shape[1])))


def _held(path: Path, value: float | None, dtype: np.dtype[Any]) -> float | None:
    """Return the ignore value, or None if the type cannot hold it: no pixel can have it then."""
    if value is None:
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            held = float(dtype.type(value))
        # Texts round the lowest number of a type to one beyond it.
        beyond = np.isfinite(value) and abs(value) > np.finfo(dtype).max
        if not beyond or np.isfinite(held):
            return held if beyond else value
        log.warning("%s: no %s is %g; the ignore value is left out", path, dtype, value)
        return None
    if not (np.isfinite(value) and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max):
        log.warning("%s: no %s is %g; the ignore value is left out", path, dtype, value)
        return None
    return value
