"""Which sample formats and inks are read, whatever decodes them: the one place that decides.

Anything else is refused by name. A decoder that narrows samples by itself (as Pillow does with deep
colour) must not be asked for them.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from restore.errors import RestoreError

_KINDS = {
    "u": "unsigned whole numbers",
    "i": "signed whole numbers",
    "f": "floating point",
    "c": "complex numbers",
}


def checked(samples: NDArray[Any], bits: int = 0) -> tuple[NDArray[Any], float | None]:
    """Return samples in a type that is kept, and the value of white if it is not the type's own.

    Parameters
    ----------
    samples : ndarray
        As a library decoded them, in any byte order.
    bits : int, optional
        That the file states for a sample; those of the type by default.

    Returns
    -------
    samples : ndarray of uint8, uint16 or float32
        In the machine's byte order. Up to 7 bits are spread over 0..255, as Pillow does it for PNG;
        9 to 15 bits keep their values.
    white : float or None
        4095 for 12 bits, and likewise; None where it is the largest value of the type, or float.

    Raises
    ------
    RestoreError
        Another type, which is named.
    """
    kind = samples.dtype
    if kind == np.bool_:
        return samples.astype(np.uint8) * np.uint8(255), None
    if kind == np.float16:
        return samples.astype(np.float32), None
    samples = np.asarray(samples, dtype=kind.newbyteorder("="))
    if samples.dtype not in (np.uint8, np.uint16, np.float32):
        width = bits or 8 * kind.itemsize
        raise RestoreError(
            f"expected samples of up to 16 bit without sign, or of float32, found {width}-bit "
            f"{_KINDS.get(kind.kind, str(kind))}; convert them, such as to float32"
        )
    if samples.dtype == np.uint8 and 0 < bits < 8:
        peak = 2**bits - 1
        spread = np.round(np.arange(256) * 255 / peak).clip(0, 255).astype(np.uint8)
        return spread[samples], None
    if samples.dtype == np.uint16 and 8 < bits < 16:
        return samples, float(2**bits - 1)
    return samples, None


def transparent(samples: NDArray[Any], key: tuple[int, ...]) -> NDArray[Any]:
    """Return alpha (H, W) of the samples' type: 0 where a pixel has exactly the colour `key`."""
    alike = samples == np.asarray(key, samples.dtype)
    if samples.ndim == 3:
        alike = alike.all(axis=-1)
    return np.where(alike, 0, np.iinfo(samples.dtype).max).astype(samples.dtype)


def full_range(values: NDArray[Any], white: float | None) -> NDArray[Any]:
    """Return whole numbers whose white is `white` on the full range of their type."""
    if white is None or values.dtype.kind == "f":
        return values
    peak = np.iinfo(values.dtype).max
    spread = np.minimum(np.rint(np.arange(peak + 1) * (peak / white)), peak).astype(values.dtype)
    return np.asarray(spread[values])


def from_inks(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Return a CMYK image in sRGB, by its profile of the inks if that is one."""
    if icc:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            target = ImageCms.createProfile("sRGB")
            done = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):  # a profile of other colours, or a damaged one
            done = None
        if done is not None:
            return done
    return image.convert("RGB")


def from_deep_inks(inks: NDArray[np.uint16], icc: bytes | None) -> NDArray[np.uint16]:
    """Return CMYK (H, W, 4) of 16 bits in sRGB (H, W, 3), as `from_inks` does for 8 bits."""
    if icc:
        import imagecodecs

        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        inks = np.ascontiguousarray(inks)
        try:
            done = imagecodecs.cms_transform(
                inks, icc, target, colorspace="cmyk", outcolorspace="rgb"
            )
            return np.asarray(done, np.uint16)
        except (imagecodecs.CmsError, ValueError):
            pass
    peak = 65535
    light = peak - inks.astype(np.float64)
    return np.rint(light[..., :3] * light[..., 3:] / peak).astype(np.uint16)


def inks_left(icc: bytes | None) -> str:
    """Return in words what of a CMYK file no output holds."""
    return "CMYK and its colour profile" if icc else "CMYK"
