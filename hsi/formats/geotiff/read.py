"""GeoTIFF through rasterio, an optional dependency; a cube is read when it is sliced."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.contents import Contents, Kind
from hsi.formats.georeference import georeferenced, load_rasterio
from hsi.formats.geotiff import band_tags, enmap
from hsi.formats.geotiff.classes import read_classes
from hsi.formats.geotiff.write import write_classification, write_cube
from hsi.formats.lazy import LazyCube, tell_pieces

__all__ = ["read", "write_classification", "write_cube"]


class GeoTiffCube(LazyCube):
    """The bands of an open GeoTIFF.

    Parameters
    ----------
    path : Path
        For messages.
    dataset : rasterio.DatasetReader
        Stays open as long as the cube lives.
    """

    def __init__(self, path: Path, dataset: Any) -> None:
        shape = (dataset.height, dataset.width, dataset.count)
        super().__init__(shape, dataset.dtypes[0], dataset.block_shapes[0][0])
        self.path, self.dataset = path, dataset
        self._one_at_a_time = Lock()  # GDAL's datasets are not for several threads

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        numbers = list(range(bands.start + 1, bands.stop + 1))
        window = ((rows.start, rows.stop), (columns.start, columns.stop))
        with self._one_at_a_time, told(self.path):
            return np.moveaxis(self.dataset.read(numbers, window=window), 0, -1)


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Open the cube or the labels of a GeoTIFF.

    Wavelengths are taken from EnMAP's METADATA.XML beside the file, or from the metadata and names
    of its bands; class names from our own tag or GDAL's .aux.xml.

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
        dataset = rasterio.open(path, driver="GTiff")
        where = georeferenced(dataset)
    if len(set(dataset.dtypes)) > 1:
        raise HsiError(
            f"{path}: expected bands of one type, found {', '.join(sorted(set(dataset.dtypes)))}; "
            "write them as one type"
        )
    cube = GeoTiffCube(path, dataset)
    cube[-1, -1, -1]  # reading the last value finds a file that is cut short before any work
    found: dict[str, Any] = {
        "format": "GeoTIFF",
        "interleave": f"{dataset.interleaving.value.lower()}, blocks of "
        f"{dataset.block_shapes[0][0]} × {dataset.block_shapes[0][1]} pixels"
        if dataset.interleaving is not None
        else "one band",
    }
    if dataset.compression is not None:
        found["compression"] = dataset.compression.value
    place = {
        key: value.to_wkt() if key == "crs" else tuple(value)[:6] for key, value in where.items()
    }
    if kind == "labels":
        return _labels(path, cube, place, found)
    product = enmap.beside(path, dataset.count)
    if product is not None:
        found["band parameters"] = product.source
    tags = band_tags.read(dataset)
    scales, offsets = np.array(dataset.scales), np.array(dataset.offsets)
    ignored = dataset.nodata
    mapped = memory_map(path, cube)
    if mapped is not None:
        dataset.close()
    else:
        tell_pieces(str(path), cube)
    return Contents(
        path,
        cube if mapped is None else mapped,
        tags.wavelengths if product is None else product.wavelengths,
        tags.bad_bands if product is None else product.bad_bands,
        place or None,
        ignore_value=ignored,
        scale=scales if (scales != 1).any() else None if product is None else product.scale,
        offset=offsets if offsets.any() else None if product is None else product.offset,
        provenance=found,
    )


def memory_map(path: Path, cube: GeoTiffCube) -> npt.NDArray[Any] | None:
    """Return a cube as a memory map, which reads ten times faster than GDAL.

    Returns
    -------
    memmap (H, W, B) or None
        None unless the file is uncompressed and in one piece.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            if page.tags.get("PhotometricInterpretation") is None or not page.is_memmappable:
                return None
            mapped: npt.NDArray[Any] = tifffile.memmap(path, page=0, mode="r")
            by_band = page.planarconfig == 2  # TIFF's number for 'a plane a band'
    except (tifffile.TiffFileError, ValueError, OSError):
        return None
    height, width, bands = cube.shape
    shape = (bands, height, width) if by_band and bands > 1 else cube.shape
    if mapped.size != np.prod(shape) or mapped.dtype.newbyteorder("=") != cube.dtype:
        return None
    mapped = mapped.reshape(shape)
    return np.moveaxis(mapped, 0, -1) if shape != cube.shape else mapped


def _labels(
    path: Path, cube: GeoTiffCube, place: dict[str, Any], found: dict[str, Any]
) -> Contents:
    if cube.shape[2] != 1:
        raise HsiError(
            f"{path}: labels: expected one band of class numbers, found {cube.shape[2]} bands"
        )
    array = cube[:, :, 0]
    if (
        cube.dataset.nodata is not None
    ):  # unlabelled pixels are 0, whatever value the file has for them
        array = np.where(array == cube.dataset.nodata, array.dtype.type(0), array)
    names, colours = read_classes(path, cube.dataset)
    return Contents(
        path, array, georeference=place or None, class_names=names, colours=colours,
        provenance=found,
    )  # fmt: skip


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raise GDAL's errors about a file as one-line HsiErrors."""
    rasterio = load_rasterio()
    try:
        yield
    except rasterio.errors.RasterioError as error:
        reason = why(error.__cause__ or error, whole=True)
        raise HsiError(
            f"{path}: expected a whole GeoTIFF, found something else or a file cut short "
            f"({reason}); fetch it again"
        ) from error
