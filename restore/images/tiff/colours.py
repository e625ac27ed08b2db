"""The colours of a TIFF page: grey, palette, inks, luma and chroma, and colours times alpha."""

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from restore.errors import RestoreError
from restore.images.heads import open_image
from restore.images.samples import checked, from_deep_inks, from_inks
from restore.images.tiff.tags import PROFILE

if TYPE_CHECKING:
    import tifffile

_JPEGS = (6, 7, 34892)  # compressions whose decoder turns luma and chroma into RGB
GREY = (0, 1)  # photometric: white or black is zero


def samples_of(
    page: "tifffile.TiffPage", file: BinaryIO, stored: NDArray[Any]
) -> tuple[NDArray[Any], float | None]:
    """Return samples (H, W[, C]) of grey or RGB, whatever follows them; and the value of white."""
    import tifffile

    colours = tifffile.PHOTOMETRIC
    if page.axes == "SYX":
        stored = np.moveaxis(stored, 0, -1)
    elif page.axes not in ("YX", "YXS"):
        raise RestoreError(f"expected a flat image, found a TIFF page with axes {page.axes}")
    kind = page.photometric
    if kind == colours.PALETTE and page.colormap is not None:
        return np.asarray(_table(page.colormap)[stored]), None
    samples, white = checked(stored, int(page.bitspersample))
    if kind == colours.YCBCR and page.compression not in _JPEGS:
        return _by_pillow(page, file), None
    if kind == colours.MINISWHITE:
        if samples.dtype == np.float32:
            raise RestoreError("expected black as zero, found a float TIFF with white as zero")
        first = samples if samples.ndim == 2 else samples[..., 0]
        first = np.asarray(peak(page, samples) - first, dtype=samples.dtype)
        if samples.ndim == 2:
            return first, white
        # What follows is no colour: alpha, or samples of their own.
        return np.concatenate([first[..., None], samples[..., 1:]], axis=-1), white
    inks = samples.shape[2] - len(page.extrasamples) if samples.ndim == 3 else 0
    if kind == colours.SEPARATED and inks == 4 and samples.dtype.kind == "u":
        return np.concatenate(
            [_of_inks(samples[..., :4], profile(page)), samples[..., 4:]], -1
        ), None
    if kind not in (colours.MINISBLACK, colours.RGB, colours.YCBCR):
        name = getattr(kind, "name", str(kind))
        raise RestoreError(f"expected grey, RGB, palette or CMYK, found a TIFF of {name} colours")
    if kind != colours.MINISBLACK and (samples.ndim != 3 or samples.shape[2] < 3):
        raise ValueError(f"colours in samples of shape {samples.shape}")
    associated = page.extrasamples[:1] == (tifffile.EXTRASAMPLE.ASSOCALPHA,)
    colours_only = 3 if kind != colours.MINISBLACK else 1
    return _straight(samples, colours_only) if associated else samples, white


def profile(page: "tifffile.TiffPage") -> bytes | None:
    """Return the colour profile of a page."""
    value = page.tags.valueof(PROFILE)
    return bytes(value) if value else None


def _of_inks(inks: NDArray[Any], icc: bytes | None) -> NDArray[Any]:
    if inks.dtype == np.uint16:
        return from_deep_inks(inks, icc)
    return np.asarray(from_inks(Image.fromarray(np.ascontiguousarray(inks), "CMYK"), icc))


def _table(colormap: NDArray[Any]) -> NDArray[Any]:
    """Return the colours (N, 3) of a palette: in 8 bits, unless it states finer ones."""
    table = np.moveaxis(np.asarray(colormap), 0, -1)
    # TIFF states 16 bits; programs write those of 8 twice, or before a zero.
    whole = (table % 257 == 0).all() or (table % 256 == 0).all()
    return (table >> 8).astype(np.uint8) if whole else table.astype(np.uint16)


def peak(page: "tifffile.TiffPage", samples: NDArray[Any]) -> int:
    """Return the largest value that the bits of a page can state."""
    bits = int(page.bitspersample)
    return 2**bits - 1 if 8 <= bits < 16 else int(np.iinfo(samples.dtype).max)


def _straight(samples: NDArray[Any], count: int) -> NDArray[Any]:
    """Divide so many colours by the alpha behind them, which they were multiplied with."""
    whole = samples.dtype.kind != "f"
    peak = float(np.iinfo(samples.dtype).max) if whole else 1.0
    alpha = samples[..., count : count + 1].astype(np.float64)
    stored = samples[..., :count]
    colours = np.divide(stored * peak, alpha, where=alpha > 0, out=np.zeros(stored.shape))
    if whole:
        colours = np.minimum(np.rint(colours), peak)
    return np.concatenate([colours.astype(samples.dtype), samples[..., count:]], axis=-1)


def _by_pillow(page: "tifffile.TiffPage", file: BinaryIO) -> NDArray[Any]:
    """Decode luma and chroma of 8 bits that are not packed as JPEG, by Pillow."""
    file.seek(0)
    with open_image(file, ["TIFF"]) as image:
        image.seek(page.index)
        image.tag_v2[274] = 1  # type: ignore[attr-defined]  # turned by the caller, with the rest
        image.load()
        return np.asarray(image.convert("RGB"))
