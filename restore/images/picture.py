"""One image and what belongs to it: depth, alpha, ICC, EXIF, DPI, tags and texts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError


@dataclass(frozen=True)
class Picture:
    """One image and what belongs to it.

    Attributes
    ----------
    pixels : ndarray (H, W) or (H, W, 3); uint8, uint16 or float32
        Upright grey or RGB, on the file's own scale.
    alpha : ndarray (H, W) or None
        Of the pixels' type, never mixed into them.
    format : str
        Of the file: 'PNG', 'JPEG', 'TIFF', 'BMP', 'WEBP' or 'PPM'.
    mode : str
        How the file stored it: 'L', 'RGB', 'P' (palette), 'CMYK', ...
    icc, exif : bytes or None
        Colour profile; EXIF block from its TIFF header on, with orientation 1.
    dpi : (float, float) or None
        Horizontal and vertical dots per inch.
    tags : tuple
        TIFF tags beside those that describe the pixels: (code, type, count, value).
    texts : tuple
        Text chunks of a PNG: (name, content).
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    format: str = "PNG"
    mode: str = "RGB"
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    tags: tuple[tuple[int, int, int, Any], ...] = ()
    texts: tuple[tuple[bytes, bytes], ...] = ()

    def __post_init__(self) -> None:
        shape, kind = self.pixels.shape, self.pixels.dtype
        if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or 0 in shape:
            raise RestoreError(f"expected pixels (H, W) or (H, W, 3), got {shape}")
        if kind not in (np.uint8, np.uint16, np.float32):
            raise RestoreError(f"expected pixels of uint8, uint16 or float32, got {kind}")
        if self.alpha is not None and (self.alpha.shape != shape[:2] or self.alpha.dtype != kind):
            raise RestoreError(
                f"expected alpha {shape[:2]} {kind}, got {self.alpha.shape} {self.alpha.dtype}"
            )


def split_alpha(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Split (H, W[, 1..4]) into grey or RGB, and alpha if there is one."""
    if samples.ndim == 2 or samples.shape[2] == 3:
        return np.ascontiguousarray(samples), None
    if samples.shape[2] == 1:
        return np.ascontiguousarray(samples[..., 0]), None
    pixels = samples[..., 0] if samples.shape[2] == 2 else samples[..., :3]
    return np.ascontiguousarray(pixels), np.ascontiguousarray(samples[..., -1])


def join_alpha(picture: Picture) -> NDArray[Any]:
    """Return the samples of a file: `split_alpha` the other way round."""
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])
