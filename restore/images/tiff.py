"""TIFF pages through tifffile: 8 and 16 bit, float32, alpha, tags, and several pages."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError
from restore.images import png_chunks, tiff_exif
from restore.images.heads import open_image
from restore.images.orientation import turn
from restore.images.picture import Picture, join_alpha, split_alpha

if TYPE_CHECKING:
    import tifffile

# Tags that describe how the pixels lie in the file, or point into it; the writer makes its own.
_STRUCTURE = {
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281,
    282, 283, 284, 288, 289, 290, 291, 292, 293, 296, 301, 317, 318, 319, 320, 321, 322, 323,
    324, 325, 330, 332, 333, 336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518,
    519, 520, 521, 529, 530, 531, 532, 34665, 34675, 34853, 40965,
    50838, 50839,  # ImageJ's list of what it keeps, by numbers that no other program writes
}  # fmt: skip
_XMP = 700


def read(file: BinaryIO) -> list[Picture]:
    """Read all pages of an open TIFF file; errors without its name.

    Raises
    ------
    RestoreError
        If a page is not grey, RGB, palette or CMYK of 8 or 16 bit, or float32.
    OSError, ValueError
        If the file is damaged.
    """
    import tifffile

    try:
        with tifffile.TiffFile(file, name="") as content:
            # Reduced copies (thumbnails, pyramid levels) are made from the full page again.
            pages = [page for page in content.pages if isinstance(page, tifffile.TiffPage)]
            full = [page for page in pages if not page.subfiletype & 1] or pages
            if not full:
                raise ValueError("no page in it")
            return [_page(page, file) for page in full]
    except tifffile.TiffFileError as error:
        raise ValueError(str(error)) from error
    except (IndexError, KeyError, TypeError, ZeroDivisionError, zlib.error, struct.error) as error:
        raise ValueError(f"TIFF structure: {error}") from error


def _page(page: "tifffile.TiffPage", file: BinaryIO) -> Picture:
    import tifffile

    tags = {tag.code: tag for tag in page.tags.values()}
    value = int(tags[274].value) if 274 in tags else 1
    value = value if 2 <= value <= 8 else 1
    pixels, alpha = split_alpha(_samples(page, file, value))
    kept = tuple(
        (code, int(tag.dtype), tag.count, _kept(code, tag.value))
        for code, tag in tags.items()
        if code not in _STRUCTURE
    )
    dpi = None
    if 282 in tags and 283 in tags:
        factor = {2: 1.0, 3: 2.54}.get(int(tags[296].value) if 296 in tags else 2)
        (a, b), (c, d) = tags[282].value, tags[283].value
        if factor and a and b and c and d:
            dpi = (a / b * factor, c / d * factor)
            dpi = (dpi[1], dpi[0]) if value >= 5 else dpi
    icc = bytes(tags[34675].value) if 34675 in tags else None
    if page.photometric == tifffile.PHOTOMETRIC.SEPARATED:
        icc = None  # it describes inks, and the pixels are RGB now
    mode = getattr(page.photometric, "name", str(page.photometric))
    block = tiff_exif.of_page(file, page.index)
    return Picture(pixels, alpha, "TIFF", mode, icc, block, dpi, kept)


def _kept(code: int, value: Any) -> Any:
    """Return a tag as it is written: text in UTF-8, as most programs do, XMP of upright pixels."""
    if code == _XMP:
        text = value.encode() if isinstance(value, str) else bytes(value)
        return png_chunks.upright(((b"XMP", text),))[0][1]
    return value.encode() if isinstance(value, str) else value


def _samples(page: "tifffile.TiffPage", file: BinaryIO, orientation: int) -> NDArray[Any]:
    """Decode a page to (H, W[, C]) of grey or RGB with alpha, upright."""
    try:
        samples = _stored(page)
    except (ValueError, ImportError) as error:
        if "imagecodecs" not in str(error):
            raise
        samples = None
    if samples is None:
        return _by_pillow(page, file, orientation)
    return samples if orientation == 1 else turn(samples, orientation)


def _stored(page: "tifffile.TiffPage") -> NDArray[Any] | None:
    """Decode a page as it lies in the file; None of colours that are left to Pillow."""
    import tifffile

    colours = tifffile.PHOTOMETRIC
    samples = page.asarray()
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    elif page.axes not in ("YX", "YXS"):
        raise RestoreError(f"expected a flat image, found a TIFF page with axes {page.axes}")
    if samples.dtype == np.bool_:
        samples = samples.astype(np.uint8) * np.uint8(255)
    if samples.dtype == np.float16:
        samples = samples.astype(np.float32)
    if samples.dtype not in (np.uint8, np.uint16, np.float32):
        raise RestoreError(
            f"expected 8 or 16 bit or float32 samples, found {samples.dtype}; convert it"
        )
    if page.photometric == colours.PALETTE and page.colormap is not None:
        colours_8bit = np.asarray(page.colormap >> 8, dtype=np.uint8)
        return np.asarray(np.moveaxis(colours_8bit, 0, -1)[samples])
    if page.photometric == colours.MINISWHITE and samples.dtype != np.float32:
        return np.asarray(np.iinfo(samples.dtype).max - samples, dtype=samples.dtype)
    if page.photometric == colours.SEPARATED and samples.ndim == 3 and samples.shape[2] == 4:
        peak = np.iinfo(samples.dtype).max
        ink = peak - samples.astype(np.float64)
        return np.asarray(np.rint(ink[..., :3] * ink[..., 3:] / peak), dtype=samples.dtype)
    if page.photometric not in (colours.MINISBLACK, colours.RGB, colours.MINISWHITE):
        return None
    if samples.ndim == 3 and samples.shape[2] > 4:
        raise RestoreError(f"expected 1 to 4 channels, found {samples.shape[2]}")
    associated = page.extrasamples[:1] == (tifffile.EXTRASAMPLE.ASSOCALPHA,)
    return _straight(samples) if associated else samples


def _straight(samples: NDArray[Any]) -> NDArray[Any]:
    """Divide colours by the alpha that they were multiplied with, as Pillow does on its way."""
    whole = samples.dtype.kind != "f"
    peak = float(np.iinfo(samples.dtype).max) if whole else 1.0
    alpha = samples[..., -1:].astype(np.float64)
    colours = np.divide(
        samples[..., :-1] * peak, alpha, where=alpha > 0, out=np.zeros(samples[..., :-1].shape)
    )
    if whole:
        colours = np.minimum(np.rint(colours), peak)
    return np.concatenate([colours.astype(samples.dtype), samples[..., -1:]], axis=-1)


def _by_pillow(page: "tifffile.TiffPage", file: BinaryIO, orientation: int) -> NDArray[Any]:
    """Decode through Pillow's libtiff (LZW, JPEG and others), where no depth is lost by it."""
    if page.bitspersample > 8 and page.samplesperpixel > 1:
        raise RestoreError(
            f"a {page.bitspersample}-bit colour TIFF with {page.compression!s} compression "
            "needs the imagecodecs package: pip install imagecodecs"
        )
    file.seek(0)
    with open_image(file, ["TIFF"]) as image:
        image.seek(page.index)
        image.load()
        # Pillow turns the pixels itself, and then forgets that they were turned.
        turned = orientation != 1 and image.getexif().get(274, 1) == 1
        if image.mode in ("P", "CMYK", "YCbCr", "LAB"):
            image = image.convert("RGB")
        elif image.mode == "1":
            image = image.convert("L")
        samples = np.asarray(image)
    if samples.dtype == np.int32:
        samples = samples.astype(np.uint16)
    return samples if turned or orientation == 1 else turn(samples, orientation)


def write(path: Path, pictures: Sequence[Picture]) -> None:
    """Write pages with their alpha, profile, resolution and tags, losslessly deflated."""
    import tifffile

    size = sum(2 * picture.pixels.nbytes for picture in pictures)
    with tifffile.TiffWriter(path, bigtiff=size > 2**32 - 2**25, byteorder="<") as file:
        for picture in pictures:
            samples = join_alpha(picture)
            options: dict[str, Any] = {}
            if picture.alpha is not None:
                options["extrasamples"] = ["unassalpha"]
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
                extratags=[(*tag, False) for tag in (*picture.tags, *_camera(picture))],
                **options,
            )
    if any(picture.exif for picture in pictures):
        with path.open("r+b") as written:
            tiff_exif.append(written, [picture.exif for picture in pictures])


def _camera(picture: Picture) -> list[tuple[int, int, int, Any]]:
    """Return what EXIF says of the camera as tags, and placeholders for its directories."""
    known = {code for code, *_ in picture.tags}
    found: list[tuple[int, int, int, Any]] = []
    for entry in tiff_exif.from_block(picture.exif):
        if entry.below and entry.code in tiff_exif.PLACEHOLDERS:
            found.append((tiff_exif.PLACEHOLDERS[entry.code], 4, 1, 0))
        elif entry.kind == 2 and entry.code not in known | _STRUCTURE:
            found.append((entry.code, 2, entry.count, entry.value))
    return found
