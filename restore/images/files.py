"""Read and write one image, or the pages of one, as `restore.images.picture.Picture`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts
from engine.errors import parsing, why, writing
from restore.errors import RestoreError
from restore.images import heads
from restore.images.heads import FORMATS, SUFFIXES
from restore.images.picture import Picture
from restore.images.samples import full_range
from restore.images.zarr import layout

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_image(path: Path | str) -> NDArray[Any]:
    """Return the pixels of an image file, without alpha and metadata.

    Parameters
    ----------
    path : str or Path
        PNG, JPEG, TIFF, BMP, WebP, PGM, PPM or another format of docs/denoise.md, with one page;
        told by content, not by suffix.

    Returns
    -------
    ndarray (H, W) or (H, W, 3); uint8, uint16 or float32
        Grey or RGB on the file's own scale, upright: the EXIF orientation is applied.

    Raises
    ------
    RestoreError
        The file is missing, damaged, no image, animated, or has several pages or NaN.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, restore
    >>> path = Path(tempfile.mkdtemp()) / "grey.png"
    >>> restore.write_image(path, np.full((2, 3), 40000, np.uint16))
    >>> restore.read_image(path)
    array([[40000, 40000, 40000],
           [40000, 40000, 40000]], dtype=uint16)
    """
    return read(path).pixels


def write_image(path: Path | str, pixels: NDArray[Any]) -> None:
    """Write pixels to an image file, whole or not at all; an existing file is replaced.

    Parameters
    ----------
    path : str or Path
        Its suffix names the format: .png, .jpg, .tif, .bmp, .webp, .pgm or .ppm. JPEG is written
        at quality 95, WebP lossless. Folders that are missing are made.
    pixels : ndarray (H, W) or (H, W, 3); uint8, uint16 or float32
        Grey or RGB. uint16 needs PNG, TIFF, PGM or PPM; float32 needs TIFF.

    Raises
    ------
    RestoreError
        The shape or type is another one, the suffix is unknown, or the format cannot hold the
        pixels.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, restore
    >>> path = Path(tempfile.mkdtemp()) / "noisy.tif"
    >>> restore.write_image(path, np.float32([[-3.25, 258.5]]))
    >>> restore.read_image(path)
    array([[ -3.25, 258.5 ]], dtype=float32)
    """
    try:
        picture = Picture(np.asarray(pixels))
    except RestoreError as error:
        raise RestoreError(f"{path}: {error}") from error
    write(path, picture)


def read(path: Path | str) -> Picture:
    """Read an image that has one page and one frame.

    Parameters
    ----------
    path : Path
        As for `read_image`.

    Returns
    -------
    Picture
        Palettes are resolved, CMYK is converted to sRGB, the orientation is applied.

    Raises
    ------
    RestoreError
        If the file is missing, empty, no image, cut short, animated, has several pages (see
        `read_pages`), a depth that is not kept, or values that are not finite.
    """
    pages = read_pages(path)
    if len(pages) != 1:
        raise RestoreError(f"{path}: expected one image, found {len(pages)} pages")
    return pages[0]


def read_pages(path: Path | str, *, finite: bool = True) -> list[Picture]:
    """Read all pages of a TIFF, or the one image of another file; errors as in `read`.

    With `finite=False`, values that are not finite are read as they are.
    """
    from restore.images import decode
    from restore.images.tiff import read as tiff

    path = Path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        if layout.is_store(path):
            raise RestoreError(
                f"{path}: expected an image file, found a Zarr store; `restore denoise` takes it"
            ) from error
        raise RestoreError(f"{path}: cannot be read ({why(error)})") from error
    with parsing(path, "damaged or cut short", RestoreError), file:
        head = file.read(4)
        file.seek(0)
        if not head:
            raise RestoreError("the file is empty; copy it again from its source")
        suffix = path.suffix.lower()
        raw = heads.READ_ONLY.get(suffix) == "RAW"  # many of them are TIFFs by their heads
        pages = tiff.read(file) if head in _TIFF and not raw else [decode.read(file, suffix)]
    for plane in (plane for picture in pages for plane in picture.planes) if finite else ():
        if plane.dtype == np.float32 and not np.isfinite(plane).all():
            bad = int(np.count_nonzero(~np.isfinite(plane)))
            raise RestoreError(
                f"{path}: expected finite values, found {bad} NaN or infinite; fill them first"
            )
    return pages


def write(path: Path | str, picture: Picture) -> None:
    """Write an image, whole or not at all, in the format that the suffix names.

    JPEG is written at quality 95 without chroma subsampling, WebP lossless.

    Raises
    ------
    RestoreError
        If the suffix is unknown, or the format cannot hold the depth, the alpha or the planes.
    """
    write_pages(path, [picture])


def write_pages(path: Path | str, pictures: list[Picture]) -> None:
    """Write one image, or several pages to a TIFF; otherwise as `write`."""
    path = Path(path)
    with writing(path, RestoreError), artifacts.atomic(path) as part:
        encode(part, pictures)


def encode(path: Path, pictures: list[Picture]) -> None:
    """Write as `write_pages` does, but straight to `path`, which is not named in errors."""
    from restore.images import encode as encoders
    from restore.images.tiff import write as tiff

    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise RestoreError(f"expected one of {' '.join(sorted(SUFFIXES))} as suffix")
    if kind == "TIFF":
        tiff.write(path, pictures)
    elif len(pictures) == 1:
        encoders.write(path, pictures[0], kind)
    else:
        raise RestoreError(f"only TIFF holds several pages; found {len(pictures)}")


def as_uint8(picture: Picture) -> NDArray[np.uint8]:
    """Return 8-bit pixels without alpha: 16 bit is scaled and rounded, float is refused."""
    if picture.pixels.dtype == np.uint8:
        return full_range(picture.pixels, picture.white)
    if picture.pixels.dtype == np.uint16:
        pixels = full_range(picture.pixels, picture.white)
        # 65535 = 257 * 255; adding half of it rounds to nearest.
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise RestoreError(
        "expected 8 or 16 bit pixels, found float32, whose scale is not known; save it as 16 bit"
    )
