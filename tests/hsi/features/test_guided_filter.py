"""The guided filter equals a ridge regression in every box, done one by one."""

import numpy as np
import pytest

from hsi.features.guided_filter import guided_filter


def by_hand(values, guide, radius, epsilon):
    """Regress in every box, and average the functions of the boxes that hold a pixel."""
    height, width, count = values.shape
    valid = ~np.isnan(guide[..., 0])
    lines = np.full((height, width, guide.shape[2] + 1, count), np.nan)

    def box(i, j):
        return (
            slice(max(i - radius, 0), i + radius + 1),
            slice(max(j - radius, 0), j + radius + 1),
        )

    for i, j in np.argwhere(valid):
        held = valid[box(i, j)]
        x, y = guide[box(i, j)][held], values[box(i, j)][held]
        dx, dy = x - x.mean(0), y - y.mean(0)
        slope = np.linalg.solve(
            dx.T @ dx / len(x) + epsilon * np.eye(x.shape[1]), dx.T @ dy / len(x)
        )
        lines[i, j, 1:], lines[i, j, 0] = slope, y.mean(0) - x.mean(0) @ slope
    found = np.full(values.shape, np.nan)
    for i, j in np.argwhere(valid):
        mean = lines[box(i, j)][valid[box(i, j)]].mean(0)
        found[i, j] = mean[0] + guide[i, j] @ mean[1:]
    return found


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("hole", [False, True])
def test_equals_regression_box_by_box(channels, hole):
    rng = np.random.default_rng(0)
    values, guide = rng.random((11, 9, 4)), rng.normal(size=(11, 9, channels))
    if hole:
        guide[2:5, 3:8] = np.nan
    expected = by_hand(values, guide, 2, 0.1)
    assert guided_filter(values, guide, 2, 0.1) == pytest.approx(expected, abs=1e-10, nan_ok=True)


def test_an_edge_of_the_guide_stays_and_noise_goes():
    rng = np.random.default_rng(0)
    edge = np.where(np.arange(40) < 20, 0.0, 1.0) * np.ones((40, 1))
    noisy = (edge + 0.2 * rng.normal(size=edge.shape))[..., None]
    found = guided_filter(noisy, edge[..., None], 5, 1e-4)[..., 0]
    assert np.abs(found - edge).mean() < 0.05
