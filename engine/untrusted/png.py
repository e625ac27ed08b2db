"""PNG files: whether all rows that the header states are there, and how much they may become."""

import struct
import zlib
from typing import Any, BinaryIO

from numpy.typing import NDArray

from engine.memory import DEFLATE

_STEP = 2**20  # bytes unpacked at a time
# Left, top, and steps to the right and down of the seven passes of an interlaced PNG.
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a stored pixel: a palette has indices


def most_per_byte(head: bytes, in_memory: int) -> float:
    """Return how many bytes of decoded pixels a byte of a PNG stands for, at most.

    Parameters
    ----------
    head : bytes
        At least the first 26 of the file.
    in_memory : int
        Bytes of a decoded pixel, which may have been stored in fewer bits.
    """
    bits = head[24] * SAMPLES.get(head[25], 1)
    return DEFLATE * in_memory * 8 / max(bits, 1)


def is_whole(file: BinaryIO, samples: NDArray[Any]) -> bool:
    """Return whether a PNG holds all the rows that its header states.

    Decoders leave missing rows as they are, black, and say nothing. So where the last row is of
    one value, or the rows do not lie in order, the packed data are unpacked and counted.

    Parameters
    ----------
    file : binary file
        Open for reading; left anywhere.
    samples : ndarray (H, W) or (H, W, C)
        As decoded.
    """
    file.seek(0)
    header = file.read(33)
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", header[16:29])
    if not interlaced and (samples[-1] != samples[-1, :1]).any():
        return True
    bits = depth * SAMPLES.get(kind, 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    wanted = 0
    for left, top, right, down in passes:
        columns, rows = -(-(width - left) // right), -(-(height - top) // down)
        wanted += rows * (1 + (columns * bits + 7) // 8) if columns > 0 and rows > 0 else 0
    unpacker = zlib.decompressobj()
    file.seek(8)
    while len(start := file.read(8)) == 8 and wanted > 0:
        size, name = struct.unpack(">I4s", start)
        if name != b"IDAT":
            file.seek(size + 4, 1)
            continue
        packed = file.read(size)
        file.seek(4, 1)
        while packed and wanted > 0:
            wanted -= len(unpacker.decompress(packed, _STEP))
            packed = unpacker.unconsumed_tail
    return wanted - len(unpacker.flush()) <= 0
