"""The band of a TIFF that is marked as alpha: a mask, or a band of the scene marked by mistake."""

from typing import Any

import numpy as np

ROWS_LOOKED_AT = 64


def band(dataset: Any) -> int | None:
    """Return the number of the band marked as alpha, counted from 1, or None without one."""
    from rasterio.enums import ColorInterp

    found = [n for n, kind in zip(dataset.indexes, dataset.colorinterp, strict=True)
             if kind == ColorInterp.alpha]  # fmt: skip
    return found[-1] if found and dataset.count > 1 else None


def is_mask(dataset: Any, number: int) -> bool:
    """Return whether a band holds nothing but 0 and the highest value, by rows all over it.

    GDAL marks the fourth of four bands of 8 bits as alpha unless it is told otherwise; in scenes
    that band is near infrared, whose values are of all kinds.
    """
    dtype = np.dtype(dataset.dtypes[number - 1])
    highest = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    step = max(1, dataset.height // ROWS_LOOKED_AT)
    for row in range(0, dataset.height, step):
        values = dataset.read(number, window=((row, row + 1), (0, dataset.width)))
        if not np.isin(values, (0, highest)).all():
            return False
    return True
