"""PNG of 16 bits a channel, which Pillow does not keep in colour."""

import io
import struct
import zlib

import numpy as np
import pytest

from restore.images import files, png16, png_chunks
from tests.restore.samples import exif, picture, samples


def test_16_bit_png_keeps_exif(tmp_path):
    files.write(tmp_path / "a.png", picture(np.uint16, exif=exif(1)))
    assert files.read(tmp_path / "a.png").exif == exif(1)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", range(5))
def test_16_bit_png_with_each_filter(channels, kind):
    """Encode with one filter throughout, by the loops of the specification."""
    values = samples(np.uint16, channels).reshape(13, 17 * channels)
    rows = values.astype(">u2").view(np.uint8).astype(int)
    step, raw = 2 * channels, b""
    for y, row in enumerate(rows):
        raw += bytes([kind])
        for x, value in enumerate(row):
            a = row[x - step] if x >= step else 0
            b = rows[y - 1][x] if y else 0
            c = rows[y - 1][x - step] if y and x >= step else 0
            p = a + b - c
            paeth = min((a, b, c), key=lambda near, p=p: abs(p - near))
            raw += bytes([(value - (0, a, b, (a + b) // 2, paeth)[kind]) % 256])
    header = struct.pack(">IIBBBBB", 17, 13, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    data = png_chunks.SIGNATURE
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        data += struct.pack(">I", len(content)) + name + content
        data += struct.pack(">I", zlib.crc32(name + content))
    assert png16.is_deep(data)
    found = png16.read(data)
    assert np.array_equal(found.reshape(values.shape), values)


def test_interlaced_16_bit_png():
    # The smallest Adam7 image: one pixel is one pass.
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 1)
    raw = b"\0" + np.array([1, 2, 65535], ">u2").tobytes()
    out = io.BytesIO(png_chunks.SIGNATURE)
    out.seek(0, io.SEEK_END)
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        out.write(struct.pack(">I", len(content)) + name + content)
        out.write(struct.pack(">I", zlib.crc32(name + content)))
    assert png16.read(out.getvalue()).tolist() == [[[1, 2, 65535]]]
