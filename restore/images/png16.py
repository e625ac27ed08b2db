"""PNG with 16 bits per channel in colour or with alpha, which Pillow takes for 8 bits.

Reading leaves inflating and unfiltering to Pillow and gets both bytes of a sample out of it: of
RGB and RGBA the high and the low bytes in two passes, as big- and as little-endian samples; grey
with alpha has the same rows and filters as 8-bit RGBA, so that only the header must be rewritten.
Writing is short enough to do here (PNG specification, third edition, W3C 2025), in bands of rows,
so that images of 8 bits that are too large for a second copy are written here as well.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from restore.images.heads import open_image
from restore.images.png_chunks import SIGNATURE, Texts, chunk, colour

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_ROWS = 256  # filtered and packed at a time
_TYPES = {channels: kind for kind, channels in _CHANNELS.items()}


def is_deep(data: bytes) -> bool:
    """Return whether a file that starts with `data` is a PNG of 16 bits per channel."""
    return data[:8] == SIGNATURE and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def read(data: bytes) -> NDArray[np.uint16]:
    """Decode the samples of a 16-bit PNG.

    Parameters
    ----------
    data : bytes
        The whole file, for which `is_deep` holds.

    Returns
    -------
    ndarray (H, W) or (H, W, C), uint16
        C is 2 (grey, alpha), 3 (RGB) or 4 (RGBA).

    Raises
    ------
    OSError
        If the file is cut short or damaged.
    """
    kind = data[25]
    if kind == 0:
        return np.asarray(_samples(data, None), dtype=np.uint16)
    if kind == 4:
        header = data[12:24] + b"\x08\x06" + data[26:29]
        data = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
        pairs = np.ascontiguousarray(_samples(data, None))  # (H, W, 4) uint8
        return np.asarray(pairs.view(">u2"), dtype=np.uint16)
    mode = "RGB" if kind == 2 else "RGBA"
    high, low = (_samples(data, f"{mode};16{end}") for end in "BL")
    return np.asarray((high.astype(np.uint16) << 8) | low, dtype=np.uint16)


def _samples(data: bytes, rawmode: str | None) -> NDArray[Any]:
    with open_image(io.BytesIO(data), ["PNG"]) as image:
        if rawmode is not None:
            # `tile` is Pillow's documented list of what to decode and as what.
            listed: Any = image
            listed.tile = [tile._replace(args=rawmode) for tile in listed.tile]
        image.load()
        return np.asarray(image)


def write(
    file: BinaryIO,
    pixels: NDArray[Any],
    alpha: NDArray[Any] | None = None,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    texts: Texts = (),
    colours: Texts = (),
) -> None:
    """Encode samples of 8 or 16 bits as a PNG file, some rows at a time.

    Parameters
    ----------
    file : binary file
        Open for writing.
    pixels : ndarray (H, W) or (H, W, 3), uint8 or uint16
    alpha : ndarray (H, W), optional
        Of the pixels' type.
    icc, exif : bytes, optional
        Colour profile, and EXIF block starting with its TIFF header.
    dpi : (float, float), optional
        Horizontal and vertical dots per inch.
    texts : tuple of (bytes, bytes)
        Names and contents of text chunks.
    colours : tuple of (bytes, bytes)
        Names and contents of chunks that say what the colours mean.
    """
    height, width = pixels.shape[:2]
    channels = (1 if pixels.ndim == 2 else 3) + (alpha is not None)
    file.write(SIGNATURE)
    depth = 8 * pixels.itemsize
    header = struct.pack(">IIBBBBB", width, height, depth, _TYPES[channels], 0, 0, 0)
    file.write(chunk(b"IHDR", header))
    file.write(colour(colours, channels, depth))
    if icc:
        file.write(chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc)))
    if dpi:
        metres = (max(round(value / 0.0254), 1) for value in dpi)
        file.write(chunk(b"pHYs", struct.pack(">IIB", *metres, 1)))
    if exif:
        file.write(chunk(b"eXIf", exif))
    for name, content in texts:
        file.write(chunk(name, content))
    packer = zlib.compressobj(6)
    for rows in _filtered(pixels, alpha):
        packed = packer.compress(rows)
        if packed:
            file.write(chunk(b"IDAT", packed))
    file.write(chunk(b"IDAT", packer.flush()))
    file.write(chunk(b"IEND", b""))


def _filtered(pixels: NDArray[Any], alpha: NDArray[Any] | None) -> Iterator[bytes]:
    """Yield the image's bytes under filter 2 (difference to the row above), some rows at a time."""
    above: NDArray[np.uint8] | None = None
    for start in range(0, len(pixels), _ROWS):
        part = pixels[start : start + _ROWS]
        if alpha is not None:
            part = np.dstack([part, alpha[start : start + _ROWS]])
        wire = np.ascontiguousarray(part, dtype=part.dtype.newbyteorder(">"))
        rows = wire.reshape(len(part), -1).view(np.uint8)
        stack = np.vstack([np.zeros_like(rows[:1]) if above is None else above, rows])
        marked = np.full((len(rows), rows.shape[1] + 1), 2, np.uint8)
        np.subtract(stack[1:], stack[:-1], out=marked[:, 1:])  # modulo 256, as the filter wants
        yield marked.tobytes()
        above = rows[-1:]
