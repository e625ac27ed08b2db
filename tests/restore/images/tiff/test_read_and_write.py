import numpy as np
import pytest
import tifffile
from PIL import Image

from restore.errors import RestoreError
from restore.images import files
from restore.images.picture import Picture

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 65536, (11, 14), dtype=np.uint16)
COLOUR = RNG.integers(0, 256, (11, 14, 3), dtype=np.uint8)


def test_pages_stay_pages(tmp_path):
    pages = [Picture(GREY), Picture(COLOUR), Picture(GREY[:5].astype(np.float32))]
    files.write_pages(tmp_path / "a.tif", pages)
    found = files.read_pages(tmp_path / "a.tif")
    assert len(found) == 3
    for before, after in zip(pages, found, strict=True):
        assert np.array_equal(before.pixels, after.pixels)
    with pytest.raises(RestoreError, match="expected one image, found 3 pages"):
        files.read(tmp_path / "a.tif")
    with pytest.raises(RestoreError, match="only TIFF holds several pages"):
        files.write_pages(tmp_path / "a.png", pages)


def test_tags_stay(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        GREY,
        metadata=None,
        description="a scan",
        software="scanner 1",
        extratags=[
            (315, 2, 0, "an artist", True),
            (33550, 12, 3, (0.5, 0.5, 0.0), True),
            (42113, 2, 0, "-9999", True),
        ],
    )
    files.write(tmp_path / "b.tif", files.read(tmp_path / "a.tif"))
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        tags = {tag.code: tag.value for tag in file.pages[0].tags.values()}
    assert (tags[270], tags[305], tags[315]) == ("a scan", "scanner 1", "an artist")
    assert tags[33550] == (0.5, 0.5, 0.0)
    assert tags[42113] == "-9999"


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("value", [2, 3, 4, 5, 6, 7, 8])
def test_orientation_is_applied_once(value, compression, square, tmp_path):
    pixels = COLOUR[: min(COLOUR.shape[:2]), : min(COLOUR.shape[:2])] if square else COLOUR
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression=compression, tiffinfo={274: value})
    turned = {
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.swapaxes(0, 1),
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(pixels),
    }[value]
    found = files.read(tmp_path / "a.tif")
    assert np.array_equal(found.pixels, turned)
    files.write(tmp_path / "b.tif", found)
    assert np.array_equal(files.read(tmp_path / "b.tif").pixels, turned)


def test_texts_are_utf8_and_xmp_follows_the_pixels(tmp_path):
    xmp = b"<x tiff:Orientation='6'/>"
    tags = [
        (274, 3, 1, 6, True), (315, 2, 0, "Zoë µm".encode(), True), (700, 1, len(xmp), xmp, True),
        (50838, 4, 2, (8, 8), True), (50839, 1, 4, b"abcd", True),
    ]  # fmt: skip
    tifffile.imwrite(tmp_path / "a.tif", GREY, extratags=tags, metadata=None)
    files.write(tmp_path / "b.tif", files.read(tmp_path / "a.tif"))
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        kept = {tag.code: tag.value for tag in file.pages[0].tags.values()}
    assert kept[315] == "Zoë µm"
    assert kept[700] == b"<x tiff:Orientation='1'/>"
    assert not {50838, 50839} & set(kept)


def test_the_profile_of_inks_goes_with_them(tmp_path):
    inks = np.zeros((4, 5, 4), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated", iccprofile=b"inks")
    found = files.read(tmp_path / "a.tif")
    assert (found.pixels == 255).all()
    assert found.icc is None


def test_planes_one_after_the_other(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.moveaxis(COLOUR, -1, 0),
        photometric="rgb",
        planarconfig="separate",
        metadata=None,
    )
    assert np.array_equal(files.read(tmp_path / "a.tif").pixels, COLOUR)


def test_white_as_zero_is_turned_over(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="miniswhite")
    assert np.array_equal(files.read(tmp_path / "a.tif").pixels, 65535 - GREY)


@pytest.mark.parametrize("kind", ["unassalpha", "unspecified"])
def test_white_as_zero_leaves_alpha_and_further_samples(kind, tmp_path):
    samples = np.dstack([GREY, GREY[::-1]])
    tifffile.imwrite(
        tmp_path / "a.tif", samples, photometric="miniswhite", extrasamples=[kind],
        planarconfig="contig",
    )  # fmt: skip
    found = files.read(tmp_path / "a.tif")
    assert np.array_equal(found.pixels, 65535 - GREY)
    other = found.alpha if kind == "unassalpha" else found.further[0]
    assert np.array_equal(other, GREY[::-1])


def test_alpha_beside_inks_is_kept(tmp_path):
    inks = RNG.integers(0, 256, (6, 7, 4), dtype=np.uint8)
    alpha = RNG.integers(0, 256, (6, 7), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    tifffile.imwrite(
        tmp_path / "b.tif", np.dstack([inks, alpha]), photometric="separated",
        extrasamples=["unassalpha"],
    )  # fmt: skip
    found = files.read(tmp_path / "b.tif")
    assert np.array_equal(found.pixels, files.read(tmp_path / "a.tif").pixels)
    assert np.array_equal(found.alpha, alpha)


@pytest.mark.parametrize("code", [281, 341])
def test_white_is_stated_in_either_tag(code, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY >> 4, extratags=[(code, 3, 1, 4095, True)])
    found = files.read(tmp_path / "a.tif")
    assert found.white == 4095
    files.write(tmp_path / "b.tif", found)
    assert files.read(tmp_path / "b.tif").white == 4095


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_multiplied_with_alpha_are_divided(dtype, tmp_path):
    alpha = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max)
    straight = np.array([[[0.8, 0.4, 0.2, 0.5], [0.3, 0.2, 0.1, 1.0], [0, 0, 0, 0]]]) * alpha
    stored = straight.copy()
    stored[..., :3] *= straight[..., 3:] / alpha
    stored = stored.astype(dtype)
    tifffile.imwrite(tmp_path / "in.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    page = files.read(tmp_path / "in.tif")
    assert page.alpha is not None
    assert np.array_equal(page.alpha, stored[..., 3])
    np.testing.assert_allclose(page.pixels / alpha, straight[..., :3] / alpha, atol=0.01)
    files.write(tmp_path / "out.tif", page)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert [int(kind) for kind in file.pages.first.extrasamples] == [2]
        assert np.array_equal(file.asarray()[..., :3], page.pixels)


def test_palette(tmp_path):
    indices = RNG.integers(0, 4, (6, 7), dtype=np.uint8)
    colours = RNG.integers(0, 256, (3, 256), dtype=np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colours)
    expected = np.moveaxis(colours // 257, 0, -1)[indices]
    assert np.array_equal(files.read(tmp_path / "a.tif").pixels, expected)
    finer = colours // 2  # of more than 8 bits
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=finer)
    found = files.read(tmp_path / "a.tif").pixels
    assert found.dtype == np.uint16
    assert np.array_equal(found, np.moveaxis(finer, 0, -1)[indices])


def test_big_endian(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, byteorder=">")
    found = files.read(tmp_path / "a.tif").pixels
    assert found.dtype == np.uint16
    assert np.array_equal(found, GREY)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("pixels", [COLOUR, COLOUR[..., 0], GREY], ids=["rgb", "grey", "grey16"])
def test_compressions_that_people_use(compression, pixels, tmp_path):
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression=compression)
    assert np.array_equal(files.read(tmp_path / "a.tif").pixels, pixels)


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.float64])
def test_depths_that_would_be_lost_are_refused(dtype, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 4), dtype))
    with pytest.raises(RestoreError, match=r"expected samples of up to 16 bit .* found"):
        files.read(tmp_path / "a.tif")


def test_samples_beyond_colours_are_planes_of_their_own(tmp_path):
    values = RNG.integers(0, 256, (8, 9, 7), dtype=np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="minisblack", planarconfig="contig", metadata=None
    )
    found = files.read(tmp_path / "a.tif")
    assert np.array_equal(np.dstack(found.planes), values)
    files.write(tmp_path / "b.tif", found)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert np.array_equal(file.asarray(), values)
        assert [int(kind) for kind in file.pages.first.extrasamples] == [0] * 6
    with pytest.raises(RestoreError, match="PNG cannot hold 6 more than grey or RGB; write a TIFF"):
        files.write(tmp_path / "b.png", found)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "packbits", "lerc"])
@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "float32", "int8", "int16", "uint32", "int32", "float64"]
)
def test_sample_formats_are_checked_whatever_decodes_them(dtype, byteorder, compression, tmp_path):
    if compression == "lerc" and byteorder == ">":
        pytest.skip("LERC has an order of its own")
    values = (RNG.random((12, 13, 3)) * 100).astype(dtype)
    tifffile.imwrite(
        tmp_path / "a.tif", values, byteorder=byteorder, compression=compression, photometric="rgb"
    )
    if dtype in ("uint8", "uint16", "float32"):
        assert np.array_equal(files.read(tmp_path / "a.tif").pixels, values)
        data = (tmp_path / "a.tif").read_bytes()
        (tmp_path / "a.tif").write_bytes(data[: len(data) - 100])
        with pytest.raises(RestoreError, match="damaged or cut short"):
            files.read(tmp_path / "a.tif")
    else:
        with pytest.raises(RestoreError, match=f"found {8 * values.itemsize}-bit"):
            files.read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("pixels", "options", "shape"),
    [
        (GREY, {}, (11, 14)),
        (np.stack([GREY, GREY[::-1]]), {"photometric": "minisblack"}, (2, 11, 14)),
        (COLOUR, {"photometric": "rgb"}, (11, 14, 3)),
        (COLOUR, {"photometric": "rgb", "extratags": [(274, 3, 1, 6, True)]}, (14, 11, 3)),
        (
            np.moveaxis(COLOUR, 2, 0),
            {"photometric": "rgb", "planarconfig": "separate"},
            (11, 14, 3),
        ),
        (
            COLOUR[..., 0],
            {"photometric": "palette", "colormap": np.tile(np.arange(256, dtype="u2"), (3, 1))},
            (11, 14, 3),
        ),
    ],
)  # fmt: skip
def test_what_tifffile_says_of_the_axes_stays_true(tmp_path, caplog, pixels, options, shape):
    tifffile.imwrite(tmp_path / "a.tif", np.ascontiguousarray(pixels), **options)
    files.write_pages(tmp_path / "b.tif", files.read_pages(tmp_path / "a.tif"))
    assert tifffile.imread(tmp_path / "b.tif").shape == shape
    assert files.read_pages(tmp_path / "b.tif")
    assert not caplog.records
