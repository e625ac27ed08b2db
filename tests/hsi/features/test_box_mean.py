import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from hsi.features.box_mean import box_mean


def around(values, half=2):
    return np.pad(values, ((half, half), (half, half), (0, 0)), mode="symmetric")


def test_equals_the_filter_of_scipy():
    values = np.random.default_rng(0).normal(size=(9, 7, 3))
    expected = uniform_filter(values, (5, 5, 1), mode="reflect")
    assert box_mean(around(values), 5) == pytest.approx(expected, abs=1e-12)


def test_pixels_without_data_do_not_count():
    values = np.ones((6, 6, 2))
    values[2, 3] = np.nan
    assert (box_mean(around(values), 5) == 1).all()
    assert np.isnan(box_mean(np.full((5, 5, 1), np.nan), 5)).all()
