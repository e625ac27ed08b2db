"""Labels as a PNG: the index of a palette, or a grey level, is the class."""

from pathlib import Path

import numpy as np

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.contents import Contents, Kind

GREY, PALETTE = 0, 3  # colour types of PNG


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read class numbers (H, W) and, from a palette, the colours; a PNG names no classes.

    Raises
    ------
    HsiError
        A cube is asked for; no PNG, cut short; a picture in colours without a palette.
    """
    from PIL import Image, UnidentifiedImageError

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
    try:
        with Image.open(path, formats=["PNG"]) as image:
            array = np.asarray(image)
            palette = image.getpalette("RGB") if colour_type == PALETTE else None
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise HsiError(f"{path}: expected a whole PNG ({why(error)})") from error
    return Contents(
        path,
        array,
        colours=None if palette is None else np.array(palette, np.uint8).reshape(-1, 3),
        provenance={"format": "PNG", "layout": f"{depth} bits"},
    )
