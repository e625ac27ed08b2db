"""The value of white, and values on 0..1 brought back to the file's type."""

import numpy as np
import pytest

from restore.denoising.levels import doubt, planes, stored, white


def test_a_highlight_is_no_white():
    pixels = np.random.default_rng(0).random((50, 50), np.float32)
    pixels[3, 4] = 3
    assert white(pixels) == 1
    assert doubt(pixels) == "1 was taken for white, with values up to 3"
    assert white(np.float32([[0, 1, 1, 200]] + [[1] * 4] * 200)) == 255  # whole numbers
    assert doubt(np.float32([[0, 1.5]])) == ""


def test_white_of_floats_leaves_room_for_noise():
    values = [0.9, 1.4, 255.0, 310.0, 4095.0, 70000.0, 1e6]
    found = [white(np.array([[value]], np.float32)) for value in values]
    assert found == [1, 1, 255, 255, 65535, 65535, 1e6]
    assert white(np.zeros((1, 1), np.uint16)) == 65535


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_to_the_networks_scale_and_back_changes_nothing(dtype):
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, 3)).astype(dtype)
    peak = white(pixels)
    values = planes(pixels, peak)  # (3, 5, 7)
    assert values.dtype == np.float32
    assert values.max() <= 1
    back = stored(values.transpose(1, 2, 0), pixels.dtype, peak)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, pixels, rtol=1e-6)


def test_whole_numbers_are_rounded_and_cut_off_at_the_ends():
    values = np.float32([-0.1, 0.4, 0.6, 255.4, 300]) / np.float32(255)
    assert stored(values, np.dtype(np.uint8), 255).tolist() == [0, 0, 1, 255, 255]
