"""CMYK becomes sRGB through its profile, whichever format holds it."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from restore.images import files, metadata

INKS = np.random.default_rng(0).integers(0, 256, (4, 4, 4), np.uint8).repeat(8, 0).repeat(8, 1)


def profile():
    """A profile of inks (a table of two nodes per ink) whose cyan is pale green."""
    nodes = []
    for index in range(16):
        cyan, magenta, yellow, black = (index >> 3 & 1, index >> 2 & 1, index >> 1 & 1, index & 1)
        light = 255 - 40 * cyan - 80 * magenta - 20 * yellow
        a, b = 128 - 60 * cyan + 60 * magenta, 128 + 40 * cyan + 50 * yellow
        nodes += [0, 128, 128] if black else [light, a, b]
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 * one for one in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + 4 * ramp + bytes(nodes) + 3 * ramp
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    head = struct.pack(">I4sI4s4s4s", 0, b"test", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    head = head.ljust(128, b"\0")
    start = 128 + 4 + 2 * 12
    tags = struct.pack(">I", 2) + b"wtpt" + struct.pack(">II", start, len(white))
    tags += b"A2B0" + struct.pack(">II", start + len(white), len(table))
    whole = head + tags + white + table
    return struct.pack(">I", len(whole)) + whole[4:]


ICC = profile()


def by_profile(inks):
    image = Image.fromarray(inks, "CMYK")
    source = ImageCms.ImageCmsProfile(io.BytesIO(ICC))
    target = ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(image, source, target, outputMode="RGB"))


def plain(inks):
    light = 255 - inks.astype(float)
    return light[..., :3] * light[..., 3:] / 255


@pytest.mark.parametrize("icc", [ICC, b"\0" * 128 + b"CMYKprofile", None])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_of_inks_goes_through_its_profile(tmp_path, icc, dtype):
    inks = INKS if dtype == np.uint8 else INKS.astype(np.uint16) * 257
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, inks, photometric="separated", iccprofile=icc)
    found = files.read(path)
    expected = by_profile(INKS) if icc is ICC else plain(INKS)
    assert abs(by_profile(INKS) - plain(INKS)).max() > 50
    assert found.pixels.dtype == dtype
    assert abs(files.as_uint8(found).astype(float) - expected).max() <= 2
    assert found.icc is None
    named = "CMYK and its colour profile" if icc else "CMYK"
    assert metadata.lost(found, "TIFF")[0] == named


def test_jpeg_and_tiff_of_inks_have_the_same_colours(tmp_path):
    image = Image.fromarray(INKS, "CMYK")
    image.save(tmp_path / "a.jpg", quality=100, subsampling=0, icc_profile=ICC)
    with Image.open(tmp_path / "a.jpg") as decoded:
        inks = np.asarray(decoded)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated", iccprofile=ICC)
    jpeg, tiff = (files.read(tmp_path / name) for name in ("a.jpg", "a.tif"))
    assert np.array_equal(jpeg.pixels, tiff.pixels)
    for found in (jpeg, tiff):
        assert metadata.lost(found, found.format) == ["CMYK and its colour profile"]


def test_alpha_beside_inks_stays(tmp_path):
    alpha = np.arange(32 * 32, dtype=np.uint8).reshape(32, 32, 1)
    path = tmp_path / "a.tif"
    how = {"photometric": "separated", "extrasamples": ["unassalpha"], "iccprofile": ICC}
    tifffile.imwrite(path, np.concatenate([INKS, alpha], axis=2), **how)
    found = files.read(path)
    assert np.array_equal(found.alpha, alpha[..., 0])
    assert np.array_equal(found.pixels, by_profile(INKS))
