"""Read and write one image, or the pages of one, as `restore.picture.Picture`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import artifacts
from engine.errors import why
from restore.errors import RestoreError
from restore.picture import Picture

# Suffix -> format; what can be written, and what a folder listing takes for an image.
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".pgm": "PPM",
    ".ppm": "PPM",
    ".pnm": "PPM",
}
SUFFIXES = frozenset(FORMATS)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read(path: Path | str) -> Picture:
    """Read an image that has one page and one frame.

    Parameters
    ----------
    path : Path
        PNG, JPEG, TIFF, BMP, WebP, PGM or PPM, told by content, not by suffix.

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


def read_pages(path: Path | str) -> list[Picture]:
    """Read all pages of a TIFF, or the one image of another file; errors as in `read`."""
    from restore import decode, tiff

    path = Path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise RestoreError(f"{path}: cannot be read ({why(error)})") from error
    try:
        with file:
            head = file.read(4)
            file.seek(0)
            if not head:
                raise RestoreError("the file is empty; copy it again from its source")
            pages = tiff.read(file) if head in _TIFF else [decode.read(file)]
    except RestoreError as error:
        raise RestoreError(f"{path}: {error}") from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RestoreError(f"{path}: damaged or cut short ({reason})") from error
    for picture in pages:
        if picture.pixels.dtype == np.float32 and not np.isfinite(picture.pixels).all():
            bad = int(np.count_nonzero(~np.isfinite(picture.pixels)))
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
        If the suffix is unknown, or the format cannot hold the depth or the alpha.
    """
    write_pages(path, [picture])


def write_pages(path: Path | str, pictures: list[Picture]) -> None:
    """Write one image, or several pages to a TIFF; otherwise as `write`."""
    path = Path(path)
    try:
        with artifacts.atomic(path) as part:
            encode(part, pictures)
    except RestoreError as error:
        raise RestoreError(f"{path}: {error}") from error


def encode(path: Path, pictures: list[Picture]) -> None:
    """Write as `write_pages` does, but straight to `path`, which is not named in errors."""
    from restore import encode as encoders
    from restore import tiff

    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise RestoreError(f"expected one of {' '.join(sorted(SUFFIXES))} as suffix")
    if kind == "TIFF":
        tiff.write(path, pictures)
    elif len(pictures) == 1:
        encoders.write(path, pictures[0], kind)
    else:
        raise RestoreError(f"only TIFF holds several pages; found {len(pictures)}")


def is_lossy(path: Path) -> bool:
    """Tell whether a file is a JPEG or a lossy WebP, by its suffix and its head."""
    kind = FORMATS.get(path.suffix.lower())
    if kind != "WEBP":
        return kind == "JPEG"
    try:
        with path.open("rb") as file:
            head = file.read(12)
            while head[:4] == b"RIFF" and len(chunk := file.read(8)) == 8:
                if chunk[:4] in (b"VP8 ", b"VP8L"):
                    return chunk[:4] == b"VP8 "
                size = int.from_bytes(chunk[4:], "little")
                file.seek(size + size % 2, 1)
    except OSError:  # told of when it is read
        pass
    return True


def decoded_bytes(path: Path) -> int:
    """Tell from the head of a file about how many bytes its pixels take."""
    from restore.opening import open_image

    try:
        with path.open("rb") as file, open_image(file) as image:
            deep = image.mode.startswith(("I", "F"))
            pages = getattr(image, "n_frames", 1)
            return image.width * image.height * pages * (4 if deep else len(image.getbands()))
    except Exception:  # whatever it is, it is told of when it is read
        try:
            return path.stat().st_size
        except OSError:
            return 0


def is_grey(path: Path) -> bool:
    """Tell from the head of a file whether its image is grey; not of one that cannot be read."""
    from restore.opening import open_image

    try:
        with path.open("rb") as file, open_image(file) as image:
            return image.mode.startswith(("1", "L", "I", "F"))
    except Exception:  # whatever it is, it is told of when it is read
        return False


def as_uint8(picture: Picture) -> NDArray[np.uint8]:
    """Give 8-bit pixels without alpha: 16 bit is scaled and rounded, float is refused."""
    if picture.pixels.dtype == np.uint8:
        return picture.pixels
    if picture.pixels.dtype == np.uint16:
        # 65535 = 257 * 255; adding half of it rounds to nearest.
        return ((picture.pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise RestoreError(
        "expected 8 or 16 bit pixels, found float32, whose scale is not known; save it as 16 bit"
    )
