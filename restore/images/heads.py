"""Open an image with Pillow whatever its size."""

import threading
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from restore.images import netpbm

_opening = threading.Lock()


def open_image(file: BinaryIO, formats: list[str] | None = None) -> Image.Image:
    """Open with Pillow whatever the size: its limit is for images from strangers on a server."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


# Suffix -> format of what is written; all of it is read as well.
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".tga": "TGA",
    ".webp": "WEBP",
    ".pgm": "PPM",
    ".ppm": "PPM",
    ".pnm": "PPM",
}

# Suffix -> format of what is read and not written.
READ_ONLY = {
    ".avif": "AVIF",
    ".jp2": "JPEG2000",
    ".j2k": "JPEG2000",
    ".jxl": "JXL",
    ".heic": "HEIF",
    ".heif": "HEIF",
    **dict.fromkeys(
        (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw"), "RAW"
    ),
}

NO_DNG = (
    "expected a TIFF or PNG to write, found DNG: that holds what the sensor saw, and what is "
    "denoised is the developed picture; write a 16-bit TIFF"
)

_STANDARD = 3688  # sum of the luminance table of ITU-T T.81, annex K, at quality 50
SUFFIXES = frozenset(FORMATS)  # that an output may have
READABLE = frozenset({**FORMATS, **READ_ONLY})  # that a folder listing takes for an image


def is_lossy(path: Path) -> bool:
    """Return whether a file is a JPEG, a lossy WebP or of a format that is only read."""
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        return path.suffix.lower() in READ_ONLY
    if kind != "WEBP":
        return kind == "JPEG"
    try:
        with path.open("rb") as file:
            head = file.read(12)
            while head[:4] == b"RIFF" and len(chunk := file.read(8)) == 8:
                if chunk[:4] in (b"VP8 ", b"VP8L"):
                    return chunk[:4] == b"VP8 "
                size = int.from_bytes(chunk[4:], "little")
                file.seek(size + size % 2, 1)
    except OSError:  # the error is reported when the file is read
        pass
    return True


def jpeg_quality(path: Path) -> float | None:
    """Return the quality of a JPEG on libjpeg's scale of 1 to 100, by its first table.

    Returns
    -------
    float or None
        None for what is no JPEG or cannot be read.
    """
    try:
        with path.open("rb") as file, open_image(file, ["JPEG"]) as image:
            tables: dict[int, list[int]] = getattr(image, "quantization", {})
            scale = 100 * sum(tables[min(tables)]) / _STANDARD
    except Exception:  # reading the file will say what is wrong
        return None
    return 100 - scale / 2 if scale <= 100 else 5000 / scale


def decoded_bytes(path: Path) -> int:
    """Return about how many bytes the pixels of a file take, by its head."""
    try:
        with path.open("rb") as file, open_image(file) as image:
            deep = image.mode.startswith(("I", "F"))
            pages = getattr(image, "n_frames", 1)
            return image.width * image.height * pages * (4 if deep else len(image.getbands()))
    except Exception:  # reading the file will say what is wrong
        try:
            return path.stat().st_size
        except OSError:
            return 0


def is_grey(path: Path) -> bool:
    """Return whether the image of a file is grey, by its head; False if it cannot be read."""
    try:
        with path.open("rb") as file, open_image(file) as image:
            return image.mode.startswith(("1", "L", "I", "F"))
    except Exception:  # reading the file will say what is wrong
        return False


def narrowed(path: Path) -> str:
    """Return what 8-bit pixels leave out of a file, by its head: 'alpha', 'more than 8 bits'."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
                import tifffile

                with tifffile.TiffFile(path) as content:
                    page = content.pages.first
                    deep = page.dtype is not None and page.dtype.itemsize > 1
                    alpha = any(int(kind) in (1, 2) for kind in page.extrasamples)
            else:
                with open_image(file) as image:
                    deep = image.mode.startswith("I") or netpbm.is_deep(head)
                    deep |= image.format == "PNG" and head[24:25] == b"\x10"
                    alpha = "A" in image.getbands() or "transparency" in image.info
    except Exception:  # reading the file will say what is wrong
        return ""
    return " and ".join(["alpha"] * alpha + ["more than 8 bits"] * deep)
