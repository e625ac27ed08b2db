"""Formats of other libraries: AVIF and JPEG 2000 beyond 8 bit, JPEG XL, HEIC, camera RAW."""

import io
import re
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from engine.memory import UNBOUNDED, admit
from engine.untrusted import png
from restore.errors import RestoreError
from restore.images import orientation, png_chunks, samples
from restore.images.heads import READ_ONLY, open_image
from restore.images.picture import Picture, split_alpha

_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_SIZE = re.compile(rb"\xff\x4f\xff\x51.{36}(..)(.)", re.DOTALL)  # components, bits of the first
_EXIF_MARK = b"Exif\0\0"
# Bytes of samples that a byte of a file makes at most. A block of JPEG takes a bit, and covers 2.7
# times its samples where colours are coarse; a run of BMP takes 2 bytes for 255 pixels.
_MOST_PER_BYTE = {"JPEG": 1400, "MPO": 1400, "BMP": 400, "DIB": 400, "TGA": 400, "PPM": 24}
# Format -> what people call it, the extra that brings its library, and the module.
_EXTRAS = {
    "HEIF": ("a HEIC", "heif", "pillow_heif"),
    "JXL": ("a JPEG XL", "jxl", "pillow_jxl"),
    "RAW": ("a camera RAW", "raw", "rawpy"),
}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Format as Pillow calls it -> suffix; a JPEG of several pictures is an MPO.
_SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "BMP": ".bmp",
    "DIB": ".bmp",
    "WEBP": ".webp",
    "PPM": ".ppm",
    "AVIF": ".avif",
    "JPEG2000": ".jp2",
}
_RAW = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\0", b"MMOR", b"IIRS")
_DNG_VERSION, _SUBFILE, _REDUCED = 50706, 254, 1
_NAMED = (
    "expected an image, found a camera RAW, which is not told by its content alone; save it and "
    "name the file"
)


def kind(head: bytes, suffix: str) -> str | None:
    """Return 'JXL', 'HEIF' or 'RAW' for a file that Pillow does not read by itself, else None."""
    if head.startswith(_JXL):
        return "JXL"
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
        if brands[0] in _HEIF and b"avif" not in brands:
            return "HEIF"
    return "RAW" if READ_ONLY.get(suffix) == "RAW" else None


def suffix_of(path: Path) -> str:
    """Return the suffix that goes with the content of an image file.

    Parameters
    ----------
    path : Path
        A file of any name.

    Returns
    -------
    str
        Such as '.png'; '' for what is no image that is told by its content.

    Raises
    ------
    RestoreError
        A camera RAW: how it is developed hangs on its name.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_TIFF):
        if head[8:10] == b"CR" or _is_raw(path):
            raise RestoreError(f"{path}: {_NAMED}")
        return ".tif"
    if head.startswith(_RAW) or head[4:12] == b"ftypcrx ":
        raise RestoreError(f"{path}: {_NAMED}")
    if (other := kind(head, "")) is not None:
        return {"JXL": ".jxl", "HEIF": ".heic"}[other]
    try:
        known = [name for name in _SUFFIXES if name != "MPO"]
        with path.open("rb") as file, open_image(file, known) as image:
            return _SUFFIXES.get(image.format or "", "")
    except Exception:  # reading the file will say what is wrong
        return ""


def _is_raw(path: Path) -> bool:
    """Return whether a TIFF is a camera RAW: a DNG, or a preview with the RAW behind it."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            tags = file.pages.first.tags
            subfile = int(tags.valueof(_SUBFILE, 0))
            return _DNG_VERSION in tags or bool(subfile & _REDUCED)
    except Exception:  # reading the file will say what is wrong
        return False


def depth(form: str | None, file: BinaryIO) -> int:
    """Return the bits of a sample that an AVIF or JPEG 2000 file states; 8 for other formats."""
    if form not in ("AVIF", "JPEG2000"):
        return 8
    file.seek(0)
    data = file.read()
    if form == "AVIF":
        flags = data[at + 6] if 0 <= (at := data.find(b"av1C")) < len(data) - 6 else 0
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    found = _SIZE.search(data)
    if found and found[2][0] & 0x80:
        raise RestoreError("expected samples without sign, found a JPEG 2000 with signed ones")
    return (found[2][0] & 0x7F) + 1 if found else 8


def deep(form: str | None, data: bytes) -> tuple[NDArray[Any], float | None]:
    """Decode an AVIF or JPEG 2000 file of more than 8 bits, with the value of white."""
    import imagecodecs

    decoder = imagecodecs.avif_decode if form == "AVIF" else imagecodecs.jpeg2k_decode
    return samples.checked(np.asarray(decoder(data)), depth(form, io.BytesIO(data)))


def read(file: BinaryIO, form: str) -> Picture:
    """Read a file for which `kind` returned `form`; its pixels come upright.

    Raises
    ------
    RestoreError
        The library is not installed, or the file holds several pictures one after the other.
    Exception
        Of whatever type, if the file is damaged.
    """
    named, extra, module = _EXTRAS[form]
    try:
        library = import_module(module)
    except ImportError:
        raise RestoreError(
            f"{named} file needs the {module} package: pip install 'restore-hsi[{extra}]'"
        ) from None
    return {"HEIF": _heif, "JXL": _jxl, "RAW": _raw}[form](library, file)


def _heif(library: Any, file: BinaryIO) -> Picture:
    container = library.open_heif(file, convert_hdr_to_8bit=False)
    image = container[container.primary_index]
    _admit(file, *image.size)
    values = np.asarray(image)
    left = ("the further pictures of a HEIC",) * (len(container) > 1)
    return _picture(values, "HEIF", image.mode, image.info, left)


def _jxl(_: Any, file: BinaryIO) -> Picture:
    """Decode the pixels in their depth, and read the rest through Pillow's plugin."""
    import imagecodecs

    data = file.read()
    with Image.open(io.BytesIO(data)) as image:
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise RestoreError(f"expected a still image, found {frames} frames")
        _admit(file, *image.size)
        info, mode = dict(image.info), image.mode
    return _picture(np.asarray(imagecodecs.jpegxl_decode(data)), "JXL", mode, info)


def _raw(library: Any, file: BinaryIO) -> Picture:
    """Develop a camera RAW to 16-bit sRGB by the camera's white balance, nothing brightened."""
    with library.imread(file) as raw:
        _admit(file, raw.sizes.width, raw.sizes.height)
        values = raw.postprocess(output_bps=16, use_camera_wb=True, no_auto_bright=True)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    left = ("the sensor's own values and the maker's notes",)
    return _picture(values, "RAW", "CFA", {"icc_profile": icc}, left)


def most_per_byte(form: str | None, head: bytes, in_memory: int) -> float:
    """Return how many bytes of samples a format makes of a byte of its file, at most.

    Parameters
    ----------
    form : str or None
        As Pillow calls it.
    head : bytes
        Beginning of the file.
    in_memory : int
        Bytes of a decoded pixel.
    """
    if form == "PNG" and len(head) > 25:
        return png.most_per_byte(head, in_memory)
    return _MOST_PER_BYTE.get(form or "", UNBOUNDED)


def _admit(file: BinaryIO, width: int, height: int) -> None:
    """Refuse an image that memory cannot hold, or that so small a file can hardly mean."""
    admit(3 * width * height, file.seek(0, io.SEEK_END), RestoreError, UNBOUNDED)
    file.seek(0)


def _picture(
    values: NDArray[Any], form: str, mode: str, info: dict[Any, Any], left: tuple[str, ...] = ()
) -> Picture:
    found, white = samples.checked(values)
    pixels, alpha = split_alpha(found)
    exif = info.get("exif") or None
    xmp = info.get("xmp") or None
    return Picture(
        pixels,
        alpha,
        white=white,
        format=form,
        mode=mode,
        icc=info.get("icc_profile") or None,
        # The libraries turn the pixels by the container's word; EXIF's own is not to be applied.
        exif=orientation.upright(bytes(exif).removeprefix(_EXIF_MARK)) if exif else None,
        xmp=png_chunks.upright_xmp(bytes(xmp)) if isinstance(xmp, bytes) else None,
        left=left,
    )
