"""Write TIFF pages with their planes, mask, profile, resolution and tags."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from restore.images.picture import ALPHA, OTHER, Picture, join
from restore.images.tiff import exif
from restore.images.tiff.tags import DESCRIPTION, IMAGEJ, IPTC, WHITE, XMP, is_structure

_KINDS = {ALPHA: "unassalpha", OTHER: "unspecified"}


def write(path: Path, pictures: Sequence[Picture]) -> None:
    """Write pages with their alpha, profile, resolution and tags, losslessly deflated."""
    import tifffile

    size = sum(2 * picture.pixels.nbytes for picture in pictures)
    with tifffile.TiffWriter(path, bigtiff=size > 2**32 - 2**25, byteorder="<") as file:
        for picture in pictures:
            samples = join(picture)
            options: dict[str, Any] = {}
            if picture.layout:
                names = [
                    "unassalpha" if kind == ALPHA else "unspecified" for kind in picture.layout
                ]
                options["extrasamples"] = names
            if picture.dpi:
                options["resolution"] = picture.dpi
                options["resolutionunit"] = "INCH"
            file.write(
                samples,
                photometric="minisblack" if picture.pixels.ndim == 2 else "rgb",
                planarconfig="contig" if samples.ndim == 3 else None,
                compression="zlib",
                predictor=picture.pixels.dtype != np.float32,
                rowsperstrip=max(1, 2**18 // samples[:1].nbytes),
                metadata=None,
                software=False,
                iccprofile=picture.icc,
                extratags=[*_extra(picture)],
                **options,
            )
            if picture.mask is not None:
                file.write(
                    picture.mask,
                    photometric="mask",
                    subfiletype=4,
                    compression="zlib",
                    metadata=None,
                    software=False,
                )
    if any(picture.exif for picture in pictures):
        with path.open("r+b") as written:
            # A mask is a directory of its own.
            blocks = [[page.exif] + [None] * (page.mask is not None) for page in pictures]
            exif.append(written, [block for page in blocks for block in page])


def _extra(picture: Picture) -> Iterator[tuple[Any, ...]]:
    """Yield the tags of a page beside those that the writer makes of the pixels."""
    import tifffile

    codes = {code for code, *_ in picture.tags}
    for code, kind, count, value in picture.tags:
        if code == DESCRIPTION and _tells_another_shape(value, picture):
            continue
        if code == IMAGEJ:  # labels, look-up tables and overlays, with their list of lengths
            yield from tifffile.tifffile.imagej_metadata_tag(value, "<")
        else:
            yield code, kind, count, value, False
    yield from ((*tag, False) for tag in _camera(picture))
    for code, content in ((XMP, picture.xmp), (IPTC, picture.iptc)):
        if content and code not in codes:
            yield code, 7 if code == IPTC else 1, len(content), content, False
    codes |= {entry.code for entry in exif.from_block(picture.exif)}
    if picture.comment and DESCRIPTION not in codes:
        yield DESCRIPTION, 2, len(picture.comment) + 1, picture.comment, False
    if picture.white is not None and picture.pixels.dtype.kind == "u":
        channels = (1 if picture.pixels.ndim == 2 else 3) + len(picture.layout)
        yield WHITE, 3, channels, (int(picture.white),) * channels, False


def _tells_another_shape(value: Any, picture: Picture) -> bool:
    """Return whether a description is tifffile's, and states axes that the page has no more.

    A turned image, planes that become samples, and palettes that become colours change them; who
    reads the file by its description would lay the pixels out wrongly.
    """
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    if not text.startswith('{"shape":'):
        return False
    try:
        stated = json.loads(text)["shape"]
        long = [int(size) for size in stated if size != 1]
    except (ValueError, TypeError, KeyError):
        return True
    own = [size for size in join(picture).shape if size != 1]
    return long[max(0, len(long) - len(own)) :] != own


def _camera(picture: Picture) -> list[tuple[int, int, int, Any]]:
    """Return what EXIF says of the camera as tags, and placeholders for its directories."""
    known = {code for code, *_ in picture.tags}
    found: list[tuple[int, int, int, Any]] = []
    for entry in exif.from_block(picture.exif):
        if entry.below and entry.code in exif.PLACEHOLDERS:
            found.append((exif.PLACEHOLDERS[entry.code], 4, 1, 0))
        elif entry.kind == 2 and entry.code not in known and not is_structure(entry.code):
            found.append((entry.code, 2, entry.count, entry.value))
    return found
