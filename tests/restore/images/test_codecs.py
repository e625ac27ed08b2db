"""HEIC, JPEG XL and camera RAW, each where its extra is installed; one line where it is not."""

import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from restore.errors import RestoreError
from restore.images import files

SLOPE = np.dstack([np.linspace(0, 255, 60)[None].repeat(40, 0)] * 3).astype(np.uint8)
EXIF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"


def raw(path):
    """Write a DNG of one sensor, as small as libraw takes it."""
    y, x = np.mgrid[:64, :80]
    values = (1000 + 600 * np.sin(x / 9) + 400 * np.cos(y / 7)).astype(np.uint16)
    identity = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    tags = [
        (33421, 3, 2, (2, 2), True), (33422, 1, 4, bytes([0, 1, 1, 2]), True),
        (50706, 1, 4, bytes([1, 4, 0, 0]), True), (50708, 2, 0, "Test", True),
        (50717, 4, 1, 4095, True), (50721, 10, 9, identity, True),
        (50728, 5, 3, (1, 1, 1, 1, 1, 1), True), (50778, 3, 1, 21, True),
    ]  # fmt: skip
    tifffile.imwrite(path, values, photometric=32803, metadata=None, extratags=tags)


def test_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    image = heif.from_bytes("RGB", (60, 40), SLOPE.tobytes())
    image.save(tmp_path / "a.heic", quality=95, exif=b"Exif\0\0" + EXIF)
    found = files.read(tmp_path / "a.heic")
    assert (found.format, found.exif) == ("HEIF", EXIF)
    assert np.abs(found.pixels.astype(int) - SLOPE).max() < 6
    deep = SLOPE.astype(np.uint16) * 257
    heif.from_bytes("RGB;16", (60, 40), deep.tobytes()).save(tmp_path / "b.heic", quality=95)
    found = files.read(tmp_path / "b.heic")
    assert found.pixels.dtype == np.uint16
    assert np.abs(found.pixels.astype(int) - deep).max() < 1500


def test_jpeg_xl(tmp_path):
    pytest.importorskip("pillow_jxl")
    import imagecodecs

    grey, alpha = SLOPE[..., 0], np.dstack([SLOPE, SLOPE[..., :1]])
    for values in (SLOPE, grey, alpha, SLOPE.astype(np.uint16) * 257):
        (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(values, lossless=True))
        found = files.read(tmp_path / "a.jxl")
        colours = values if values.ndim == 2 else values[..., :3]
        assert found.pixels.dtype == values.dtype
        assert np.array_equal(found.pixels, colours)
        assert (found.alpha is not None) == (values is alpha)
    Image.fromarray(SLOPE).save(tmp_path / "a.jxl", lossless=True, exif=b"Exif\0\0" + EXIF)
    assert files.read(tmp_path / "a.jxl").exif == EXIF


def test_camera_raw_is_developed_to_16_bit(tmp_path):
    pytest.importorskip("rawpy")
    raw(tmp_path / "a.dng")
    found = files.read(tmp_path / "a.dng")
    assert (found.pixels.shape, found.pixels.dtype) == ((64, 80, 3), np.uint16)
    assert found.icc
    assert found.left == ("the sensor's own values and the maker's notes",)


def test_the_sensor_of_a_camera_is_no_picture(tmp_path):
    raw(tmp_path / "a.tif")
    with pytest.raises(RestoreError, match="expected a developed picture, found a camera RAW"):
        files.read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("name", "head", "extra", "module"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heif", "pillow_heif"),
        ("a.png", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "heif", "pillow_heif"),
        ("a.jxl", b"\xff\x0a" + bytes(30), "jxl", "pillow_jxl"),
        ("a.nef", b"MM\0*" + bytes(30), "raw", "rawpy"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(
    name, head, extra, module, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(head)
    with pytest.raises(RestoreError, match=rf"{name}: .* needs .*restore-hsi\[{extra}\]"):
        files.read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.heic", "a.jxl", "a.dng", "a.avif", "a.jp2"])
def test_damaged_files_are_one_line(name, tmp_path):
    heads = {
        "a.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "a.jxl": b"\xff\x0a",
        "a.dng": b"II*\0\x08\0\0\0",
        "a.avif": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
        "a.jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    }
    (tmp_path / name).write_bytes(heads[name] + bytes(40))
    with pytest.raises(RestoreError, match=name) as error:
        files.read(tmp_path / name)
    assert "\n" not in str(error.value)
