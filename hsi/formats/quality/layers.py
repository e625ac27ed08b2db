"""Layers of quality beside a scene, the flags in them, and the mask that flags make."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.georeference import load_rasterio
from hsi.formats.lazy import repeated
from hsi.formats.no_data import Mask

Test = Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Flag:
    """One mark of a quality layer.

    Attributes
    ----------
    word : str
        One of `hsi.formats.quality.products.WORDS`.
    layer : Layer (H, W)
        Read when it is sliced.
    marked : callable
        From values of the layer to where the mark is set.
    """

    word: str
    layer: "RasterLayer | Hdf5Layer"
    marked: Test


class RasterLayer:
    """A band of a raster."""

    def __init__(self, path: Path, band: int = 1) -> None:
        rasterio = load_rasterio()
        self.path, self.band = path, band
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            try:
                self.dataset = rasterio.open(path)
            except rasterio.errors.RasterioError as error:
                reason = why(error.__cause__ or error, whole=True)
                raise HsiError(f"{path}: expected a quality layer ({reason})") from error
        if self.dataset.count < band:
            raise HsiError(
                f"{path}: expected a quality layer of {band} bands or more, found "
                f"{self.dataset.count}; fetch it again"
            )
        self.shape: tuple[int, ...] = (self.dataset.height, self.dataset.width)
        self._one_at_a_time = Lock()  # GDAL's datasets are not for several threads

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        window = tuple((part.start, part.stop) for part in key)
        rasterio = load_rasterio()
        try:
            with self._one_at_a_time:
                return np.asarray(self.dataset.read(self.band, window=window))
        except rasterio.errors.RasterioError as error:
            reason = why(error.__cause__ or error, whole=True)
            raise HsiError(f"{self.path}: it cannot be read ({reason})") from error


class Hdf5Layer:
    """A band of a dataset (rows, columns, bands) of HDF5."""

    def __init__(self, path: Path, dataset: Any, band: int) -> None:
        self.path, self.dataset, self.band = path, dataset, band
        self.shape: tuple[int, ...] = tuple(dataset.shape[:2])

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        try:
            return np.asarray(self.dataset[(*key, self.band)])
        except OSError as error:
            raise HsiError(f"{self.path}: it cannot be read ({why(error, whole=True)})") from error


class QualityMask:
    """True where none of some flags is set; read when it is sliced.

    Parameters
    ----------
    flags : sequence of Flag
    shape : tuple of int
        Rows and columns of the scene; a layer may be two, three, … times as coarse.
    other : Mask, optional
        Of the scene itself.

    Raises
    ------
    HsiError
        A layer of another size.
    """

    def __init__(
        self, flags: Sequence[Flag], shape: tuple[int, ...], other: Mask | None = None
    ) -> None:
        self.flags, self.shape, self.other = tuple(flags), tuple(shape), other
        self.factors = [_factor(flag.layer, self.shape) for flag in flags]

    def __getitem__(self, key: Any) -> npt.NDArray[np.bool_]:
        keys = (*key, slice(None)) if isinstance(key, tuple) else (key, slice(None))
        rows, columns = (
            slice(*part.indices(size)[:2]) for part, size in zip(keys[:2], self.shape, strict=True)
        )
        valid = np.ones((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
        if self.other is not None:
            valid &= np.asarray(self.other[rows, columns])
        for flag, factor in zip(self.flags, self.factors, strict=True):
            valid &= ~flag.marked(repeated(flag.layer, rows, columns, factor))
        return valid


def _factor(layer: RasterLayer | Hdf5Layer, shape: tuple[int, ...]) -> int:
    factor = shape[0] // max(layer.shape[0], 1)
    if factor < 1 or tuple(size * factor for size in layer.shape) != shape:
        raise HsiError(
            f"{layer.path}: expected a quality layer of {shape[0]} × {shape[1]} pixels as the "
            f"scene has, found {layer.shape[0]} × {layer.shape[1]}; fetch that of this scene"
        )
    return factor
