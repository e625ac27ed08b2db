"""Read and write one image: depth, alpha, ICC, EXIF, DPI, orientation."""

import io
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from engine import artifacts
from restore import exif as exif_block
from restore import netpbm, png16
from restore.errors import RestoreError

# Suffix -> format; what can be written, and what a folder listing takes for an image.
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".pgm": "PPM",
    ".ppm": "PPM",
    ".pnm": "PPM",
}
SUFFIXES = frozenset(FORMATS)
_READABLE = ["PNG", "JPEG", "BMP", "DIB", "WEBP", "PPM"]
_EXIF_MARK = b"Exif\0\0"
_opening = threading.Lock()


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
        Horizontal and vertical dots an inch.
    tags : tuple
        TIFF tags beside those that describe the pixels: (code, type, count, value).
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    format: str = "PNG"
    mode: str = "RGB"
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    tags: tuple[tuple[int, int, int, Any], ...] = ()

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


def read(path: Path | str) -> Picture:
    """Read an image that has one page and one frame.

    Parameters
    ----------
    path : Path
        PNG, JPEG, TIFF, BMP, WebP, PGM or PPM, told by content, not by suffix.

    Returns
    -------
    Picture
        Palettes are resolved, CMYK is converted to sRGB, the orientation is applied.

    Raises
    ------
    RestoreError
        If the file is missing, empty, no image, cut short, animated, has several pages (see
        `read_pages`), a depth that is not kept, or values that are not finite.
    """
    pages = read_pages(path)
    if len(pages) != 1:
        raise RestoreError(f"{path}: expected one image, found {len(pages)} pages")
    return pages[0]


def read_pages(path: Path | str) -> list[Picture]:
    """Read all pages of a TIFF, or the one image of another file; errors as in `read`."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RestoreError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not data:
        raise RestoreError(f"{path}: the file is empty; copy it again from its source")
    try:
        if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            from restore import tiff

            pages = tiff.read(data)
        else:
            pages = [_read_single(data)]
    except RestoreError as error:
        raise RestoreError(f"{path}: {error}") from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RestoreError(f"{path}: damaged or cut short ({reason})") from error
    for picture in pages:
        if picture.pixels.dtype == np.float32 and not np.isfinite(picture.pixels).all():
            bad = int(np.count_nonzero(~np.isfinite(picture.pixels)))
            raise RestoreError(
                f"{path}: expected finite values, found {bad} NaN or infinite; fill them first"
            )
    return pages


def write(path: Path | str, picture: Picture) -> None:
    """Write an image, whole or not at all, in the format that the suffix names.

    JPEG is written at quality 95 without chroma subsampling, WebP lossless.

    Raises
    ------
    RestoreError
        If the suffix is unknown, or the format cannot hold the depth or the alpha.
    """
    write_pages(path, [picture])


def write_pages(path: Path | str, pictures: list[Picture]) -> None:
    """Write one image, or several pages to a TIFF; otherwise as `write`."""
    path = Path(path)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise RestoreError(f"{path}: expected one of {' '.join(sorted(SUFFIXES))} as suffix")
    if kind == "TIFF":
        from restore import tiff

        with artifacts.atomic(path) as part:
            tiff.write(part, pictures)
        return
    if len(pictures) != 1:
        raise RestoreError(f"{path}: only TIFF holds several pages; found {len(pictures)}")
    try:
        data = _encode(pictures[0], kind)
    except RestoreError as error:
        raise RestoreError(f"{path}: {error}") from error
    artifacts.write_bytes(path, data)


def as_uint8(picture: Picture) -> NDArray[np.uint8]:
    """Give 8-bit pixels without alpha: 16 bit is scaled and rounded, float is refused."""
    if picture.pixels.dtype == np.uint8:
        return picture.pixels
    if picture.pixels.dtype == np.uint16:
        # 65535 = 257 * 255; adding half of it rounds to nearest.
        return ((picture.pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise RestoreError(
        "expected 8 or 16 bit pixels, found float32, whose scale is not known; save it as 16 bit"
    )


def open_image(data: bytes, formats: list[str]) -> Image.Image:
    """Open with Pillow whatever the size: its limit is for images from strangers on a server."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(data), formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _read_single(data: bytes) -> Picture:
    try:
        image = open_image(data, _READABLE)
    except UnidentifiedImageError:
        found = "GIF" if data[:4] == b"GIF8" else "something else"
        raise RestoreError(
            f"expected PNG, JPEG, TIFF, BMP, WebP, PGM or PPM, found {found}; convert or remove it"
        ) from None
    with image:
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise RestoreError(f"expected a still image, found {image.n_frames} frames")  # type: ignore[attr-defined]
        block = image.info.get("exif") or None
        block = block.removeprefix(_EXIF_MARK) if block else None
        dpi = image.info.get("dpi")
        icc = image.info.get("icc_profile") or None
        mode, kind = image.mode, {"MPO": "JPEG", "DIB": "BMP"}.get(image.format or "", image.format)
        if png16.is_deep(data):
            samples: NDArray[Any] = png16.read(data)
        elif netpbm.is_deep(data):
            samples = netpbm.read(data)
        else:
            image, icc = _plain(image, icc)
            samples = np.asarray(image)
    if samples.dtype == np.int32:  # Pillow's form of a 16-bit plain PGM
        samples = samples.astype(np.uint16)
    pixels, alpha = split_alpha(samples)
    dots = (float(dpi[0]), float(dpi[1])) if dpi else None
    picture = Picture(pixels, alpha, kind or "PNG", mode, icc, block, dots)
    return _turned(picture)


def _plain(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Resolve palettes and foreign colour spaces to L, LA, RGB, RGBA or 16-bit grey."""
    see_through = "transparency" in image.info
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if see_through or image.mode == "PA" else "RGB"), icc
    if image.mode == "1":
        return image.convert("L"), icc
    if image.mode == "CMYK" and icc:
        # The profile describes inks; sRGB takes its place.
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        done = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        return done or image.convert("RGB"), None
    if image.mode in ("L", "RGB") and see_through:
        return image.convert("LA" if image.mode == "L" else "RGBA"), icc
    if image.mode in ("L", "LA", "RGB", "RGBA", "I", "I;16", "I;16B"):
        return image, icc
    if image.mode == "F":
        raise RestoreError("expected whole numbers in a PGM or PPM, found floating point; use TIFF")
    return image.convert("RGBA" if image.mode in ("RGBa", "La") else "RGB"), icc


def split_alpha(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Split (H, W[, 1..4]) into grey or RGB, and alpha if there is one."""
    if samples.ndim == 2 or samples.shape[2] == 3:
        return np.ascontiguousarray(samples), None
    if samples.shape[2] == 1:
        return np.ascontiguousarray(samples[..., 0]), None
    pixels = samples[..., 0] if samples.shape[2] == 2 else samples[..., :3]
    return np.ascontiguousarray(pixels), np.ascontiguousarray(samples[..., -1])


def join_alpha(picture: Picture) -> NDArray[Any]:
    """Give the samples of a file: `split_alpha` the other way round."""
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])


def _turned(picture: Picture) -> Picture:
    value = exif_block.orientation(picture.exif)
    if value == 1:
        return picture
    alpha, dpi = picture.alpha, picture.dpi
    return replace(
        picture,
        pixels=exif_block.turn(picture.pixels, value),
        alpha=None if alpha is None else exif_block.turn(alpha, value),
        exif=exif_block.upright(picture.exif),
        dpi=(dpi[1], dpi[0]) if dpi and value >= 5 else dpi,
    )


def _encode(picture: Picture, kind: str) -> bytes:
    depth = picture.pixels.dtype
    if depth == np.float32 or (depth == np.uint16 and kind not in ("PNG", "PPM")):
        raise RestoreError(f"{kind} cannot hold {depth} pixels; write a TIFF or PNG")
    if picture.alpha is not None and kind in ("JPEG", "PPM"):
        raise RestoreError(f"{kind} cannot hold alpha; write a PNG, WebP or TIFF")
    samples = join_alpha(picture)
    if kind == "PPM":
        return netpbm.write(samples)
    if depth == np.uint16:
        return png16.write(samples, icc=picture.icc, exif=picture.exif, dpi=picture.dpi)
    options: dict[str, Any] = {}
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0}
    elif kind == "WEBP":
        options = {"lossless": True, "exact": True}
    if picture.icc:
        options["icc_profile"] = picture.icc
    if picture.exif:
        options["exif"] = _EXIF_MARK + picture.exif
    if picture.dpi:
        options["dpi"] = picture.dpi
    buffer = io.BytesIO()
    try:
        Image.fromarray(samples).save(buffer, kind, **options)
    except (OSError, ValueError, SystemError) as error:
        raise RestoreError(f"{kind} cannot hold this image ({error}); write a PNG") from error
    return buffer.getvalue()
