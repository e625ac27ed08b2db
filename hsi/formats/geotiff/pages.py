"""TIFFs of several pages of one size, read as the bands of one cube."""

import warnings
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.georeference import load_rasterio
from hsi.formats.lazy import LazyCube


class PagesCube(LazyCube):
    """Pages of one band each.

    Parameters
    ----------
    datasets : list of rasterio.DatasetReader
        Of one size and type; they stay open as long as the cube lives.
    """

    def __init__(self, datasets: list[Any]) -> None:
        first = datasets[0]
        shape = (first.height, first.width, len(datasets))
        super().__init__(shape, first.dtypes[0], first.block_shapes[0][0])
        self.datasets = datasets
        self._one_at_a_time = Lock()

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        window = ((rows.start, rows.stop), (columns.start, columns.stop))
        with self._one_at_a_time:
            return np.stack([d.read(1, window=window) for d in self.datasets[bands]], axis=-1)


def of_pages(dataset: Any) -> tuple[PagesCube | None, tuple[str, ...]]:
    """Return the pages of a TIFF as a cube, and what is left out.

    Parameters
    ----------
    dataset : rasterio.DatasetReader
        The first page.

    Returns
    -------
    cube : PagesCube or None
        None for a TIFF of one page, or whose pages differ in size or type, or have several bands.
    left_out : tuple of str
        The other pages, if they differ.
    """
    names = dataset.subdatasets
    if len(names) < 2:
        return None, ()
    rasterio = load_rasterio()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        pages = [rasterio.open(name) for name in names]
    kinds = {(page.height, page.width, page.dtypes) for page in pages}
    if len(kinds) == 1 and all(page.count == 1 for page in pages):
        return PagesCube(pages), ()
    sizes = ", ".join(f"{page.height} × {page.width} × {page.count}" for page in pages[1:4])
    return None, (
        f"{len(pages) - 1} other pages of the TIFF ({sizes}{', …' if len(pages) > 4 else ''})",
    )


def imagej_stack(path: Path, dataset: Any) -> npt.NDArray[Any] | None:
    """Return the planes of an ImageJ stack with one directory (H, W, B), or None if it is none.

    Raises
    ------
    HsiError
        It states more planes than it holds, or planes of several axes.
    """
    if not dataset.tags().get("TIFFTAG_IMAGEDESCRIPTION", "").startswith("ImageJ="):
        return None
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            stated = int((file.imagej_metadata or {}).get("images", 1))
            if len(file.pages) > 1 or stated == 1 or series.dataoffset is None:
                return None
            shape = tuple(size for size in series.shape if size > 1)
            dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
            offset = series.dataoffset
        if len(shape) != 3:
            raise HsiError(
                f"{path}: expected a stack of planes, found an ImageJ stack of axes {series.axes} "
                f"({' × '.join(map(str, series.shape))}); write one axis of planes"
            )
        mapped: npt.NDArray[Any] = np.memmap(path, dtype, "r", offset, shape)
    except (tifffile.TiffFileError, ValueError, OSError) as error:
        raise HsiError(
            f"{path}: expected a whole ImageJ stack ({error}); fetch it again"
        ) from error
    return np.moveaxis(mapped, 0, -1)
