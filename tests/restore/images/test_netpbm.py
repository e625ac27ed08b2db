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


def test_8_bits_are_left_to_pillow():
    assert not netpbm.is_deep(written(np.zeros((2, 2), np.uint8)))
    assert not netpbm.is_deep(b"P5")


def test_a_cut_file_is_refused(tmp_path):
    data = written(np.zeros((4, 4), np.uint16))
    (tmp_path / "a.pgm").write_bytes(data[:-1])
    with pytest.raises(RestoreError, match="damaged or cut short"):
        files.read(tmp_path / "a.pgm")
