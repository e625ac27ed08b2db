"""EXIF and GPS of a TIFF are in the TIFF that comes out, whatever the byte order."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from restore.images import files
from restore.images.picture import Picture
from restore.images.tiff import exif as tiff_exif

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def with_exif(path, **options):
    """Write a file with EXIF and GPS through Pillow."""
    exif = Image.Exif()
    exif[0x010F] = "Own"
    exif.get_ifd(0x8769)[0x829A] = 0.004  # exposure time
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 15.5)
    Image.fromarray(PIXELS).save(path, exif=exif, **options)


def seen(path):
    with Image.open(path) as image:
        exif = image.getexif()
        camera, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    return (
        exif[0x010F],
        float(camera[0x829A]),
        camera[0x9003],
        place[1],
        [float(value) for value in place[2]],
    )


EXPECTED = ("Own", 0.004, "2024:05:06 07:08:09", "N", [52, 30, 15.5])


@pytest.mark.parametrize("source", ["a.tif", "a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("target", ["b.tif", "b.png", "b.jpg"])
def test_exif_and_gps_come_along(source, target, tmp_path):
    if source == "a.tif":  # Pillow writes none, but reads what came from a JPEG
        with_exif(tmp_path / "a.jpg")
        files.write(tmp_path / "a.tif", files.read(tmp_path / "a.jpg"))
    else:
        with_exif(tmp_path / source)
    files.write(tmp_path / target, files.read(tmp_path / source))
    assert seen(tmp_path / target) == EXPECTED


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_each_page_keeps_its_own(order, big, tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=order, bigtiff=big) as file:
        for _ in range(2):
            tag = (tiff_exif.PLACEHOLDERS[tiff_exif.EXIF], 4, 1, 0, False)
            file.write(PIXELS, photometric="rgb", metadata=None, extratags=[tag])
    width, pack = (8, "Q") if big else (4, "I")
    with (tmp_path / "a.tif").open("r+b") as file:
        read = tiff_exif._reader(file)
        form, offset = tiff_exif._header(read)
        for page in range(2):
            for at, code in list(tiff_exif._places(read, form, offset)):
                if code == 34664:
                    end = file.seek(0, 2)
                    count = struct.pack(order + ("Q" if big else "H"), 1)
                    entry = struct.pack(order + "HH" + pack, 0x8827, 3, 1)  # ISO speed
                    value = struct.pack(order + "H", 100 + page).ljust(width, b"\0")
                    file.write(count + entry + value + bytes(width))
                    file.seek(at)
                    file.write(struct.pack(order + "HH", 34665, 16 if big else 4))
                    file.seek(at + 4 + width)
                    file.write(struct.pack(order + pack, end))
            offset = tiff_exif._next(read, form, offset)
    pages = files.read_pages(tmp_path / "a.tif")
    files.write_pages(tmp_path / "b.tif", pages)
    with Image.open(tmp_path / "b.tif") as image:
        speeds = []
        for page in range(2):
            image.seek(page)
            speeds.append(image.getexif().get_ifd(0x8769)[0x8827])
    assert speeds == [100, 101]
    assert np.array_equal(files.read_pages(tmp_path / "b.tif")[1].pixels, PIXELS)


@pytest.mark.parametrize("block", [b"", b"II", b"XX*\0" + bytes(20), b"II*\0\xff\xff\xff\0", None])
def test_a_damaged_block_is_left_out(block, tmp_path):
    assert tiff_exif.from_block(block) == []
    files.write(tmp_path / "a.tif", Picture(PIXELS, exif=block))
    assert np.array_equal(files.read(tmp_path / "a.tif").pixels, PIXELS)
