"""The value of white, and values on 0..1 brought back to the file's type."""

import numpy as np
import pytest

from restore.denoising.levels import doubt, measure, planes, stored, white


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


SCENE = np.linspace(0, 1, 64, dtype=np.float32)[:, None] * np.ones((1, 64), np.float32)
NOISE = np.random.default_rng(0).normal(0, 1, SCENE.shape).astype(np.float32)


@pytest.mark.parametrize(("low", "high"), [(-0.6, 0.6), (-1, 1), (-3, 2), (-20, -10), (-100, 200)])
def test_floats_of_which_many_lie_below_0_are_lifted(low, high):
    pixels = low + (high - low) * SCENE + NOISE * (high - low) * 0.02
    found = measure(pixels)
    assert found.black == pytest.approx(low, abs=0.05 * (high - low))
    assert found.white >= 0.9 * (high - low)
    assert found.white * found.sigma / 255 == pytest.approx(0.02 * (high - low), rel=0.3)
    assert "was taken for black" in found.doubt
    stated = measure(pixels, stated=high + 1)
    assert stated.black == found.black
    assert stated.white == pytest.approx(high + 1 - found.black)
    assert stated.doubt == ""


@pytest.mark.parametrize("sigma", [0, 5, 25, 50])
def test_noise_below_black_is_no_other_black(sigma):
    dark = SCENE**4 + NOISE * np.float32(sigma / 255)
    found = measure(dark)
    assert (found.black, found.white, found.doubt) == (0, 1, "")
    assert measure(dark * 255).white == 255
    assert measure(np.uint8([[0, 255]] * 9)).black == 0


@pytest.mark.parametrize("size", [1, 7, 64])
def test_one_value_below_0_has_no_range(size):
    flat = np.full((size, size), -5, np.float32)
    assert (measure(flat).black, measure(flat).white) == (0, 1)
    flat[0, 0] = 3
    assert measure(flat).white > 0


def test_floats_far_below_1_reach_white_themselves():
    found = measure((SCENE + 0.02 * NOISE) * np.float32(0.001))
    assert found.white == pytest.approx(0.001, rel=0.1)
    assert found.sigma == pytest.approx(0.02 * 255, rel=0.3)
    assert "was taken for white, with no value above 0.001" in found.doubt
    assert measure(SCENE * np.float32(0.001), stated=1.0).white == 1
    spot = np.zeros((40, 40), np.float32)
    spot[3, 4] = 0.001
    assert white(spot) == pytest.approx(0.001)
    assert white(np.zeros((4, 4), np.float32)) == 1
