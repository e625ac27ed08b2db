"""Orientation: applied to the pixels once, and reset in EXIF without touching the rest of it."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ORIENTATION = 0x0112


def orientation(exif: bytes | None) -> int:
    """Read the orientation (1..8) of an EXIF block that starts with its TIFF header; 1 if none."""
    place = _place(exif) if exif else None
    if exif is None or place is None:
        return 1
    order, at = place
    (value,) = struct.unpack_from(order + "H", exif, at)
    return int(value) if 1 <= value <= 8 else 1


def upright(exif: bytes | None) -> bytes | None:
    """Return the same EXIF block, byte for byte, with an orientation of 1."""
    place = _place(exif) if exif else None
    if exif is None or place is None:
        return exif
    order, at = place
    return exif[:at] + struct.pack(order + "H", 1) + exif[at + 2 :]


def turn(array: NDArray[Any], value: int) -> NDArray[Any]:
    """Turn or mirror (H, W[, C]) as EXIF orientation `value` says, so that it stands upright."""
    if value in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if value in (3, 4, 7, 8):
        array = array[::-1]
    if value in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _place(exif: bytes) -> tuple[str, int] | None:
    """Find the byte order and the offset of the orientation's value in the first directory."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, start)
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(order + "HH", exif, at)
            if tag == _ORIENTATION and kind == 3 and at + 10 <= len(exif):
                return order, at + 8
    except struct.error:  # a damaged block is kept as it is
        pass
    return None
