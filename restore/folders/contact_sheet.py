"""The before/after sheet of a denoised folder: one PNG, or one HTML page that stands alone."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, PngImagePlugin, UnidentifiedImageError

from engine import artifacts
from engine.page.document import document
from engine.page.pictures import data_uri
from restore.denoising.levels import white
from restore.errors import RestoreError
from restore.images import files
from restore.images.zarr import layout, store

log = logging.getLogger(__name__)

CROP = 256  # pixels shown of each image, each way, at their own size
MOST = {".png": 24, ".html": 200}
_TITLE, _GAP = 16, 4
_MARK = "restore denoise --compare"  # in each sheet, so that another one may replace it
_HEAD = 4096  # bytes of a page that the mark is looked for in


class BeforeAfter(NamedTuple):
    """One image of the sheet: its name, the input file and the output file."""

    name: str
    before: Path
    after: Path


def check(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a name that is no sheet's, or that of a file which is none, before any work.

    Parameters
    ----------
    out : Path
    overwrite : bool
        Let it replace any file.

    Raises
    ------
    RestoreError
    """
    if out.suffix.lower() not in MOST:
        raise RestoreError(f"`compare` {out}: expected a name ending in .png or .html")
    if out.exists() and not overwrite and not _is_sheet(out):
        raise RestoreError(
            f"`compare` {out}: expected a new file or an earlier sheet, found a file of another "
            "kind; name another, or use `overwrite` to replace it"
        )


def check_apart(out: Path, images: Iterable[BeforeAfter]) -> None:
    """Refuse a sheet in the place of an image that is read or written.

    Raises
    ------
    RestoreError
        It would replace an input or an output.
    """
    place = out.resolve()
    for image in images:
        # Names first: to resolve those of a million files takes long.
        for path, what in ((image.before, "input"), (image.after, "output")):
            if path.name.casefold() == place.name.casefold() and path.resolve() == place:
                raise RestoreError(
                    f"`compare` {out}: expected a file of its own, found the name of an {what} "
                    f"({image.name}); name another"
                )


def _is_sheet(path: Path) -> bool:
    """Return whether a file is a sheet that was written here."""
    try:
        if path.suffix.lower() == ".html":
            with path.open("rb") as file:
                return _MARK.encode() in file.read(_HEAD)
        with Image.open(path) as picture:
            return picture.info.get("Software") == _MARK
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return False


def sheet(images: Sequence[BeforeAfter], out: Path) -> None:
    """Write the middle of each image before and after, at full size.

    Parameters
    ----------
    images : sequence of BeforeAfter
        Of very many, some spread over all are shown.
    out : Path
        A .png file with at most 24 images, or an .html file with at most 200.
    """
    most = MOST[out.suffix.lower()]
    places = np.linspace(0, len(images) - 1, min(most, len(images)))
    shown = [images[int(index)] for index in places]
    if len(shown) < len(images):
        log.info("%s: shows %d of %d images", out, len(shown), len(images))
    rows = [(image.name, _middle(image.before), _middle(image.after)) for image in shown]
    if out.suffix.lower() == ".html":
        artifacts.write_text(out, _page(rows, len(images)))
        return
    mark = PngImagePlugin.PngInfo()
    mark.add_text("Software", _MARK)
    with artifacts.atomic(out) as part:
        _picture(rows).save(part, pnginfo=mark)


def _middle(path: Path) -> NDArray[np.uint8]:
    """Return the middle of an image's first page as (H, W, 3), 8 bit."""
    stored = layout.is_store(path)
    pixels = store.middle(path) if stored else files.read_pages(path, finite=False)[0].pixels
    top, left = (max((length - CROP) // 2, 0) for length in pixels.shape[:2])
    crop = pixels[top : top + CROP, left : left + CROP]
    values = np.clip(np.rint(crop * (255 / white(pixels))), 0, 255).astype(np.uint8)
    return np.repeat(values[..., None], 3, axis=2) if values.ndim == 2 else values


def _picture(rows: Sequence[tuple[str, NDArray[Any], NDArray[Any]]]) -> Image.Image:
    heights = [len(before) + _TITLE + _GAP for _, before, _ in rows]
    picture = Image.new("RGB", (2 * CROP + _GAP, max(sum(heights), 1)), "white")
    draw = ImageDraw.Draw(picture)
    top = 0
    for (name, before, after), height in zip(rows, heights, strict=True):
        title = name.encode("latin-1", "replace").decode("latin-1")  # the built-in font's letters
        draw.text((2, top + 2), f"{title}: before, after", fill="black")
        picture.paste(Image.fromarray(before), (0, top + _TITLE))
        picture.paste(Image.fromarray(after), (CROP + _GAP, top + _TITLE))
        top += height
    return picture


def _page(rows: Sequence[tuple[str, NDArray[Any], NDArray[Any]]], count: int) -> str:
    """Return the rows as a page; `count` is the number of all images."""
    pairs = [
        {
            "name": name.encode("utf-8", "replace").decode(),
            "before": data_uri(before),
            "after": data_uri(after),
        }
        for name, before, after in rows
    ]
    shown = f"The middle of each image, at most {CROP} pixels each way; 1:1 shows each as it is."
    if len(rows) < count:
        shown += f" {len(rows)} of {count} images are shown."
    return document(
        "sheet.html.j2",
        title="Before and after",
        generator=_MARK,
        pairs=pairs,
        shown=shown,
        data={},
    )
