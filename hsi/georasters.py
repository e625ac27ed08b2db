"""Maps in formats that say where their pixels lie: ENVI and GeoTIFF; and which suffix is which."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.artifacts import write_text
from hsi.formats import geotiff
from hsi.formats.envi_write import classification_keys, header_text
from hsi.formats.georeference import for_envi, for_geotiff, load_rasterio
from hsi.rasters import Content, NumPyRaster, Raster


class PlainRaster(NumPyRaster):
    """Values without a header, as work goes on; formats say what becomes of them."""

    def _map(self, mode: Any) -> "np.memmap[Any, np.dtype[Any]]":
        assert self._part is not None
        return np.memmap(self._part, self.content.dtype, mode, shape=self.content.shape)


class EnviRaster(PlainRaster):
    """An ENVI pair: pixels one after the other (bip) in an .img, and the header."""

    def __init__(self, path: Path, content: Content) -> None:
        super().__init__(path, content)
        self._place = for_envi(content.georeference)  # what cannot be said is told before any work

    @property
    def _data(self) -> Path:
        return self.path.with_suffix(".img")

    def _describe(self) -> None:
        held = self.content
        if held.colours is None:
            kind, known = "ENVI Standard", {"band names": list(held.names)}
        else:
            kind, known = "ENVI Classification", classification_keys(held.names, held.colours)
        text = header_text(held.shape, held.dtype, kind, known | self._place)
        write_text(self.path, text)


class GeoTiffRaster(PlainRaster):
    """A GeoTIFF, made of plain values when the last block is written."""

    def __init__(self, path: Path, content: Content) -> None:
        super().__init__(path, content)
        load_rasterio()
        for_geotiff(content.georeference)  # what cannot be said is told before any work

    @property
    def _data(self) -> Path:
        return self.path.with_name(f"{self.path.name}.values")

    def close(self) -> None:
        """Write the GeoTIFF, and let go of the values."""
        self._values = None
        assert self._part is not None
        if not self._part.is_file():
            return
        held, values = self.content, self._map("r")
        if held.colours is not None:
            geotiff.write_classification(
                self.path, values, class_names=held.names, colours=held.colours,
                georeference=held.georeference,
            )  # fmt: skip
        else:
            cube = values if values.ndim == 3 else values[:, :, None]
            geotiff.write_cube(
                self.path, cube, georeference=held.georeference, band_names=held.names
            )
        self._part.unlink()


# A further format: a class with the methods of `Raster`, and its suffix here.
RASTERS: dict[str, Callable[[Path, Content], Raster]] = {
    ".npy": NumPyRaster,
    ".hdr": EnviRaster,
    ".tif": GeoTiffRaster,
    ".tiff": GeoTiffRaster,
}
