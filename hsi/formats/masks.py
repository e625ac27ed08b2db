"""Masks of pixels that hold data: inside a raster, or in GDAL's DATA.msk beside it."""

import warnings
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from hsi.errors import HsiError
from hsi.formats.georeference import load_rasterio
from hsi.formats.lazy import row_blocks
from hsi.formats.no_data import Mask

# How GDAL marks a mask of all bands; the one in the file, and the one beside it.
FLAG = "INTERNAL_MASK_FLAGS_1"
PER_DATASET = "2"
ROW_BYTES = 1024  # per pixel, of a cube that a mask may be made from


class RasterMask:
    """A mask that is read from its file when it is sliced: one slice of rows, or rows and columns.

    Parameters
    ----------
    path : Path
    inside : bool
        Whether it is the mask inside a raster, else the first band of a file that is a mask.
    """

    def __init__(self, path: Path, *, inside: bool) -> None:
        self.path, self.inside = path, inside
        self.dataset = _opened(path)
        self.shape: tuple[int, ...] = (self.dataset.height, self.dataset.width)
        self._one_at_a_time = Lock()  # GDAL's datasets are not for several threads

    def __getitem__(self, key: Any) -> npt.NDArray[np.bool_]:
        keys = (*key, slice(None)) if isinstance(key, tuple) else (key, slice(None))
        spans = [part.indices(size)[:2] for part, size in zip(keys[:2], self.shape, strict=True)]
        read = self.dataset.read_masks if self.inside else self.dataset.read
        with parsing(self.path, "expected a mask that can be read", HsiError), self._one_at_a_time:
            found: npt.NDArray[np.bool_] = read(1, window=tuple(spans)) > 0
        return found


def file_beside(data: Path) -> Path | None:
    """Return the mask beside a raster, DATA.msk, if there is one."""
    for name in (f"{data.name}.msk", f"{data.name}.MSK"):
        if data.with_name(name).is_file():
            return data.with_name(name)
    return None


def beside(data: Path, size: tuple[int, ...]) -> RasterMask | None:
    """Return the mask in DATA.msk beside a raster of (rows, columns), or None without one.

    Raises
    ------
    HsiError
        It is of another size, or rasterio is not installed.
    """
    file = file_beside(data)
    if file is None:
        return None
    mask = RasterMask(file, inside=False)
    if mask.shape != tuple(size):
        raise HsiError(
            f"{file}: expected a mask of {size[0]} × {size[1]} pixels as {data.name} has, found "
            f"{mask.shape[0]} × {mask.shape[1]}; remove it, or fetch that of this scene"
        )
    return mask


def inside(path: Path, dataset: Any) -> RasterMask | None:
    """Return the mask of an open dataset, in the file or beside it; None where all pixels count.

    An alpha band is a mask, too; a value for no data is none.
    """
    from rasterio.enums import MaskFlags

    flags = dataset.mask_flag_enums[0]
    if MaskFlags.per_dataset not in flags or MaskFlags.nodata in flags:
        return None
    return RasterMask(path, inside=True)


def write_beside(path: Path, mask: Mask) -> None:
    """Write a mask as DATA.msk, as GDAL does for formats that have none inside."""
    rasterio = load_rasterio()
    height, width = mask.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with (
            rasterio.Env(GDAL_PAM_ENABLED="NO"),
            rasterio.open(
                path, "w", driver="GTiff", height=height, width=width, count=1, dtype="uint8",
                compress="deflate",
            ) as dataset,
        ):  # fmt: skip
            dataset.update_tags(**{FLAG: PER_DATASET})
            fill(mask, lambda values, window: dataset.write(values, 1, window=window))


def fill(mask: Mask, write: Any) -> None:
    """Write a mask block by block: 255 where there is data, else 0.

    Parameters
    ----------
    mask : Mask (H, W)
    write : callable
        Of values (h, W), uint8, and their window.
    """
    height, width = mask.shape
    # A mask may be made from a cube: few rows at once.
    for rows in row_blocks((height, width, ROW_BYTES), 1):
        values = np.asarray(mask[rows]).astype(np.uint8) * np.uint8(255)
        write(values, ((rows.start, rows.stop), (0, width)))


def _opened(path: Path) -> Any:
    rasterio = load_rasterio()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with parsing(path, "expected a mask in GDAL's form", HsiError):
            return rasterio.open(path, driver="GTiff")
