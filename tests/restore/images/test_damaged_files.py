"""Files that are damaged, cut short or too large are refused in one line."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.images import files, png_chunks
from restore.images.png_chunks import SIGNATURE, chunk
from tests.restore.samples import picture


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
