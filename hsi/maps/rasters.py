"""Raster files that are written block by block, and moved to their names when whole."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.artifacts import write_text
from engine.memory import release
from hsi.blockwise.disk import reserve
from hsi.formats.envi.write import classification_keys, header_text
from hsi.formats.georeference import aux_xml, for_envi, for_geotiff, load_rasterio
from hsi.formats.geotiff import write as geotiff_write
from hsi.formats.writing import sidecars


@dataclass(frozen=True)
class Content:
    """What a raster holds.

    Attributes
    ----------
    shape : tuple of int
        (H, W) or (H, W, C).
    dtype : numpy dtype
    names : sequence of str
        Of the classes by number, 'Unclassified' first, where the values are class numbers (H, W);
        else of the bands.
    colours : ndarray (classes + 1, 3), uint8, optional
        Of the classes; None where the values are no class numbers.
    georeference : mapping, optional
        Of the scene.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    names: Sequence[str] = ()
    colours: npt.NDArray[np.uint8] | None = None
    georeference: Mapping[str, Any] | None = field(default=None)

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes of all values of one pixel."""
        return self.dtype.itemsize * int(np.prod(self.shape[2:], dtype=np.int64))


class Raster(Protocol):
    """A file that is written block by block.

    `open` makes it in a folder of unfinished work, or resumes the one there; `write` may be
    called for blocks in any order, and again; after `flush` they survive a kill; `close` gives the
    whole file its name, and may be called again after a kill.
    """

    path: Path
    content: Content

    @property
    def is_open(self) -> bool:
        """Whether its values can be read and written."""

    def is_in(self, folder: Path) -> bool:
        """Return whether the unfinished file is in a folder."""

    def open(self, folder: Path, *, resume: bool) -> None:
        """Create the file at its full size, or resume it."""

    def write(self, rows: slice, columns: slice, values: npt.NDArray[Any]) -> None:
        """Write a block (h, w) or (h, w, C)."""

    def flush(self) -> None:
        """Wait until all blocks are on the disk, and hold none in memory."""

    def read(self) -> npt.NDArray[Any]:
        """Return the values, memory-mapped."""

    def close(self) -> None:
        """Move the file, or the files, to their place."""


class NumPyRaster:
    """A .npy file.

    Parameters
    ----------
    path : Path
    content : Content
    """

    def __init__(self, path: Path, content: Content) -> None:
        self.path, self.content = path, content
        self._part: Path | None = None
        self._values: np.memmap[Any, np.dtype[Any]] | None = None

    @property
    def is_open(self) -> bool:
        """Whether its values can be read and written."""
        return self._values is not None

    def is_in(self, folder: Path) -> bool:
        """Return whether the unfinished file is in a folder."""
        return (folder / self._data.name).is_file()

    def open(self, folder: Path, *, resume: bool) -> None:
        """Create the file at its full size, or resume it."""
        self._part = folder / self._data.name
        if resume:
            if self._part.is_file():
                self._values = self._map("r+")
            return
        self._values = self._map("w+")
        reserve(self._part, self._part.stat().st_size)

    def write(self, rows: slice, columns: slice, values: npt.NDArray[Any]) -> None:
        """Write a block (h, w) or (h, w, C)."""
        assert self._values is not None
        self._values[rows, columns] = values

    def flush(self) -> None:
        """Wait until all blocks are on the disk, and hold none in memory."""
        if self._values is not None:
            self._values.flush()
            release(self._values)

    def read(self) -> npt.NDArray[Any]:
        """Return the values, memory-mapped."""
        assert self._values is not None
        return self._values

    def close(self) -> None:
        """Move the file to its place."""
        self._values = None
        assert self._part is not None
        if self._part.is_file():
            self._part.chmod(0o666 & ~_umask())
            self._part.replace(self._data)
        self._describe()

    @property
    def _data(self) -> Path:
        """The file that holds the values."""
        return self.path

    def _map(self, mode: Any) -> "np.memmap[Any, np.dtype[Any]]":
        assert self._part is not None
        return np.lib.format.open_memmap(
            self._part, mode=mode, dtype=self.content.dtype, shape=self.content.shape
        )

    def _describe(self) -> None:
        """Write the header or other files beside the values."""


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class PlainRaster(NumPyRaster):
    """Values without a header while blocks are written; formats add what they need at the end."""

    def _map(self, mode: Any) -> "np.memmap[Any, np.dtype[Any]]":
        assert self._part is not None
        return np.memmap(self._part, self.content.dtype, mode, shape=self.content.shape)


class EnviRaster(PlainRaster):
    """An ENVI pair: pixels one after the other (bip) in an .img, and the header."""

    def __init__(self, path: Path, content: Content) -> None:
        super().__init__(path, content)
        self._place = for_envi(content.georeference)  # raises before any work is done

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
        for stale in sidecars(self.path):
            stale.unlink(missing_ok=True)
        aux = aux_xml(held.georeference)
        if aux is not None:
            write_text(self._data.with_name(f"{self._data.name}.aux.xml"), aux.decode())
        write_text(self.path, text)


class GeoTiffRaster(PlainRaster):
    """A GeoTIFF, which is made from plain values after the last block."""

    def __init__(self, path: Path, content: Content) -> None:
        super().__init__(path, content)
        load_rasterio()
        for_geotiff(content.georeference)  # raises before any work is done

    @property
    def _data(self) -> Path:
        return self.path.with_name(f"{self.path.name}.values")

    def close(self) -> None:
        """Write the GeoTIFF, and delete the plain values."""
        self._values = None
        assert self._part is not None
        if not self._part.is_file():
            return
        held, values = self.content, self._map("r")
        if held.colours is not None:
            geotiff_write.write_classification(
                self.path, values, class_names=held.names, colours=held.colours,
                georeference=held.georeference,
            )  # fmt: skip
        else:
            cube = values if values.ndim == 3 else values[:, :, None]
            geotiff_write.write_cube(
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
