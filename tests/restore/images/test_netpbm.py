import io

import numpy as np
import pytest

from restore.errors import RestoreError
from restore.images import files, netpbm


def written(pixels):
    file = io.BytesIO()
    netpbm.write(file, pixels)
    return file.getvalue()


def test_header_with_comments_and_a_peak_of_12_bits():
    data = b"P5 # made by hand\n# twice\n3 1\n4095\n" + np.array([0, 2048, 4095], ">u2").tobytes()
    assert netpbm.is_deep(data)
    samples, white = netpbm.read(data)
    assert (samples.tolist(), white) == ([[0, 2048, 4095]], 4095)


def test_white_of_12_bits_is_written_again(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 3 1 4095\n" + np.array([0, 7, 4095], ">u2").tobytes())
    files.write(tmp_path / "b.pgm", files.read(tmp_path / "a.pgm"))
    assert (tmp_path / "b.pgm").read_bytes() == b"P5\n3 1\n4095\n" + bytes([0, 0, 0, 7, 15, 255])
    files.write(tmp_path / "b.png", files.read(tmp_path / "a.pgm"))  # which knows full range alone
    assert files.read(tmp_path / "b.png").pixels.tolist() == [[0, 112, 65535]]


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_16_bits_there_and_back(shape):
    pixels = np.random.default_rng(0).integers(0, 65536, shape, dtype=np.uint16)
    assert np.array_equal(netpbm.read(written(pixels))[0], pixels)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
@pytest.mark.parametrize("peak", [1, 100, 255, 256, 4095, 65535])
@pytest.mark.parametrize("plain", [True, False])
def test_every_largest_value_is_kept_as_it_is(tmp_path, shape, peak, plain):
    dtype = np.uint16 if peak > 255 else np.uint8
    pixels = np.random.default_rng(0).integers(0, peak + 1, shape).astype(dtype)
    name = f"P{(2 if plain else 5) + (len(shape) == 3)}"
    body = " ".join(map(str, pixels.ravel())).encode()
    if not plain:
        body = pixels.astype(f">u{pixels.itemsize}").tobytes()
    path = tmp_path / "a.pnm"
    path.write_bytes(f"{name}\n# a comment\n7 5\n{peak}\n".encode() + body + b"\n")
    found = files.read(path)
    assert found.pixels.dtype == dtype
    assert np.array_equal(found.pixels, pixels)
    assert found.white == (None if peak in (255, 65535) else peak)


@pytest.mark.parametrize("name", ["b.png", "b.bmp", "b.webp"])
def test_formats_without_a_white_of_their_own_get_the_full_range(tmp_path, name):
    (tmp_path / "a.pgm").write_bytes(b"P2 3 1 100 0 60 100")
    found = files.read(tmp_path / "a.pgm")
    files.write(tmp_path / name, found)
    read = files.read(tmp_path / name).pixels
    assert (read if read.ndim == 2 else read[..., 0]).tolist() == [[0, 153, 255]]
    assert files.as_uint8(found).tolist() == [[0, 153, 255]]


@pytest.mark.parametrize("peak", [255, 4095])
@pytest.mark.parametrize("rest", [b"P5 2 1 255\n\1\2", b"P2 2 1 9 1 2", b" 3", b"# a comment\n7"])
@pytest.mark.parametrize("plain", [True, False])
def test_more_behind_the_pixels_is_refused(tmp_path, peak, rest, plain):
    body = b"1 2" if plain else bytes([0, 1] * (1 + (peak > 255)))
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P%d 2 1 %d\n" % (2 if plain else 5, peak) + body + b"\n" + rest)
    with pytest.raises(RestoreError, match=r"a\.pgm: expected one image, found more behind"):
        files.read(path)


@pytest.mark.parametrize("body", [b"", b"\n \n", b"1", b"1 -2", b"1 x"])
def test_plain_pixels_that_are_missing_or_no_numbers_are_refused(tmp_path, body):
    (tmp_path / "a.pgm").write_bytes(b"P2 2 1 255\n" + body)
    with pytest.raises(RestoreError, match="damaged or cut short"):
        files.read(tmp_path / "a.pgm")


def test_a_cut_file_is_refused(tmp_path):
    data = written(np.zeros((4, 4), np.uint16))
    (tmp_path / "a.pgm").write_bytes(data[:-1])
    with pytest.raises(RestoreError, match="damaged or cut short"):
        files.read(tmp_path / "a.pgm")
