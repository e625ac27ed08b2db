"""PGM and PPM, plain and raw, of every largest value: Pillow rescales them or keeps 8 bits."""

import re
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(
    rb"P([2356])" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)(?:#[^\r\n]*)?\s"
)
_COMMENT = re.compile(rb"#[^\r\n]*")
_NUMBERS = re.compile(rb"[\d\s]*")


def is_grey_or_colour(data: bytes | bytearray) -> bool:
    """Return whether the file `data` is a PGM or PPM, plain or raw."""
    header = _HEADER.match(data)
    return header is not None and 0 < int(header[4]) < 65536


def is_deep(data: bytes) -> bool:
    """Return whether the file `data` is a PGM or PPM with more than 8 bits per sample."""
    header = _HEADER.match(data)
    return header is not None and 255 < int(header[4]) < 65536


def read(
    data: bytes | bytearray,
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], float | None]:
    """Decode a file for which `is_grey_or_colour` holds.

    Returns
    -------
    samples : ndarray (H, W) or (H, W, 3), uint8 or uint16
        As the file has them.
    white : float or None
        The largest value that the header states; None where it is that of the type.

    Raises
    ------
    RestoreError
        If anything but white space follows the pixels, such as a further image.
    ValueError
        If the file is cut short.
    """
    header = _HEADER.match(data)
    if header is None:
        raise ValueError("no header of a PGM or PPM")
    width, height, peak = (int(header[i]) for i in (2, 3, 4))
    shape = (height, width) if header[1] in b"25" else (height, width, 3)
    dtype = np.dtype(np.uint16 if peak > 255 else np.uint8)
    at, count = header.end(), int(np.prod(shape))
    values = _plain(data, at, count) if header[1] in b"23" else _raw(data, at, count, dtype)
    values = values.reshape(shape)
    white = None if peak in (255, 65535) else float(peak)
    if white is not None:
        values = np.minimum(values, peak)
    # A file of 8 bits in a bytearray is the array itself: large ones are not copied.
    return np.require(values, dtype, "W"), white


def _raw(data: bytes | bytearray, start: int, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    size = dtype.itemsize * count
    if len(data) < start + size:
        raise ValueError(f"expected {size} bytes of pixels, found {len(data) - start}")
    _refuse_more(data[start + size :])
    return np.frombuffer(data, dtype.newbyteorder(">"), count, start)


def _plain(data: bytes | bytearray, start: int, count: int) -> NDArray[Any]:
    text = _COMMENT.sub(b" ", data[start:])
    numbers = _NUMBERS.match(text)
    end = 0 if numbers is None else numbers.end()
    found = text[:end].strip().decode("ascii")
    values = np.fromstring(found, np.int64, sep=" ") if found else np.empty(0)
    if len(values) < count:
        raise ValueError(f"expected {count} numbers, found {len(values)}")
    _refuse_more(text[end:] if len(values) == count else b"numbers")
    return values


def _refuse_more(rest: bytes | bytearray) -> None:
    if rest.strip():
        raise RestoreError(
            "expected one image, found more behind its pixels, such as a further image; make a "
            "file of each (pamsplit of Netpbm does)"
        )


def write(file: BinaryIO, pixels: NDArray[Any], white: float | None = None) -> None:
    """Encode grey (PGM) or RGB (PPM) pixels of uint8 or uint16, some rows at a time.

    `white` is the largest value that the header states, by default that of the type.
    """
    height, width = pixels.shape[:2]
    kind = "P5" if pixels.ndim == 2 else "P6"
    file.write(f"{kind}\n{width} {height}\n{int(white or np.iinfo(pixels.dtype).max)}\n".encode())
    for start in range(0, height, 256):
        rows = pixels[start : start + 256]
        file.write((rows.astype(">u2") if pixels.dtype == np.uint16 else rows).tobytes())
