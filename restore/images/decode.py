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
from PIL import Image, UnidentifiedImageError

from engine.memory import admit
from engine.untrusted import png
from restore.errors import RestoreError
from restore.images import codecs, metadata, netpbm, png16, png_chunks
from restore.images import samples as sample_formats
from restore.images.heads import open_image
from restore.images.orientation import orientation, turn, upright
from restore.images.picture import Picture, split_alpha

_READABLE = ["PNG", "JPEG", "BMP", "DIB", "WEBP", "PPM", "AVIF", "JPEG2000"]
_EXPECTED = "PNG, JPEG, TIFF, BMP, WebP, TGA, PGM, PPM, AVIF, JPEG 2000, JPEG XL, HEIC or RAW"
_EXIF_MARK = b"Exif\0\0"
_IPTC = 0x0404  # a Photoshop resource
_STRIP = 2**22  # pixels copied at a time
_SPOOLED = 2**27  # pixels from which colour goes through a file


def read(file: BinaryIO, suffix: str = "") -> Picture:
    """Read the one image of an open file that is no TIFF; errors without the file's name.

    Parameters
    ----------
    file : binary file
    suffix : str
        Of its name, in small letters: a TGA and a camera RAW are not told by their content alone.
    """
    head = file.read(4096)
    if (other := codecs.kind(head, suffix)) is not None:
        file.seek(0)
        return codecs.read(file, other)
    file.seek(0)
    texts = png_chunks.read(file)
    file.seek(0)
    behind = png_chunks.read_exif(file)  # Pillow reads what lies before the pixels
    file.seek(0)
    colour = png_chunks.read_colour(file)
    file.seek(0)
    key = png_chunks.read_key(file)
    file.seek(0)
    try:
        image = open_image(file, [*_READABLE, *["TGA"] * (suffix == ".tga")])
    except UnidentifiedImageError:
        known = {b"GIF8": "GIF", b"PK\3\4": "a ZIP (unpack it: a Zarr is read as a folder)"}
        found = known.get(head[:4], "something else")
        raise RestoreError(f"expected {_EXPECTED}, found {found}; convert or remove it") from None
    with image:
        stated = _stated_bytes(image, head)
        ratio = codecs.most_per_byte(image.format, head, stated // (image.width * image.height))
        admit(stated, _length(file), RestoreError, ratio)
        frames = getattr(image, "n_frames", 1)
        if image.format != "MPO" and frames > 1:
            raise RestoreError(f"expected a still image, found {frames} frames")
        left = ("the further pictures of an MPO",) * (image.format == "MPO" and frames > 1)
        if image.mode == "CMYK":
            left = (*left, sample_formats.inks_left(image.info.get("icc_profile")))
        more, info = _metadata(image, texts), dict(image.info)
        block = info.get("exif") or behind
        block = block.removeprefix(_EXIF_MARK) if block else None
        dpi = info.get("dpi")
        icc = info.get("icc_profile") or None
        mode, kind = image.mode, {"MPO": "JPEG", "DIB": "BMP"}.get(image.format or "", image.format)
        samples, white, icc = _decoded(file, head, image, icc, key)
        if kind == "PNG" and not png.is_whole(file, samples):
            raise RestoreError("the file ends before its last row; copy it again from its source")
    del image  # as large as the samples
    samples, narrower = sample_formats.checked(samples)
    if key is not None and samples.ndim == (2 if len(key) == 1 else 3):
        samples = np.dstack([samples, sample_formats.transparent(samples, key)])
    pixels, alpha = split_alpha(samples)
    picture = Picture(
        pixels,
        alpha,
        white=white or narrower,
        format=kind or "PNG",
        mode=mode,
        icc=icc,
        exif=block,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi else None,
        texts=texts,
        colour=colour,
        left=left,
        **more,
    )
    return _turned(picture)


def _stated_bytes(image: Image.Image, head: bytes) -> int:
    """Return the bytes that the samples take in memory, as the header states them."""
    deep = image.mode.startswith(("I", "F")) or png16.is_deep(head) or netpbm.is_deep(head)
    bands = 3 if image.mode in ("P", "CMYK") else len(image.getbands())
    return image.width * image.height * bands * (2 if deep else 1)


def _length(file: BinaryIO) -> int:
    at = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(at)
    return size


def _decoded(
    file: BinaryIO,
    head: bytes,
    image: Image.Image,
    icc: bytes | None,
    key: tuple[int, ...] | None,
) -> tuple[NDArray[Any], float | None, bytes | None]:
    """Decode the samples, with the value of white where they state it, and their profile."""
    deep = codecs.depth(image.format, file) > 8
    file.seek(0)
    if netpbm.is_grey_or_colour(head):
        whole = bytearray(_length(file))
        file.readinto(whole)  # type: ignore[attr-defined]
        return *netpbm.read(whole), icc
    if png16.is_deep(head) or deep:
        data = file.read()
        if png16.is_deep(head):
            return png16.read(data), None, icc
        return *codecs.deep(image.format, data), icc
    if key is not None:
        image.info.pop("transparency", None)  # Pillow compares it before it spreads the samples
    image, icc = _plain(image, icc)
    samples = _samples(image)
    return samples, None, icc


def _metadata(image: Image.Image, texts: png_chunks.Texts) -> dict[str, Any]:
    """Return XMP, IPTC and comment, whatever the format that holds them."""
    found: dict[str, Any] = metadata.from_texts(texts)
    info = image.info
    if isinstance(xmp := info.get("xmp"), bytes | str):
        found["xmp"] = xmp.encode() if isinstance(xmp, str) else xmp
    resources = info.get("photoshop")
    if isinstance(resources, dict) and isinstance(resources.get(_IPTC), bytes):
        found["iptc"] = resources[_IPTC]
    if image.format in ("JPEG", "MPO") and isinstance(comment := info.get("comment"), bytes | str):
        found["comment"] = comment.encode() if isinstance(comment, str) else comment
    return {name: value or None for name, value in found.items()}


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
        for name in ("fp", "_fp"):  # or `close` would close the file, with which the caller goes on
            setattr(image, name, None)
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
    if image.mode == "CMYK":  # the profile describes inks; sRGB takes its place
        return sample_formats.from_inks(image, icc), None
    if image.mode in ("L", "RGB") and see_through:
        return image.convert("LA" if image.mode == "L" else "RGBA"), icc
    if image.mode in ("L", "LA", "RGB", "RGBA", "I", "I;16", "I;16B"):
        return image, icc
    if image.mode == "F":
        raise RestoreError("expected whole numbers in a PGM or PPM, found floating point; use TIFF")
    return image.convert("RGBA" if image.mode in ("RGBa", "La") else "RGB"), icc


def _turned(picture: Picture) -> Picture:
    """Return a picture upright, as its EXIF orientation says, with all that tells of it reset."""
    value = orientation(picture.exif)
    if value == 1:
        return picture
    alpha, dpi = picture.alpha, picture.dpi
    return replace(
        picture,
        pixels=turn(picture.pixels, value),
        alpha=None if alpha is None else turn(alpha, value),
        further=tuple(turn(plane, value) for plane in picture.further),
        exif=upright(picture.exif),
        dpi=(dpi[1], dpi[0]) if dpi and value >= 5 else dpi,
        texts=png_chunks.upright(picture.texts),
        xmp=png_chunks.upright_xmp(picture.xmp),
    )
