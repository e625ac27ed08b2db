"""The texts of a PNG, XMP among them, and EXIF go with the picture."""

import zlib

import numpy as np
import pytest
from PIL import Image

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
