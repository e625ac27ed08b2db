"""Decode one image through Pillow, or where it would lose depth, by our own readers."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from restore.errors import RestoreError
from restore.images import netpbm, png16, png_chunks
from restore.images.heads import open_image
from restore.images.orientation import orientation, turn, upright
from restore.images.picture import Picture, split_alpha

_READABLE = ["PNG", "JPEG", "BMP", "DIB", "WEBP", "PPM"]
_EXIF_MARK = b"Exif\0\0"
_STRIP = 2**22  # pixels copied at a time
_SPOOLED = 2**27  # pixels from which colour goes through a file


def read(file: BinaryIO) -> Picture:
    """Read the one image of an open file that is no TIFF; errors without the file's name."""
    head = file.read(4096)
    file.seek(0)
    texts = png_chunks.read(file)
    file.seek(0)
    behind = png_chunks.read_exif(file)  # Pillow reads what lies before the pixels
    file.seek(0)
    try:
        image = open_image(file, _READABLE)
    except UnidentifiedImageError:
        found = "GIF" if head[:4] == b"GIF8" else "something else"
        raise RestoreError(
            f"expected PNG, JPEG, TIFF, BMP, WebP, PGM or PPM, found {found}; convert or remove it"
        ) from None
    with image:
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise RestoreError(f"expected a still image, found {image.n_frames} frames")  # type: ignore[attr-defined]
        block = image.info.get("exif") or behind
        block = block.removeprefix(_EXIF_MARK) if block else None
        dpi = image.info.get("dpi")
        icc = image.info.get("icc_profile") or None
        mode, kind = image.mode, {"MPO": "JPEG", "DIB": "BMP"}.get(image.format or "", image.format)
        if png16.is_deep(head) or netpbm.is_deep(head):
            file.seek(0)
            deep = png16.read if png16.is_deep(head) else netpbm.read
            samples: NDArray[Any] = deep(file.read())
        else:
            image, icc = _plain(image, icc)
            samples = _samples(image)
    del image  # as large as the samples
    if samples.dtype == np.int32:  # Pillow's form of a 16-bit plain PGM
        samples = samples.astype(np.uint16)
    pixels, alpha = split_alpha(samples)
    dots = (float(dpi[0]), float(dpi[1])) if dpi else None
    picture = Picture(pixels, alpha, kind or "PNG", mode, icc, block, dots, texts=texts)
    return _turned(picture)


def _samples(image: Image.Image) -> NDArray[Any]:
    """Copy the pixels of an image, some rows at a time: in one go they are copied twice."""
    image.load()
    width, height = image.size
    bands = len(image.getbands())
    if bands > 1 and width * height >= _SPOOLED and _disk() > width * height * bands:
        return _spooled(image)
    strips = _strips(image)
    first = next(strips)
    samples = np.empty((height, *first.shape[1:]), first.dtype)
    top = 0
    for strip in chain([first], strips):
        samples[top : top + len(strip)] = strip
        top += len(strip)
    return samples


def _spooled(image: Image.Image) -> NDArray[Any]:
    """Move the pixels through a file, so that only the image or the array is in memory.

    Pillow takes four bytes per colour pixel, and the array three.
    """
    with tempfile.TemporaryFile(dir=_folder()) as file:
        for strip in _strips(image):
            file.write(strip.data)
        shape, dtype = (image.height, *strip.shape[1:]), strip.dtype
        image.close()
        file.seek(0)
        samples = np.empty(shape, dtype)
        file.readinto(samples.data.cast("B"))
    return samples


def _folder() -> str:
    """Where temporary files lie on a disk: /tmp is memory on many machines."""
    return "/var/tmp" if Path("/var/tmp").is_dir() else tempfile.gettempdir()


def _disk() -> int:
    return shutil.disk_usage(_folder()).free


def _strips(image: Image.Image) -> Iterator[NDArray[Any]]:
    """Yield the rows of an image, some at a time."""
    width, height = image.size
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        yield np.asarray(image.crop((0, top, width, min(top + rows, height))))


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


def _turned(picture: Picture) -> Picture:
    value = orientation(picture.exif)
    if value == 1:
        return picture
    alpha, dpi = picture.alpha, picture.dpi
    return replace(
        picture,
        pixels=turn(picture.pixels, value),
        alpha=None if alpha is None else turn(alpha, value),
        exif=upright(picture.exif),
        dpi=(dpi[1], dpi[0]) if dpi and value >= 5 else dpi,
        texts=png_chunks.upright(picture.texts),
    )
