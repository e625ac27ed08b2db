import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.images import decode, files, png_chunks
from restore.images.picture import Picture, join
from restore.images.png_chunks import SIGNATURE, chunk
from tests.restore.samples import ICC, RNG, exif, picture


def same(a, b):
    assert a.pixels.dtype == b.pixels.dtype
    assert np.array_equal(a.pixels, b.pixels)
    assert (a.alpha is None) == (b.alpha is None)
    if a.alpha is not None:
        assert np.array_equal(a.alpha, b.alpha)


LOSSLESS = [
    (suffix, dtype, channels, alpha)
    for suffix, dtypes, alphas in [
        (".png", (np.uint8, np.uint16), (False, True)),
        (".tif", (np.uint8, np.uint16, np.float32), (False, True)),
        (".bmp", (np.uint8,), (False,)),
        (".webp", (np.uint8,), (False,)),
        (".pgm", (np.uint8, np.uint16), (False,)),
    ]
    for dtype in dtypes
    for channels in (1, 3)
    for alpha in alphas
    # WebP knows colour only.
    if not (suffix == ".webp" and channels == 1)
]


@pytest.mark.parametrize(("suffix", "dtype", "channels", "alpha"), LOSSLESS)
def test_written_and_read_again_is_the_same(suffix, dtype, channels, alpha, tmp_path):
    suffix = ".ppm" if suffix == ".pgm" and channels == 3 else suffix
    before = picture(dtype, channels, alpha)
    files.write(tmp_path / f"a{suffix}", before)
    same(files.read(tmp_path / f"a{suffix}"), before)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_webp_keeps_colour_under_full_transparency(tmp_path):
    before = picture(alpha=True)
    before.alpha[:] = 0
    files.write(tmp_path / "a.webp", before)
    same(files.read(tmp_path / "a.webp"), before)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_profile_and_resolution_stay(suffix, dtype, tmp_path):
    if dtype == np.uint16 and suffix in (".jpg", ".webp"):
        pytest.skip("8 bit only")
    files.write(tmp_path / f"a{suffix}", picture(dtype, icc=ICC, dpi=(300.0, 150.0)))
    after = files.read(tmp_path / f"a{suffix}")
    assert after.icc == ICC
    if suffix != ".webp":  # which has no place for it but EXIF
        assert after.dpi == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_is_applied_once_and_the_rest_of_exif_stays(suffix, order, value, tmp_path):
    plain = picture().pixels
    Image.fromarray(plain).save(
        tmp_path / f"a{suffix}", exif=b"Exif\0\0" + exif(value, order), lossless=True, quality=100
    )
    first = files.read(tmp_path / f"a{suffix}")
    assert first.exif == exif(1, order)
    with Image.open(tmp_path / f"a{suffix}") as stored:
        stored.load()
        flips = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_270,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90,
        }
        turned = stored.transpose(flips[value]) if value > 1 else stored
        assert np.array_equal(first.pixels, np.asarray(turned))
    files.write(tmp_path / "b.png", first)
    second = files.read(tmp_path / "b.png")
    same(second, first)
    assert second.exif == first.exif


def test_palette_bilevel_and_transparent_colour_are_resolved(tmp_path):
    colours = RNG.integers(0, 256, (9, 9, 3), dtype=np.uint8) // 128 * 255
    palette = Image.fromarray(colours).quantize(8)
    palette.save(tmp_path / "p.png")
    found = files.read(tmp_path / "p.png")
    assert np.array_equal(found.pixels, colours)
    assert (found.mode, found.alpha) == ("P", None)
    palette.save(tmp_path / "t.png", transparency=palette.getpixel((0, 0)))
    found = files.read(tmp_path / "t.png")
    assert found.alpha is not None
    assert found.alpha[0, 0] == 0
    assert found.alpha.max() == 255
    Image.fromarray(colours[..., 0]).convert("1").save(tmp_path / "b.png")
    assert np.array_equal(files.read(tmp_path / "b.png").pixels, colours[..., 0])


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    found = files.read(tmp_path / "a.jpg")
    assert (found.mode, found.pixels.shape) == ("CMYK", (8, 8, 3))
    assert found.pixels[0, 0] == pytest.approx([255, 0, 0], abs=3)


def test_format_is_told_by_content(tmp_path):
    Image.fromarray(picture().pixels).save(tmp_path / "a.png", format="BMP")
    assert files.read(tmp_path / "a.png").format == "BMP"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"", "the file is empty"),
        ("a.png", b"just some text", "expected PNG, JPEG, .* found something else"),
        ("a.gif", b"GIF89a" + b"\0" * 20, "found GIF"),
        ("a.png", png_chunks.SIGNATURE, "a.png"),
        ("a.tif", b"II*\0\x08\0\0\0", "damaged or cut short"),
    ],
)
def test_what_is_no_image_is_one_line(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RestoreError, match=message) as error:
        files.read(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(RestoreError, match="cannot be read"):
        files.read(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [(s, np.uint8, 3) for s in (".png", ".jpg", ".tif", ".bmp", ".webp", ".ppm")]
    + [(".png", np.uint16, c) for c in (1, 3)]
    + [(".tif", np.uint16, 3), (".tif", np.float32, 1), (".pgm", np.uint16, 1)],
)
def test_a_file_cut_at_half_is_refused(suffix, dtype, channels, tmp_path):
    path = tmp_path / f"a{suffix}"
    files.write(path, picture(dtype, channels))
    data = path.read_bytes()
    for share in (0.3, 0.6, 0.95):
        path.write_bytes(data[: int(len(data) * share)])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(RestoreError, match="a\\" + suffix):
                files.read(path)


def test_animations_are_refused(tmp_path):
    frames = [Image.fromarray(picture().pixels) for _ in range(3)]
    for suffix in (".png", ".webp"):
        frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
        with pytest.raises(RestoreError, match="expected a still image, found 3 frames"):
            files.read(tmp_path / f"a{suffix}")


def test_values_that_are_not_finite_are_refused(tmp_path):
    broken = picture(np.float32, 1)
    broken.pixels[2, 3] = np.nan
    broken.pixels[4, 5] = np.inf
    files.write(tmp_path / "a.tif", broken)
    with pytest.raises(RestoreError, match="found 2 NaN or infinite"):
        files.read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("a.jpg", {"dtype": np.uint16}, "JPEG cannot hold uint16"),
        ("a.png", {"dtype": np.float32}, "PNG cannot hold float32"),
        ("a.jpg", {"alpha": True}, "JPEG cannot hold alpha"),
        ("a.ppm", {"alpha": True}, "PPM cannot hold alpha"),
        ("a.xyz", {}, "expected one of .bmp"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(name, kind, message, tmp_path):
    with pytest.raises(RestoreError, match=message):
        files.write(tmp_path / name, picture(**kind))
    assert not list(tmp_path.iterdir())


def test_wrong_arrays_are_refused():
    with pytest.raises(RestoreError, match="uint8, uint16 or float32, got float64"):
        Picture(np.zeros((3, 3)))
    with pytest.raises(RestoreError, match="expected pixels"):
        Picture(np.zeros((3, 3, 4), np.uint8))
    with pytest.raises(RestoreError, match="expected alpha"):
        Picture(np.zeros((3, 3), np.uint8), np.zeros((3, 4), np.uint8))


def test_as_uint8_scales_and_rounds():
    values = np.array([[0, 128, 129, 257, 65535]], np.uint16)
    assert files.as_uint8(Picture(values)).tolist() == [[0, 0, 1, 1, 255]]
    with pytest.raises(RestoreError, match="found float32"):
        files.as_uint8(picture(np.float32))


def test_one_pixel_and_long_thin_images(tmp_path):
    for shape in ((1, 1), (20000, 1), (1, 20000, 3)):
        files.write(tmp_path / "a.png", Picture(np.ones(shape, np.uint16)))
        assert files.read(tmp_path / "a.png").pixels.shape == shape


def test_pillows_size_limit_does_not_apply(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    files.write(tmp_path / "a.png", picture())
    assert files.read(tmp_path / "a.png").pixels.shape == (13, 17, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("RGBA", 4), ("LA", 2)])
def test_large_colour_moves_through_a_file(mode, channels, tmp_path, monkeypatch):
    values = RNG.integers(0, 256, (70, 33, channels)).astype(np.uint8)
    Image.fromarray(values, mode).save(tmp_path / "large.png")
    plain = files.read(tmp_path / "large.png")
    moved = []
    spooled = decode._spooled
    monkeypatch.setattr(decode, "_SPOOLED", 1000)
    monkeypatch.setattr(decode, "_STRIP", 100)
    monkeypatch.setattr(decode, "_spooled", lambda image: moved.append(1) or spooled(image))
    large = files.read(tmp_path / "large.png")
    assert moved == [1]
    assert np.array_equal(large.pixels, plain.pixels)
    assert np.array_equal(join(large), values)
    monkeypatch.setattr(decode, "_disk", lambda: 0)
    assert np.array_equal(files.read(tmp_path / "large.png").pixels, plain.pixels)
    assert moved == [1]  # without room on the disk it is copied in memory


def png_of(width, height, rows, depth=8, kind=0, interlaced=0):
    """A PNG that states more rows than its data, of zeros, hold bytes for."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    line = b"\0" + bytes([200] * ((width * channels * depth + 7) // 8))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(range(768 // 3)) * 3) if kind == 3 else b""
    data = chunk(b"IDAT", zlib.compress(line * rows))
    return SIGNATURE + chunk(b"IHDR", header) + palette + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6])
@pytest.mark.parametrize("depth", [8, 16])
def test_png_with_fewer_rows_than_it_states_is_refused(tmp_path, kind, depth):
    if kind == 3 and depth == 16:
        pytest.skip("a palette has 8 bits at most")
    path = tmp_path / "short.png"
    path.write_bytes(png_of(40, 100, 17, depth, kind))
    with pytest.raises(RestoreError, match=r"short\.png: the file ends before its last row"):
        files.read(path)
    path.write_bytes(png_of(40, 100, 100, depth, kind))
    assert files.read(path).pixels.shape[:2] == (100, 40)


def test_interlaced_png_is_counted_by_its_passes(tmp_path):
    path = tmp_path / "i.png"
    sizes = [(1, 1), (1, 1), (1, 1), (1, 3), (2, 2), (1, 5)]  # rows and columns of each pass
    body = b"".join((b"\0" + bytes([9] * width)) * rows for rows, width in sizes)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 1))

    def written(data):
        path.write_bytes(
            SIGNATURE + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
        )

    written(body)
    with Image.open(path) as image:
        image.load()
    assert (files.read(path).pixels == 9).all()
    written(body[:-6])
    with pytest.raises(RestoreError, match="ends before its last row"):
        files.read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", png_of(23, 8_000_000, 17)),
        ("bomb.bmp", b"BM" + bytes(8) + b"\x36\0\0\0\x28\0\0\0" + (23).to_bytes(4, "little")
         + (268_000_000).to_bytes(4, "little") + b"\x01\0\x18\0" + bytes(100)),
        ("bomb.pgm", b"P5 100000 100000 65535\n" + bytes(100)),
    ],
)  # fmt: skip
def test_bomb_is_refused_by_its_header(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RestoreError, match=rf"{name}: expected at most \d+ times .* that states"):
        files.read_pages(path)


def test_tiff_bomb_is_refused_by_its_header(tmp_path):
    import tifffile

    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, np.zeros((100, 23), np.uint8), compression="zlib", rowsperstrip=100)
    data = bytearray(path.read_bytes())
    for tag in (257, 278):  # rows, also of a strip
        at = data.index(struct.pack("<HH", tag, 4))
        data[at + 8 : at + 12] = struct.pack("<I", 268_000_000)
    path.write_bytes(data)
    with pytest.raises(RestoreError, match=r"bomb\.tif: expected at most 1032 times"):
        files.read_pages(path)


@pytest.mark.parametrize(("suffix", "how"), [("tif", {"compression": "group4"}), ("png", {})])
def test_blank_scans_of_one_bit_are_read(tmp_path, monkeypatch, suffix, how):
    from engine import memory

    monkeypatch.setattr(memory, "FLOOR", 2**20)
    path = tmp_path / f"scan.{suffix}"
    image = Image.new("1", (4000, 4000), 1)
    image.putpixel((5, 6), 0)
    image.save(path, **how)
    assert path.stat().st_size < 2**24 / 1032  # of 16 MB in memory
    (page,) = files.read_pages(path)
    assert page.pixels.shape == (4000, 4000)
    assert int((page.pixels == 0).sum()) == 1


def test_what_memory_cannot_hold_is_refused(tmp_path, monkeypatch):
    from engine import memory

    path = tmp_path / "large.tif"
    files.write_image(path, np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8))
    monkeypatch.setattr(memory, "FLOOR", 1000)
    monkeypatch.setattr(memory, "free_on_host", lambda: 2000)
    with pytest.raises(RestoreError, match=r"large\.tif: expected at most the 2 KiB of memory"):
        files.read_pages(path)


def test_full_disk_is_no_fault_of_the_format(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(RestoreError, match=r"a\.webp: cannot be written \(No space left"):
        files.write_image(tmp_path / "a.webp", np.zeros((4, 4), np.uint8))
