"""JPEG compression as the published tables use it: MATLAB's luma, libjpeg's default settings."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from restore.errors import RestoreError


def encode(image: NDArray[np.uint8], quality: int, *, subsampling: int = 2) -> bytes:
    """Encode an image as a baseline JPEG with libjpeg's defaults.

    Parameters
    ----------
    image : ndarray (H, W) or (H, W, 3), uint8
        Grey, or RGB, which is stored as YCbCr.
    quality : int
        1..100, libjpeg's scale (the one MATLAB's `imwrite` has).
    subsampling : {0, 1, 2}, optional
        Of the colour: 4:4:4, 4:2:2 or 4:2:0; ignored for grey.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    RestoreError
        If the quality or the image is out of range.
    """
    if not 1 <= quality <= 100 or int(quality) != quality:
        raise RestoreError(f"JPEG quality must be an integer from 1 to 100, not {quality:g}")
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise RestoreError(f"JPEG needs 8-bit grey or RGB, not {image.dtype} {image.shape}")
    if max(image.shape[:2]) > 65500:
        raise RestoreError(
            f"JPEG holds at most 65500 pixels a side, the image has "
            f"{image.shape[1]}x{image.shape[0]}"
        )
    buffer = io.BytesIO()
    options: dict[str, Any] = {"subsampling": subsampling} if image.ndim == 3 else {}
    Image.fromarray(np.ascontiguousarray(image)).save(
        buffer, "JPEG", quality=int(quality), **options
    )
    return buffer.getvalue()


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a grey or colour JPEG to (H, W) or (H, W, 3) uint8."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as stored:
            return np.asarray(stored if stored.mode == "L" else stored.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise RestoreError(f"not a readable JPEG: {error}") from error


def compress(image: NDArray[np.uint8], quality: int, *, subsampling: int = 2) -> NDArray[np.uint8]:
    """Return the image that remains after JPEG compression: `decode(encode(image, quality))`."""
    return decode(encode(image, quality, subsampling=subsampling))


def compress_batch(
    patches: NDArray[np.uint8],
    qualities: Sequence[int] | NDArray[np.integer[Any]],
    pool: ThreadPoolExecutor | None = None,
    *,
    subsampling: Sequence[int] | NDArray[np.integer[Any]] | None = None,
) -> NDArray[np.uint8]:
    """Compress patches, each at its own quality, on several threads.

    Parameters
    ----------
    patches : ndarray (B, H, W) or (B, H, W, 3), uint8
    qualities : sequence of B int
        1..100.
    pool : ThreadPoolExecutor, optional
        Threads to use; by default one per CPU, shared by all calls. libjpeg runs outside Python's
        global lock.
    subsampling : sequence of B int, optional
        As in `encode`; by default 2 for all.

    Returns
    -------
    ndarray of the same shape, uint8
        The same whatever the number of threads.

    Raises
    ------
    RestoreError
        If the shapes do not fit or a quality is out of range.
    """
    if patches.ndim not in (3, 4) or len(qualities) != len(patches):
        raise RestoreError(
            f"expected patches (B, H, W[, 3]) and one quality per patch, "
            f"got {patches.shape} and {len(qualities)} qualities"
        )
    out = np.empty_like(patches)
    colours = [2] * len(out) if subsampling is None else subsampling

    def work(rows: range) -> None:
        for row in rows:
            out[row] = compress(patches[row], int(qualities[row]), subsampling=int(colours[row]))

    pool = pool or _pool()
    # A patch takes some 100 us: a task of several keeps the cost of handing over small.
    tasks = [range(start, min(start + 8, len(out))) for start in range(0, len(out), 8)]
    for _ in pool.map(work, tasks):
        pass
    return out


@cache
def _pool() -> ThreadPoolExecutor:
    """One pool for the process, made at first use."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="jpeg")
