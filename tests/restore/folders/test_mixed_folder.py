"""One file of each kind: every good one comes out right, every bad one is named with its reason."""

import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from engine.errors import Partial
from restore.folders.folder import denoise_files
from restore.folders.journal import JOURNAL
from restore.folders.options import FolderOptions
from restore.images import files
from restore.images.picture import Picture

RNG = np.random.default_rng(0)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Maker, then orientation 6 (turn a quarter to the right), in an otherwise empty EXIF block.
EXIF = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + b"".join(
    struct.pack("<HHI", tag, kind, count) + value
    for tag, kind, count, value in (
        (0x010F, 2, 4, b"Own\0"),
        (0x0112, 3, 1, struct.pack("<HH", 6, 0)),
    )
) + b"\0\0\0\0"  # fmt: skip


def samples(*shape, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.fixture
def mixed(tmp_path):
    root = tmp_path / "mixed"
    (root / "unter ordner").mkdir(parents=True)
    Image.fromarray(samples(21, 34)).save(root / "grey 8.png", dpi=(300, 150))
    Image.fromarray(samples(21, 34, dtype=np.uint16)).save(root / "grey 16.png")
    Image.fromarray(samples(21, 34, 3)).save(root / "colour.png", icc_profile=ICC)
    deep, mask = samples(21, 34, 3, dtype=np.uint16), samples(21, 34, dtype=np.uint16)
    files.write(root / "tief.png", Picture(deep, icc=ICC))
    files.write(root / "tief alpha.png", Picture(deep, mask))
    Image.fromarray(samples(21, 34, 4)).save(root / "alpha ä 日本.png")
    Image.fromarray(samples(21, 34, 2)).save(root / "grey alpha.png")
    palette = Image.fromarray(samples(21, 34, 3)).quantize(16)
    palette.save(root / "palette.png")
    palette.save(root / "palette.bmp")
    Image.fromarray(samples(21, 34, 3)).save(root / "lossless.webp", lossless=True)
    Image.fromarray(samples(21, 34)).save(root / "plain.pgm")
    Image.fromarray(samples(21, 34, 3)).save(root / "unter ordner" / "plain.ppm")
    floats = RNG.normal(0.5, 0.2, (21, 34)).astype(np.float32)
    tifffile.imwrite(
        root / "float.tif", floats, description="a scan", software="scanner 1", metadata=None
    )
    pages = [Picture(samples(9, 8)), Picture(samples(7, 6, 3)), Picture(samples(9, 8))]
    files.write_pages(root / "pages.tif", pages)
    smooth = Image.fromarray(np.full((24, 32, 3), (200, 90, 30), np.uint8))
    smooth.convert("CMYK").save(root / "cmyk.jpg", quality=95)
    half = Image.fromarray(np.repeat(np.eye(2, dtype=np.uint8) * 255, 16, 1).repeat(8, 0))
    half.save(root / "turned.jpg", exif=EXIF, quality=95)
    # What must fail.
    frames = [Image.fromarray(samples(8, 8)) for _ in range(3)]
    frames[0].save(root / "moving.gif", save_all=True, append_images=frames[1:])
    buffer = io.BytesIO()
    smooth.save(buffer, "JPEG")
    (root / "cut.jpg").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    (root / "text.png").write_text("not an image")
    (root / "empty.png").write_bytes(b"")
    smooth.save(root / "twice.jpg")
    smooth.save(root / "twice.png")
    return root


@pytest.fixture
def done(mixed, tmp_path, make_weights, cpu) -> Path:
    out = tmp_path / "out"
    with pytest.raises(Partial, match="6 of 22 images failed"):
        denoise_files(mixed, out, str(make_weights()), FolderOptions(recursive=True), lambda: cpu)
    return out


def test_each_failure_is_named_and_all_else_is_right(mixed, done):
    records = [json.loads(line) for line in (done / JOURNAL).read_text().splitlines()]
    failed = {r["file"]: r["reason"] for r in records if r["status"] == "failed"}
    assert set(failed) == {
        "moving.gif", "cut.jpg", "text.png", "empty.png", "twice.jpg", "twice.png"
    }  # fmt: skip
    assert "found a GIF" in failed["moving.gif"]
    assert "damaged or cut short" in failed["cut.jpg"]
    assert "found something else" in failed["text.png"]
    assert "the file is empty" in failed["empty.png"]
    assert "rename one of them" in failed["twice.png"]
    expected = {r["output"] for r in records if r["status"] == "done"}
    found = {p.relative_to(done).as_posix() for p in done.rglob("*") if p.is_file()}
    assert found == expected | {JOURNAL}
    assert len(records) == 22

    # The untrained network changes nothing: all that belongs to an image must be as it was.
    for record in records:
        if record["status"] != "done":
            continue
        before = files.read_pages(mixed / record["file"])
        after = files.read_pages(done / record["output"])
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            assert one.pixels.dtype == other.pixels.dtype, record
            np.testing.assert_allclose(one.pixels, other.pixels, atol=1e-6, err_msg=str(record))
            assert (one.alpha is None) == (other.alpha is None), record
            if one.alpha is not None:
                assert np.array_equal(one.alpha, other.alpha), record
            assert one.icc == other.icc, record
            assert one.exif == other.exif, record
            assert (one.dpi is None) == (other.dpi is None), record


def test_other_programs_see_the_same(mixed, done):
    with Image.open(done / "grey 8.png") as image:
        assert (image.mode, image.info["dpi"]) == ("L", pytest.approx((300, 150), abs=0.1))
    with Image.open(done / "grey 16.png") as image:
        assert image.mode == "I;16"
    with Image.open(done / "colour.png") as image:
        assert image.info["icc_profile"] == ICC
    assert (done / "tief.png").read_bytes()[24:26] == b"\x10\x02"
    assert (done / "tief alpha.png").read_bytes()[24:26] == b"\x10\x06"
    with Image.open(done / "turned.png") as image:
        exif = image.getexif()
        assert (exif[0x010F], exif[0x0112]) == ("Own", 1)
        assert image.size == (16, 32)  # upright, and nothing left to turn
        with Image.open(mixed / "turned.jpg") as source:
            turned = source.transpose(Image.Transpose.ROTATE_270)
            assert np.array_equal(np.asarray(image), np.asarray(turned))
    with Image.open(done / "cmyk.png") as image:
        assert image.mode == "RGB"
    with Image.open(done / "lossless.webp") as image:
        assert (image.format, image.size) == ("WEBP", (34, 21))
    with Image.open(done / "plain.pgm") as image:
        assert (image.format, image.mode) == ("PPM", "L")
    with tifffile.TiffFile(done / "float.tif") as file:
        assert file.asarray().dtype == np.float32
        tags = file.pages[0].tags
        assert (tags[270].value, tags[305].value) == ("a scan", "scanner 1")
    with tifffile.TiffFile(done / "pages.tif") as file:
        assert [page.shape for page in file.pages] == [(9, 8), (7, 6, 3), (9, 8)]
