"""Raw PGM and PPM of 16 bits, of which Pillow keeps 8 in colour; and writing of both depths."""

import re
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"P([56])" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)\s")


def is_deep(data: bytes) -> bool:
    """Return whether the file `data` is a raw PGM or PPM with more than 8 bits per sample."""
    header = _HEADER.match(data)
    return header is not None and 255 < int(header[4]) < 65536


def read(data: bytes) -> tuple[NDArray[np.uint16], float | None]:
    """Decode a file for which `is_deep` holds.

    Returns
    -------
    samples : ndarray (H, W) or (H, W, 3), uint16
        As the file has them.
    white : float or None
        The largest value that the header states; None for 65535.

    Raises
    ------
    ValueError
        If the file is cut short.
    """
    header = _HEADER.match(data)
    if header is None:
        raise ValueError("no header of a raw PGM or PPM")
    width, height, peak = (int(header[i]) for i in (2, 3, 4))
    shape = (height, width) if header[1] == b"5" else (height, width, 3)
    count = int(np.prod(shape))
    if len(data) < header.end() + 2 * count:
        raise ValueError(f"expected {2 * count} bytes of pixels, found {len(data) - header.end()}")
    values = np.frombuffer(data, ">u2", count, header.end()).reshape(shape)
    return np.minimum(values, peak).astype(np.uint16), None if peak == 65535 else float(peak)


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
