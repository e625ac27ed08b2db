"""Pixels without data: found in all words that files have for them, and left as they are."""

import numpy as np
import pytest

from restore.images import gaps

LOWEST = float(np.finfo(np.float32).min)
RNG = np.random.default_rng(0)


def holed(value, dtype=np.float32, shape=(40, 50)):
    pixels = (RNG.random(shape) * 200 + 1).astype(dtype)
    pixels[5:15, 20:30] = value
    return pixels


@pytest.mark.parametrize(
    ("value", "stated"),
    [
        (-9999, -9999.0), (-9999, None), (-32768, None), (0, 0.0), (255, 255.0), (1e20, 1e20),
        (LOWEST, None), (LOWEST, -3.40282e38), (-LOWEST, None), (9.96921e36, None),
        (np.nan, None), (np.nan, np.nan), (np.nan, -9999.0), (np.inf, None), (-np.inf, -1e300),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_floats_without_data_are_found(value, stated, shape):
    found = gaps.find(holed(value, shape=shape), stated)
    assert found is not None
    assert found.count == 100
    assert found.where[5:15, 20:30].all()
    assert (found.guess is not None) == (stated is None and value in (-9999, -32768))


def test_whole_numbers_have_none_but_those_that_are_stated():
    for dtype in (np.uint8, np.uint16):
        pixels = holed(0, dtype)
        assert gaps.find(pixels) is None
        for never in (-9999.0, 0.5, 70000.0, float("nan")):
            assert gaps.find(pixels, never) is None
        found = gaps.find(pixels, 0.0)
        assert found is not None
        assert found.count == 100


def test_a_dark_colour_is_no_gap_but_black_that_is_stated_is():
    pixels = holed(0, np.uint8, (40, 50, 3))
    pixels[30, 30, 0] = 0
    found = gaps.find(pixels, 0.0)
    assert found is not None
    assert found.count == 100


def test_values_near_a_sentinel_are_data():
    pixels = holed(-9999)
    pixels[0, 0] = -9000  # a depth of the sea, and no sentinel is stated
    assert gaps.find(pixels) is None
    assert gaps.find(holed(-42)) is None


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_gaps_are_filled_by_values_of_their_row_and_put_back(shape):
    pixels = holed(np.nan, shape=shape)
    pixels[20:22] = np.nan  # whole rows
    before = pixels.copy()
    found = gaps.find(pixels)
    assert found is not None
    gaps.fill(pixels, found.where)
    assert np.isfinite(pixels).all()
    assert np.isin(pixels[5:15], before[5:15][~found.where[5:15]]).all()
    np.testing.assert_array_equal(pixels[10, 20:25], before[10, 18:13:-1])  # mirrored
    found.restore(pixels)
    np.testing.assert_array_equal(pixels, before)


def test_nothing_but_gaps_stays_as_it_is():
    pixels = np.full((4, 5), np.nan, np.float32)
    found = gaps.find(pixels)
    assert found is not None
    gaps.fill(pixels, found.where)
    assert np.isnan(pixels).all()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-9999", -9999),
        (b"-9999\0", -9999),
        (" 0 ", 0),
        ("-3.40282e+38", -3.40282e38),
        ("no", None),
    ],
)
def test_the_tag_is_a_text(text, value):
    assert gaps.stated(text) == value
