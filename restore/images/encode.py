"""Encode one image through Pillow, or where it would lose depth or copy too much, by our own."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from engine.errors import why
from restore.errors import RestoreError
from restore.images import netpbm, png16
from restore.images.picture import Picture, join_alpha

_EXIF_MARK = b"Exif\0\0"
_LARGE = 2**26  # samples beyond which a PNG is written without a second copy


def write(path: Path, picture: Picture, kind: str) -> None:
    """Write one image as PNG, JPEG, BMP, WEBP or PPM; errors without the file's name."""
    depth = picture.pixels.dtype
    if depth == np.float32 or (depth == np.uint16 and kind not in ("PNG", "PPM")):
        raise RestoreError(f"{kind} cannot hold {depth} pixels; write a TIFF or PNG")
    if picture.alpha is not None and kind in ("JPEG", "PPM"):
        raise RestoreError(f"{kind} cannot hold alpha; write a PNG, WebP or TIFF")
    if kind == "PPM":
        with path.open("wb") as file:
            netpbm.write(file, picture.pixels)
        return
    if kind == "PNG" and (depth == np.uint16 or picture.pixels.size > _LARGE):
        with path.open("wb") as file:
            png16.write(
                file,
                picture.pixels,
                picture.alpha,
                icc=picture.icc,
                exif=picture.exif,
                dpi=picture.dpi,
                texts=picture.texts,
            )
        return
    options: dict[str, Any] = {}
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0}
    elif kind == "WEBP":
        options = {"lossless": True, "exact": True}
    elif kind == "PNG" and picture.texts:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        for name, content in picture.texts:
            options["pnginfo"].add(name, content)
    if picture.icc:
        options["icc_profile"] = picture.icc
    if picture.exif:
        options["exif"] = _EXIF_MARK + picture.exif
    if picture.dpi:
        options["dpi"] = picture.dpi
    try:
        Image.fromarray(join_alpha(picture)).save(path, kind, **options)
    except (OSError, ValueError, SystemError) as error:
        raise RestoreError(f"{kind} cannot hold this image ({why(error)}); write a PNG") from error
