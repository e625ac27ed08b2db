import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.images import decode, files
from restore.images.picture import Picture, join
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
    ("name", "kind", "message"),
    [
        ("a.jpg", {"dtype": np.uint16}, "JPEG cannot hold uint16"),
        ("a.png", {"dtype": np.float32}, r"PNG cannot hold float32 pixels; write a TIFF$"),
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


def test_full_disk_is_no_fault_of_the_format(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(RestoreError, match=r"a\.webp: cannot be written \(No space left"):
        files.write_image(tmp_path / "a.webp", np.zeros((4, 4), np.uint8))
