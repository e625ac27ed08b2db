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


def read(data: bytes) -> NDArray[np.uint16]:
    """Decode a file for which `is_deep` holds; its largest value is scaled to 65535.

    Returns
    -------
    ndarray (H, W) or (H, W, 3), uint16

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
    if peak == 65535:
        return values.astype(np.uint16)
    scaled = np.minimum(values, peak).astype(np.uint32) * 65535 + peak // 2
    return np.asarray(scaled // peak, dtype=np.uint16)


def write(file: BinaryIO, pixels: NDArray[Any]) -> None:
    """Encode grey (PGM) or RGB (PPM) pixels of uint8 or uint16, some rows at a time."""
    height, width = pixels.shape[:2]
    kind = "P5" if pixels.ndim == 2 else "P6"
    file.write(f"{kind}\n{width} {height}\n{np.iinfo(pixels.dtype).max}\n".encode())
    for start in range(0, height, 256):
        rows = pixels[start : start + 256]
        file.write((rows.astype(">u2") if pixels.dtype == np.uint16 else rows).tobytes())
