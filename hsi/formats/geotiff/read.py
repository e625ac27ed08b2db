"""GeoTIFF through rasterio, an optional dependency; a cube is read when it is sliced."""

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from engine.memory import DEFLATE, admit
from hsi.errors import HsiError
from hsi.formats import masks, no_data
from hsi.formats.contents import Contents, Kind
from hsi.formats.envi import metadata, pairs
from hsi.formats.georeference import georeferenced, load_rasterio
from hsi.formats.geotiff import alpha, band_tags, pages, products
from hsi.formats.geotiff.classes import read_classes
from hsi.formats.geotiff.write import write_classification, write_cube
from hsi.formats.lazy import LazyCube, tell_pieces

__all__ = ["read", "write_classification", "write_cube"]

log = logging.getLogger(__name__)

DRIVERS = {".jp2": "JP2OpenJPEG"}  # else GTiff


class GeoTiffCube(LazyCube):
    """The bands of an open GeoTIFF.

    Parameters
    ----------
    path : Path
        For messages.
    dataset : rasterio.DatasetReader
        Stays open as long as the cube lives.
    numbers : list of int, optional
        Of the bands, counted from 1; else all.
    """

    def __init__(self, path: Path, dataset: Any, numbers: list[int] | None = None) -> None:
        self.numbers = list(dataset.indexes) if numbers is None else numbers
        shape = (dataset.height, dataset.width, len(self.numbers))
        super().__init__(shape, dataset.dtypes[0], dataset.block_shapes[0][0])
        self.path, self.dataset = path, dataset
        self._one_at_a_time = Lock()  # GDAL's datasets are not for several threads

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        window = ((rows.start, rows.stop), (columns.start, columns.stop))
        with self._one_at_a_time, told(self.path):
            return np.moveaxis(self.dataset.read(self.numbers[bands], window=window), 0, -1)


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Open the cube or the labels of a GeoTIFF, or of JPEG 2000.

    Wavelengths are taken from a product's metadata beside the file (EnMAP, DESIS, Landsat,
    Sentinel-2), from the metadata and names of its bands, or from an ENVI header beside it; class
    names from our own tag or GDAL's .aux.xml. Pages of one size are bands.

    Raises
    ------
    HsiError
        No GeoTIFF, cut short, bands of different types; rasterio is not installed.
    """
    if variable is not None:
        raise HsiError(f"{path}: a GeoTIFF holds one array; leave out ':{variable}'")
    rasterio = load_rasterio()
    with told(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        dataset = rasterio.open(path, driver=DRIVERS.get(path.suffix.lower(), "GTiff"))
        place = georeferenced(dataset) or None
        cube, own_mask, found, left_out = _bands(path, dataset)
    if len(set(dataset.dtypes)) > 1:
        raise HsiError(
            f"{path}: expected bands of one type, found {', '.join(sorted(set(dataset.dtypes)))}; "
            "write them as one type"
        )
    with told(path):
        _admit(path, dataset, cube, kind)
        cube[-1, -1, -1]  # reading the last value finds a file that is cut short before any work
    if kind == "labels":
        return _labels(path, dataset, cube, own_mask, place, found)
    stated, ignored = _stated(path, dataset, cube, found)
    first, mask = no_data.first_and_mask(ignored, cube, own_mask, stated["bad_bands"])
    if isinstance(cube, GeoTiffCube):
        mapped = memory_map(path, cube)
        if mapped is None:
            tell_pieces(str(path), cube)
        else:
            cube.dataset.close()
            cube = mapped
    return Contents(
        path,
        cube,
        georeference=place,
        ignore_value=first,
        provenance=found,
        mask=mask,
        left_out=left_out,
        **stated,
    )


def _admit(path: Path, dataset: Any, cube: Any, kind: Kind) -> None:
    """Refuse blocks, and labels, that memory cannot hold, or that the file can hardly mean."""
    rows, columns = dataset.block_shapes[0]
    across = dataset.count if dataset.interleaving is not None and dataset.count > 1 else 1
    itemsize = np.dtype(dataset.dtypes[0]).itemsize
    packing = "" if dataset.compression is None else dataset.compression.value.upper()
    ratio = {"": 2.0, "LZW": 1400.0, "DEFLATE": DEFLATE, "PACKBITS": 64.0}.get(packing, math.inf)
    size = path.stat().st_size
    admit(min(rows, dataset.height) * columns * across * itemsize, size, HsiError, ratio)
    if kind == "labels":
        admit(math.prod(cube.shape) * itemsize, size, HsiError, max(ratio, DEFLATE))


def _bands(
    path: Path, dataset: Any
) -> tuple[Any, masks.RasterMask | None, dict[str, Any], tuple[str, ...]]:
    """Return the cube, the mask, what was understood, and what is left out."""
    found: dict[str, Any] = {"format": "GeoTIFF" if dataset.driver == "GTiff" else "JPEG 2000"}
    if dataset.interleaving is not None:
        rows, columns = dataset.block_shapes[0]
        kind = dataset.interleaving.value.lower()
        found["interleave"] = f"{kind}, blocks of {rows} × {columns} pixels"
    else:
        found["interleave"] = "one band"
    if dataset.compression is not None:
        found["compression"] = dataset.compression.value
    left_out = band_tags.left_out(dataset)
    stack = pages.imagej_stack(path, dataset)
    if stack is not None:
        found["bands"] = "the planes of an ImageJ stack"
        return stack, None, found, left_out
    paged, others = pages.of_pages(dataset)
    for other in others:
        log.warning("%s: the first page is read; left out: %s", path, other)
    mask, numbers = masks.inside(path, dataset), list(dataset.indexes)
    if paged is not None:
        found["bands"] = "the pages of the TIFF"
        return paged, mask, found, left_out
    marked = alpha.band(dataset)
    if marked is not None and alpha.is_mask(dataset, marked):
        numbers.remove(marked)
        mask = masks.RasterMask(path, inside=True)
        found["mask"] = f"band {marked}, which is marked as alpha"
    elif marked is not None:
        log.warning(
            "%s: band %d is marked as alpha, but holds values of all kinds; it is read as a band",
            path, marked,
        )  # fmt: skip
        mask = None
    elif mask is not None:
        beside = masks.file_beside(path)
        found["mask"] = "in the file" if beside is None else str(beside)
    return GeoTiffCube(path, dataset, numbers), mask, found, left_out + others


def _stated(
    path: Path, dataset: Any, cube: Any, found: dict[str, Any]
) -> tuple[dict[str, Any], tuple[float, ...]]:
    """Return what tags, a product's metadata and an ENVI header say about the bands and no data."""
    bands = cube.shape[2]
    stated: dict[str, Any] = {}
    ignored: tuple[float, ...] = () if dataset.nodata is None else (dataset.nodata,)
    product = products.beside(path, dataset)
    if product is not None:
        found |= product.provenance
        stated = dict(product.attributes)
        ignored = ignored or product.ignored
    if dataset.count == bands:
        scales, offsets = np.array(dataset.scales), np.array(dataset.offsets)
        tags = band_tags.read(path, dataset)
        tags["scale"] = scales if (scales != 1).any() else tags["scale"]
        tags["offset"] = offsets if offsets.any() else tags["offset"]
        stated = _first(stated, tags)
    header = pairs.beside_tiff(path, cube.shape)
    further = band_tags.extra(dataset)
    if header is not None:
        found["header"] = str(header[0])
        stated = _first(stated, metadata.of_bands(*header, bands))
        ignored = ignored or metadata.ignored(*header)
    own = no_data.stated(dataset.tags() | dict(band_tags.envi_domain(dataset)), str(path))
    names = ("wavelengths", "bad_bands", "fwhm", "band_names", "default_bands", "scale", "offset")
    kept = {name: stated.get(name) for name in names}
    return {**kept, "extra": further}, ignored or own


def _first(stated: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return attributes, taken from another source where the first does not state them."""
    missing = {key: value for key, value in other.items() if stated.get(key) is None}
    return {**stated, **missing}


def memory_map(path: Path, cube: GeoTiffCube) -> npt.NDArray[Any] | None:
    """Return a cube as a memory map, which reads ten times faster than GDAL.

    Returns
    -------
    memmap (H, W, B) or None
        None unless the file is uncompressed and in one piece.
    """
    import tifffile

    if cube.numbers != list(range(1, cube.shape[2] + 1)):
        return None
    try:
        with quiet_tifffile(), tifffile.TiffFile(path) as file:
            page = file.pages.first
            if page.tags.get("PhotometricInterpretation") is None or not page.is_memmappable:
                return None
            mapped: npt.NDArray[Any] = tifffile.memmap(path, page=0, mode="r")
            by_band = page.planarconfig == 2  # TIFF's number for 'a plane a band'
    except (tifffile.TiffFileError, ValueError, OSError):
        return None
    height, width = cube.shape[:2]
    bands = cube.dataset.count
    whole = (height, width, bands)
    shape = (bands, height, width) if by_band and bands > 1 else whole
    if mapped.size != np.prod(shape) or mapped.dtype.newbyteorder("=") != cube.dtype:
        return None
    mapped = mapped.reshape(shape)
    mapped = np.moveaxis(mapped, 0, -1) if shape != whole else mapped
    return mapped[..., : cube.shape[2]]  # a last band of alpha is no band of the scene


def _labels(
    path: Path,
    dataset: Any,
    cube: Any,
    mask: masks.RasterMask | None,
    place: dict[str, Any] | None,
    found: dict[str, Any],
) -> Contents:
    if cube.shape[2] != 1:
        raise HsiError(
            f"{path}: labels: expected one band of class numbers, found {cube.shape[2]} bands"
        )
    names, colours = read_classes(path, dataset)
    array = no_data.unlabelled(
        path,
        np.asarray(cube[:, :, 0]),
        () if dataset.nodata is None else (dataset.nodata,),
        mask=None if mask is None else mask[:],
        background=names[0] if names else None,
    )
    return Contents(
        path, array, georeference=place, class_names=names, colours=colours, provenance=found
    )


@contextmanager
def quiet_tifffile() -> Iterator[None]:
    """Keep tifffile from logging what it does not make of tags that GDAL reads."""
    logger = logging.getLogger("tifffile")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raise GDAL's errors about a file as one-line HsiErrors."""
    rasterio = load_rasterio()
    expected = "expected a whole GeoTIFF, found something else or a file cut short"
    with parsing(path, expected, HsiError, "fetch it again"):
        try:
            yield
        except rasterio.errors.RasterioError as error:
            raise (error.__cause__ or error) from error  # which says more
