"""Labels as a PNG: the index of a palette, or a grey level, is the class."""

import struct
from pathlib import Path

import numpy as np

from engine.errors import parsing
from engine.memory import admit
from engine.untrusted import png
from hsi.errors import HsiError
from hsi.formats.contents import Contents, Kind

GREY, PALETTE = 0, 3  # colour types of PNG


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read class numbers (H, W) and, from a palette, the colours; a PNG names no classes.

    Raises
    ------
    HsiError
        A cube is asked for; no PNG, or one that lacks rows; a picture in colours without a palette;
        one that memory cannot hold, or that so small a file can hardly mean.
    """
    from PIL.PngImagePlugin import PngImageFile

    if variable is not None:
        raise HsiError(f"{path}: a PNG holds one array; leave out ':{variable}'")
    if kind == "cube":
        raise HsiError(f"{path}: expected a cube of spectra, found a picture (PNG); labels can be")
    with path.open("rb") as file:
        start = file.read(26)
    if not start.startswith(b"\x89PNG") or len(start) < 26:
        raise HsiError(f"{path}: expected a PNG, found something else")
    depth, colour_type = start[24], start[25]
    # Pillow stretches grey levels of fewer than 8 bits: they would be other class numbers.
    if colour_type != PALETTE and not (colour_type == GREY and depth >= 8):
        raise HsiError(
            f"{path}: labels: expected an indexed PNG, whose palette index is the class, or grey "
            "levels of 8 or 16 bits; found a picture in colours or of fewer bits"
        )
    with parsing(path, "expected a whole PNG", HsiError), path.open("rb") as file:
        width, height = struct.unpack(">II", start[16:24])
        stored = 2 if depth == 16 else 1
        size, ratio = width * height * stored, png.most_per_byte(start, stored)
        admit(size, path.stat().st_size, HsiError, ratio)
        # Not by Image.open, which refuses pictures of more than 179 million pixels.
        with PngImageFile(file) as image:
            array = np.asarray(image)
            palette = image.getpalette("RGB") if colour_type == PALETTE else None
            if not png.is_whole(file, array):
                raise HsiError("the file ends before its last row; copy it again from its source")
    return Contents(
        path,
        array,
        colours=None if palette is None else np.array(palette, np.uint8).reshape(-1, 3),
        provenance={"format": "PNG", "layout": f"{depth} bits"},
    )
