"""One image and what belongs to it: depth, alpha, ICC, EXIF, DPI, tags and texts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError

OTHER, ALPHA = 0, 2  # TIFF's ExtraSamples


@dataclass(frozen=True)
class Picture:
    """One image and what belongs to it.

    Attributes
    ----------
    pixels : ndarray (H, W) or (H, W, 3); uint8, uint16 or float32
        Upright grey or RGB, on the file's own scale.
    alpha : ndarray (H, W) or None
        Of the pixels' type, never mixed into them.
    further : tuple of ndarray (H, W)
        Samples that are neither grey, RGB nor alpha, such as near infrared; of the pixels' type.
    layout : tuple of int
        How the file lists alpha and further samples: TIFF's 2 for alpha, 0 for another one.
    mask : ndarray (H, W) of bool, or None
        Which pixels are valid, where a TIFF says so in a page of its own.
    white : float or None
        The value of white where it is not the largest of the type: 4095 for 12 bits in uint16.
    no_data : float or None
        The value that the file states for pixels without data.
    format : str
        Of the file: 'PNG', 'JPEG', 'TIFF', 'BMP', 'WEBP', 'PPM' or another one that is read.
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
    colour : tuple
        Chunks of a PNG that say what its colours mean (gAMA, cICP, ...): (name, content).
    xmp, iptc, comment : bytes or None
        XMP packet, IPTC records, and the comment of a JPEG.
    left : tuple of str
        What the file holds and no output will: named to whoever asks for the picture.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    further: tuple[NDArray[Any], ...] = ()
    layout: tuple[int, ...] = ()
    mask: NDArray[np.bool_] | None = None
    white: float | None = None
    no_data: float | None = None
    format: str = "PNG"
    mode: str = "RGB"
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    tags: tuple[tuple[int, int, int, Any], ...] = ()
    texts: tuple[tuple[bytes, bytes], ...] = ()
    colour: tuple[tuple[bytes, bytes], ...] = ()
    xmp: bytes | None = None
    iptc: bytes | None = None
    comment: bytes | None = None
    left: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape: tuple[int, ...] = self.pixels.shape
        kind = self.pixels.dtype
        if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or 0 in shape:
            raise RestoreError(f"expected pixels (H, W) or (H, W, 3), got {shape}")
        if kind not in (np.uint8, np.uint16, np.float32):
            raise RestoreError(f"expected pixels of uint8, uint16 or float32, got {kind}")
        if self.alpha is not None and (self.alpha.shape != shape[:2] or self.alpha.dtype != kind):
            raise RestoreError(
                f"expected alpha {shape[:2]} {kind}, got {self.alpha.shape} {self.alpha.dtype}"
            )
        for plane in self.further:
            if plane.shape != shape[:2] or plane.dtype != kind:
                raise RestoreError(
                    f"expected further samples {shape[:2]} {kind}, got {plane.shape} {plane.dtype}"
                )
        alphas, others = self.layout.count(ALPHA), self.layout.count(OTHER)
        if (alphas, others) != (int(self.alpha is not None), len(self.further)):
            layout = (ALPHA,) * (self.alpha is not None) + (OTHER,) * len(self.further)
            object.__setattr__(self, "layout", layout)

    @property
    def planes(self) -> list[NDArray[Any]]:
        """Return what is to be denoised, each by itself: the pixels and the further samples."""
        return [self.pixels, *self.further]


def split(
    samples: NDArray[Any], colours: int, kinds: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[Any] | None, tuple[NDArray[Any], ...], tuple[int, ...]]:
    """Split (H, W[, C]) into grey or RGB, alpha, further samples, and the layout of these two.

    Parameters
    ----------
    samples : ndarray (H, W) or (H, W, C)
    colours : int
        1 for grey, 3 for RGB.
    kinds : tuple of int
        Of each sample beyond the colours: 1 or 2 for alpha, else another one.
    """
    if samples.ndim == 2:
        samples = samples[..., None]
    pixels: NDArray[Any] = samples[..., 0] if colours == 1 else samples[..., :3]
    alpha, further, layout = None, [], []
    for index in range(colours, samples.shape[2]):
        plane = np.ascontiguousarray(samples[..., index])
        kind = kinds[index - colours] if index - colours < len(kinds) else OTHER
        if kind != OTHER and alpha is None:
            alpha = plane
            layout.append(ALPHA)
        else:
            further.append(plane)
            layout.append(OTHER)
    return np.ascontiguousarray(pixels), alpha, tuple(further), tuple(layout)


def split_alpha(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Split (H, W[, 1..4]) into grey or RGB, and alpha if there is one."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    pixels, alpha, _, _ = split(samples, 3 if channels > 2 else 1, (ALPHA,))
    return pixels, alpha


def join(picture: Picture) -> NDArray[Any]:
    """Return the samples of a file: `split` the other way round."""
    if not picture.layout:
        return picture.pixels
    further = iter(picture.further)
    alphas = iter([] if picture.alpha is None else [picture.alpha])
    extra = [next(alphas if kind == ALPHA else further) for kind in picture.layout]
    return np.dstack([picture.pixels, *extra])
