"""Encode one image through Pillow, or where it would lose depth or copy too much, by our own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from engine.errors import why
from restore.errors import RestoreError
from restore.images import metadata, netpbm, png16, png_chunks
from restore.images.picture import Picture, join
from restore.images.samples import full_range

_EXIF_MARK = b"Exif\0\0"
_LARGE = 2**26  # samples beyond which a PNG is written without a second copy


def write(path: Path, picture: Picture, kind: str) -> None:
    """Write one image in a format other than TIFF; errors without the file's name."""
    depth = picture.pixels.dtype
    if depth == np.float32:
        raise RestoreError(f"{kind} cannot hold {depth} pixels; write a TIFF")
    if depth == np.uint16 and kind not in ("PNG", "PPM"):
        raise RestoreError(f"{kind} cannot hold {depth} pixels; write a TIFF or PNG")
    if picture.alpha is not None and kind in ("JPEG", "PPM", "BMP"):
        raise RestoreError(f"{kind} cannot hold alpha; write a PNG, WebP or TIFF")
    if picture.further:
        count = len(picture.further)
        raise RestoreError(f"{kind} cannot hold {count} more than grey or RGB; write a TIFF")
    if kind == "PPM":
        with path.open("wb") as file:
            netpbm.write(file, picture.pixels, picture.white)
        return
    picture = _full_range(picture)
    if kind == "PNG":
        _write_png(path, picture)
        return
    options: dict[str, Any] = {}
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0}
        if picture.iptc:
            options["extra"] = metadata.segment(picture.iptc)
        if picture.comment:
            options["comment"] = picture.comment
    elif kind == "WEBP":
        options = {"lossless": True, "exact": True}
    if picture.xmp and "XMP" in _held(kind):
        options["xmp"] = picture.xmp
    _save(path, picture, kind, options)


def _full_range(picture: Picture) -> Picture:
    """Return a picture for a format that has no place for another white than the type's."""
    white, alpha = picture.white, picture.alpha
    alpha = None if alpha is None else full_range(alpha, white)
    return replace(picture, pixels=full_range(picture.pixels, white), alpha=alpha, white=None)


def _write_png(path: Path, picture: Picture) -> None:
    texts = metadata.texts(picture)
    if picture.pixels.dtype == np.uint16 or picture.pixels.size > _LARGE:
        with path.open("wb") as file:
            png16.write(
                file,
                picture.pixels,
                picture.alpha,
                icc=picture.icc,
                exif=picture.exif,
                dpi=picture.dpi,
                texts=texts,
                colours=picture.colour,
            )
        return
    options: dict[str, Any] = {}
    if texts:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        for name, content in texts:
            options["pnginfo"].add(name, content)
    _save(path, picture, "PNG", options)
    if picture.colour:
        png_chunks.insert(path, picture.colour)


def _held(kind: str) -> set[str]:
    """Return what a format has a place for, of `metadata.PLACES`."""
    return {what for what, places in metadata.PLACES.items() if kind in places}


def _save(path: Path, picture: Picture, kind: str, options: dict[str, Any]) -> None:
    """Write through Pillow, with what the format holds of profile, EXIF and resolution."""
    held = _held(kind)
    if picture.icc and "colour profile" in held:
        options["icc_profile"] = picture.icc
    if picture.exif and "EXIF" in held:
        options["exif"] = _EXIF_MARK + picture.exif
    if picture.dpi and "resolution" in held:
        options["dpi"] = picture.dpi
    try:
        Image.fromarray(join(picture)).save(path, kind, **options)
    except OSError as error:
        if error.errno is not None:  # the disk's fault, not the format's
            raise
        raise RestoreError(f"{kind} cannot hold this image ({why(error)}); write a PNG") from error
    except Exception as error:  # an encoder raises whatever it does not foresee
        raise RestoreError(f"{kind} cannot hold this image ({why(error)}); write a PNG") from error
