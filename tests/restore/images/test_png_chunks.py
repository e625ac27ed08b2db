"""The texts of a PNG, XMP among them, and EXIF go with the picture."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.images import files, png_chunks
from tests.restore.samples import exif, picture

XMP = b'XML:com.adobe.xmp\0\0\0\0\0<rdf:Description tiff:Orientation="6" dc:title="\xc3\xa4"/>'
TEXTS = (
    (b"tEXt", b"Title\0A scan"),
    (b"zTXt", b"Comment\0\0" + zlib.compress(b"long " * 100)),
    (b"iTXt", XMP),
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_texts_of_a_png_are_kept_byte_for_byte(dtype, channels, tmp_path):
    files.write(tmp_path / "a.png", picture(dtype, channels, texts=TEXTS))
    assert files.read(tmp_path / "a.png").texts == TEXTS
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Title"] == "A scan"
        assert image.text["Comment"] == "long " * 100
    files.write(tmp_path / "a.tif", files.read(tmp_path / "a.png"))
    assert files.read(tmp_path / "a.tif").texts == ()


def test_texts_behind_the_pixels_are_kept_and_damaged_ones_are_not(tmp_path):
    files.write(tmp_path / "a.png", picture())
    data = (tmp_path / "a.png").read_bytes()
    late, bad = (png_chunks.chunk(b"tEXt", content) for content in (b"Late\0x", b"Bad\0x"))
    end = data.index(b"IEND") - 4
    (tmp_path / "b.png").write_bytes(data[:end] + late + bad[:-1] + b"?" + data[end:])
    assert files.read(tmp_path / "b.png").texts == ((b"tEXt", b"Late\0x"),)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_exif_behind_the_pixels_is_kept_and_turns_them(dtype, tmp_path):
    before = picture(dtype)
    files.write(tmp_path / "a.png", before)
    data = (tmp_path / "a.png").read_bytes()
    end = data.index(b"IEND") - 4
    late = png_chunks.chunk(b"eXIf", exif(6))
    (tmp_path / "b.png").write_bytes(data[:end] + late + data[end:])
    found = files.read(tmp_path / "b.png")
    assert found.exif == exif(1)
    assert np.array_equal(found.pixels, before.pixels[::-1].swapaxes(0, 1))


def test_the_orientation_in_xmp_is_reset_where_the_image_was_turned(tmp_path):
    turned = picture(exif=exif(6), texts=TEXTS)
    files.write(tmp_path / "a.png", turned)
    found = files.read(tmp_path / "a.png")
    assert found.pixels.shape == (17, 13, 3)
    assert found.texts == (*TEXTS[:2], (b"iTXt", XMP.replace(b'"6"', b'"1"')))


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_a_png_of_fewer_rows_than_it_states_is_cut_short(kind, depth, interlaced, tmp_path):
    if (depth == 1 and kind not in (0, 3)) or (depth == 16 and kind == 3):
        pytest.skip("no such PNG")
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                  (1, 0, 2, 2), (0, 1, 1, 2)]  # fmt: skip
    rows = b""
    for left, top, across, down in passes:
        wide = (len(range(left, 21, across)) * bits + 7) // 8
        rows += (b"\0" + b"\0" * wide) * len(range(top, 33, down))
    header = struct.pack(">IIBBBBB", 21, 33, depth, kind, 0, 0, interlaced)
    for share, whole in ((1, True), (0.5, False), (0.97, False)):
        packed = zlib.compress(rows[: int(len(rows) * share)])
        parts = [
            (b"IHDR", header),
            (b"PLTE", bytes(6)),
            (b"IDAT", packed[:9]),
            (b"IDAT", packed[9:]),
        ]
        content = b"".join(png_chunks.chunk(*part) for part in [*parts, (b"IEND", b"")])
        if kind in (0, 4):
            content = content.replace(png_chunks.chunk(b"PLTE", bytes(6)), b"")
        (tmp_path / "a.png").write_bytes(png_chunks.SIGNATURE + content)
        if whole:
            assert files.read(tmp_path / "a.png").pixels.shape[:2] == (33, 21)
        else:
            with pytest.raises(RestoreError, match=r"damaged or cut short|before its last row"):
                files.read(tmp_path / "a.png")
