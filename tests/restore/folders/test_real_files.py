"""Files as people have them: no plane, page, mask, transparency or white is lost without a word."""

import contextlib
import io
import json
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import Partial
from restore.folders.folder import denoise_folder
from restore.folders.journal import JOURNAL
from restore.images import files, png_chunks
from restore.images.picture import Picture

N = 64
Y, X = np.mgrid[:N, :N]
CLEAN = 128 + 60 * np.sin(X / 9) + 40 * np.cos(Y / 7)
NOISY = CLEAN + np.random.default_rng(0).normal(0, 15, (N, N))
GREY = np.clip(NOISY, 0, 255).round().astype(np.uint8)
DEEP = GREY.astype(np.uint16) * 257
RGB = np.dstack([GREY] * 3)


def psnr(found, clean=CLEAN, white=255.0):
    return 10 * np.log10(255**2 / np.square(found * 255.0 / white - clean).mean())


@pytest.fixture
def denoise(tmp_path):
    """Denoise what was written to the folder `in`, and return the records by file."""
    (tmp_path / "in").mkdir()

    def run(**options):
        out = tmp_path / "out"
        with contextlib.suppress(Partial):
            denoise_folder(tmp_path / "in", out, device="cpu", precision="float32", **options)
        lines = (out / JOURNAL).read_text().splitlines()
        return {record["file"]: record for record in map(json.loads, lines)}

    return run


def test_grey_stored_as_colour_is_denoised_as_grey_and_stays_grey(tmp_path, denoise):
    Image.fromarray(RGB).save(tmp_path / "in" / "colour.png")
    Image.fromarray(GREY).save(tmp_path / "in" / "grey.png")
    records = denoise()
    colour = np.asarray(Image.open(tmp_path / "out" / "colour.png"))
    grey = np.asarray(Image.open(tmp_path / "out" / "grey.png"))
    assert np.array_equal(colour, np.dstack([grey] * 3))
    assert psnr(grey) > 37
    assert records["colour.png"]["model"] == records["grey.png"]["model"]


@pytest.mark.parametrize("value", [-9999, np.finfo(np.float32).min, np.nan])
@pytest.mark.parametrize("tagged", [True, False])
def test_a_block_without_data_stays_and_the_rest_is_as_without_it(value, tagged, tmp_path, denoise):
    pixels = (GREY / 255).astype(np.float32)
    pixels[20:40, 20:40] = value
    tags = [(42113, 2, 0, f"{value:g}", True)] if tagged else []
    tifffile.imwrite(tmp_path / "in" / "a.tif", pixels, metadata=None, extratags=tags)
    record = denoise()["a.tif"]
    found = tifffile.imread(tmp_path / "out" / "a.tif")
    rest = np.ones((N, N), bool)
    rest[20:40, 20:40] = False
    np.testing.assert_array_equal(found[~rest], pixels[~rest])
    assert psnr(found[rest], CLEAN[rest], 1) > 37
    assert record["no_data"] == 400
    assert ("taken for 'no data'" in record.get("doubt", "")) == (value == -9999 and not tagged)


def test_a_stack_of_one_directory_keeps_its_planes_and_axes(tmp_path, denoise):
    # As ImageJ writes it beyond 4 GB, and with what it keeps of labels.
    planes = np.stack([np.roll(DEEP, shift, 1) for shift in range(6)]).reshape(2, 3, N, N)
    tifffile.imwrite(
        tmp_path / "in" / "stack.tif", planes, imagej=True, truncate=True,
        metadata={"axes": "ZCYX", "Labels": [f"plane {i}" for i in range(6)], "unit": "um"},
    )  # fmt: skip
    record = denoise()["stack.tif"]
    assert record["pages"] == 6
    with tifffile.TiffFile(tmp_path / "out" / "stack.tif") as file:
        assert file.series[0].axes == "ZCYX"
        assert file.imagej_metadata["Labels"][5] == "plane 5"
        assert file.imagej_metadata["unit"] == "um"
        found = file.asarray().reshape(6, N, N)
    for shift in range(6):
        assert psnr(np.roll(found[shift], -shift, 1), white=65535) > 36


def test_an_ome_tiff_keeps_its_axes(tmp_path, denoise):
    planes = np.stack([DEEP] * 6).reshape(3, 2, N, N)
    name = tmp_path / "in" / "a.ome.tif"
    tifffile.imwrite(name, planes, metadata={"axes": "ZCYX", "PhysicalSizeX": 0.5}, ome=True)
    denoise()
    with tifffile.TiffFile(tmp_path / "out" / "a.ome.tif") as file:
        assert (file.series[0].kind, file.series[0].axes) == ("ome", "ZCYX")
        assert file.series[0].shape == (3, 2, N, N)
        assert 'PhysicalSizeX="0.5"' in file.ome_metadata


def test_near_infrared_is_a_plane_of_its_own(tmp_path, denoise):
    for at, alphas in (("nir", [0]), ("both", [0, 2]), ("alpha first", [2, 0])):
        extra = [GREY.T if kind == 0 else np.uint8(X * 2) for kind in alphas]
        tifffile.imwrite(
            tmp_path / "in" / f"{at}.tif", np.dstack([RGB, *extra]), photometric="rgb",
            extrasamples=alphas, metadata=None,
        )  # fmt: skip
    denoise()
    for at, alphas in (("nir", [0]), ("both", [0, 2]), ("alpha first", [2, 0])):
        with tifffile.TiffFile(tmp_path / "out" / f"{at}.tif") as file:
            assert [int(kind) for kind in file.pages.first.extrasamples] == alphas
            found = file.asarray()
        assert psnr(found[..., 3 + alphas.index(0)], CLEAN.T) > 37
        if 2 in alphas:
            assert np.array_equal(found[..., 3 + alphas.index(2)], np.uint8(X * 2))


def test_an_internal_mask_is_kept(tmp_path, denoise):
    mask = X + Y > 60
    with tifffile.TiffWriter(tmp_path / "in" / "a.tif") as file:
        file.write(RGB, photometric="rgb", metadata=None)
        file.write(mask, photometric="mask", subfiletype=4, metadata=None)
    denoise()
    with tifffile.TiffFile(tmp_path / "out" / "a.tif") as file:
        assert psnr(file.pages[0].asarray()[..., 0]) > 37
        assert (file.pages[1].subfiletype, int(file.pages[1].photometric)) == (4, 4)
        assert np.array_equal(file.pages[1].asarray(), mask)


@pytest.mark.parametrize("bits", [1, 2, 4, 12])
def test_few_bits_are_read(bits, tmp_path, denoise):
    peak = 2**bits - 1
    values = np.round(GREY / 255 * peak).astype(np.uint8 if bits < 8 else np.uint16)
    path = tmp_path / "in" / "a.tif"
    if bits == 1:
        tifffile.imwrite(path, values.astype(bool), photometric="minisblack", metadata=None)
    else:
        packed(path, values, bits)
    denoise()
    found = files.read(tmp_path / "out" / "a.tif")
    if bits == 12:
        assert (found.white, found.pixels.dtype) == (4095, np.uint16)
        assert psnr(found.pixels, white=4095) > 37
    else:
        assert found.pixels.dtype == np.uint8
        expected = np.round(values * (255 / peak))
        assert np.abs(found.pixels.mean() - expected.mean()) < 3


def packed(path, values, bits):
    """Write a plain grey TIFF of any number of bits."""
    places = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    data = np.packbits(places.reshape(N, -1).astype(np.uint8), axis=1)
    tags = [(256, 3, N), (257, 3, N), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 122),
            (277, 3, 1), (278, 3, N), (279, 4, data.size)]  # fmt: skip
    head = struct.pack("<H", len(tags))
    head += b"".join(struct.pack("<HHII", code, kind, 1, value) for code, kind, value in tags)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + head + bytes(4) + data.tobytes())


def test_white_is_what_the_file_or_the_user_states(tmp_path, denoise):
    values = GREY.astype(np.uint16) * 16
    stated = [(281, 3, 1, 4095, False)]
    tifffile.imwrite(tmp_path / "in" / "stated.tif", values, extratags=stated, metadata=None)
    tifffile.imwrite(tmp_path / "in" / "not.tif", values, metadata=None)
    Image.fromarray(values).save(tmp_path / "in" / "not.png")
    records = denoise(white=4095)
    for name in records:
        found = files.read(tmp_path / "out" / name)
        assert psnr(found.pixels, white=4080) > 37
        assert (found.white == 4095) == (name == "stated.tif")
        assert "doubt" not in records[name]
    records = denoise(refresh=True)
    assert "no value above 4080; if white is less" in records["not.tif"]["doubt"]
    assert "doubt" not in records["stated.tif"]
    records = denoise(refresh=True, white=1000)
    assert "`white` 1000: expected no value above it, found 4080" in records["not.png"]["reason"]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_is_alpha(depth, channels, tmp_path, denoise):
    if channels == 3 and depth < 8:
        pytest.skip("no such PNG")
    peak = 2**depth - 1
    values = np.round(GREY / 255 * peak).astype(np.uint16)
    values[values == 1] = 0
    values[:16] = 1
    rows = np.dstack([values] * channels).reshape(N, -1)
    if depth >= 8:
        data = rows.astype(">u2" if depth == 16 else np.uint8).tobytes()
    else:
        places = (rows[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        data = np.packbits(places.reshape(N, -1).astype(np.uint8), axis=1).tobytes()
    wide = len(data) // N
    lines = b"".join(b"\0" + data[at * wide : (at + 1) * wide] for at in range(N))
    header = struct.pack(">IIBBBBB", N, N, depth, 0 if channels == 1 else 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"tRNS", struct.pack(f">{channels}H", *[1] * channels)),
             (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]  # fmt: skip
    content = b"".join(png_chunks.chunk(*part) for part in parts)
    (tmp_path / "in" / "a.png").write_bytes(png_chunks.SIGNATURE + content)
    denoise()
    found = files.read(tmp_path / "out" / "a.png")
    full = 65535 if depth == 16 else 255
    assert found.alpha is not None
    assert np.array_equal(found.alpha, np.where(values == 1, 0, full))


def test_what_colours_mean_stays_and_is_named_where_it_cannot(tmp_path, denoise):
    chunks = (
        (b"gAMA", struct.pack(">I", 100000)), (b"cHRM", struct.pack(">8I", *range(8))),
        (b"cICP", bytes([9, 16, 0, 1])), (b"sBIT", b"\5\6\5"), (b"mDCV", bytes(24)),
    )  # fmt: skip
    for dtype, name in ((RGB, "a.png"), (np.dstack([DEEP] * 3), "b.png")):
        files.write(tmp_path / "in" / name, Picture(dtype, colour=chunks))
    denoise()
    for name in ("a.png", "b.png"):
        with (tmp_path / "out" / name).open("rb") as file:
            assert dict(png_chunks.read_colour(file)) == dict(chunks)
        with Image.open(tmp_path / "out" / name) as image:
            image.load()  # other programs read on
    records = denoise(form="tiff")
    assert records["a.png"]["lost"] == ["colour chunks gAMA, cHRM, cICP, sBIT, mDCV"]


def test_xmp_iptc_and_comment_reach_every_form(tmp_path, denoise):
    xmp, iptc = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', b"\x1c\x02\x19\0\x08keywordA"
    extra = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0"
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "JPEG", comment=b"scan 12", xmp=xmp)
    data = buffer.getvalue()
    segment = b"\xff\xed" + struct.pack(">H", len(extra) + 2) + extra
    (tmp_path / "in" / "a.jpg").write_bytes(data[:2] + segment + data[2:])
    for form, suffix in (("auto", ".png"), ("tiff", ".tif"), ("same", ".jpg"), ("webp", ".webp")):
        record = denoise(form=form)["a.jpg"]
        found = files.read(tmp_path / "out" / f"a{suffix}")
        assert found.xmp == xmp
        if form == "webp":
            assert record["lost"] == ["IPTC", "comment"]
        else:
            assert found.iptc == iptc
            assert "lost" not in record
    with Image.open(tmp_path / "out" / "a.jpg") as image:
        assert image.info["comment"] == b"scan 12"
    with tifffile.TiffFile(tmp_path / "out" / "a.tif") as file:
        assert file.pages.first.description == "scan 12"


def test_all_that_pillow_reads_is_listed(tmp_path, denoise):
    colour = Image.fromarray(np.dstack([GREY, GREY.T, GREY]))
    for name, form in (("a.jfif", "JPEG"), ("b.jpe", "JPEG"), ("c.tga", "TGA"), ("e.avif", "AVIF")):
        colour.save(tmp_path / "in" / name, form)
    colour.save(tmp_path / "in" / "d.jp2", "JPEG2000")
    records = denoise()
    assert {name: record["output"] for name, record in records.items()} == {
        "a.jfif": "a.png", "b.jpe": "b.png", "c.tga": "c.tga", "d.jp2": "d.png", "e.avif": "e.png"
    }  # fmt: skip
    for record in records.values():
        found = files.read(tmp_path / "out" / record["output"]).pixels
        assert found.shape == (N, N, 3)
        assert psnr(found[..., 0]) > 26
    records = denoise(form="same", refresh=True)
    assert ".avif is read and not written" in records["e.avif"]["reason"]


@pytest.mark.parametrize(("form", "suffix"), [("avif", ".avif"), ("jpeg2k", ".jp2")])
def test_deep_avif_and_jpeg_2000_keep_their_depth(form, suffix, tmp_path):
    import imagecodecs

    deep = np.dstack([DEEP >> 6] * 3)  # 10 bits
    options = {"bitspersample": 10} | ({"level": 100} if form == "avif" else {"codecformat": "jp2"})
    data = getattr(imagecodecs, f"{form}_encode")(deep, **options)
    (tmp_path / f"a{suffix}").write_bytes(data)
    found = files.read(tmp_path / f"a{suffix}")
    assert (found.pixels.dtype, found.white) == (np.uint16, 1023)
    assert np.abs(found.pixels.astype(int) - deep).max() < 8


@pytest.mark.parametrize("hidden", [(0, 0, 0), (200, 30, 90)])
def test_what_lies_under_transparent_pixels_decides_nothing(hidden, tmp_path, denoise):
    alpha = np.full((N, N), 255, np.uint8)
    alpha[:24] = 0
    pixels = RGB.copy()
    pixels[:24] = hidden
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "in" / "a.png")
    nothing = np.dstack([RGB, np.zeros_like(alpha)])
    Image.fromarray(nothing).save(tmp_path / "in" / "nothing.png")
    records = denoise()
    found = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert (found[:24, :, :3] == hidden).all()
    assert np.array_equal(found[..., 3], alpha)
    assert (found[24:, :, 0] == found[24:, :, 1]).all()
    assert psnr(found[24:, :, 0], CLEAN[24:]) > 36
    assert "no_data" not in records["a.png"]
    assert records["nothing.png"]["status"] == "done"
