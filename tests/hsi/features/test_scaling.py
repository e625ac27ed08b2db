"""Mean and deviation in parts are those of all values at once."""

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.features.scaling import mean_and_deviation
from hsi.scenes.scene import Scene

SCENE = Scene("x", np.ones((2, 2, 2)))


def test_parts_are_as_good_as_all_at_once() -> None:
    values = 1e6 + np.random.default_rng(0).normal(size=(50, 3))
    values[:, 1] = 7.0
    parts = [values[:1], values[1:1], values[1:20], values[20:]]
    mean, deviation = mean_and_deviation(parts, SCENE)
    assert mean == pytest.approx(values.mean(axis=0), rel=1e-14)
    assert deviation[[0, 2]] == pytest.approx(values.std(axis=0, ddof=1)[[0, 2]], rel=1e-9)
    assert deviation[1] == 1  # a constant band changes nothing for others


def test_too_few_values_and_constant_ones_are_refused() -> None:
    with pytest.raises(HsiError, match="x: expected pixels with data, found none"):
        mean_and_deviation([np.ones((0, 2)), np.ones((1, 2))], SCENE)
    with pytest.raises(HsiError, match="x: expected bands that vary, found all of them constant"):
        mean_and_deviation([np.ones((3, 2))], SCENE)
