import numpy as np
import pytest

from restore.errors import RestoreError
from restore.evaluation import metrics


def test_psnr_of_a_known_error():
    target = np.zeros((4, 6))
    assert metrics.psnr(target, target + 255) == pytest.approx(0)
    assert metrics.psnr(target, target + 2.55) == pytest.approx(40)
    assert metrics.psnr(target, target) == float("inf")


def test_border_is_left_out():
    target, estimate = np.zeros((20, 30)), np.zeros((20, 30))
    estimate[:3] = 99
    estimate[5, 5] = 255
    assert metrics.psnr(target, estimate, 3) == pytest.approx(10 * np.log10(14 * 24))


def test_colour_is_one_mean_over_all_channels():
    target = np.zeros((4, 4, 3))
    estimate = target.copy()
    estimate[..., 0] = 255
    assert metrics.psnr(target, estimate) == pytest.approx(10 * np.log10(3))


def direct_ssim(x, y):
    """Wang's index with an explicit 11x11 window, at every place where the window fits."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            top = (2 * ma * mb + c1) * (2 * cov + c2)
            values.append(top / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return np.mean(values)


def test_ssim_equals_direct_evaluation():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 255, (18, 23))
    y = np.clip(x + rng.normal(0, 30, x.shape), 0, 255)
    assert metrics.ssim(x, y) == pytest.approx(direct_ssim(x, y), abs=1e-9)
    assert metrics.ssim(x, y, 2) == pytest.approx(direct_ssim(x[2:-2, 2:-2], y[2:-2, 2:-2]))
    assert metrics.ssim(x, x) == pytest.approx(1)


def test_ssim_of_colour_is_the_mean_of_the_channels():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 255, (2, 16, 16, 3))
    single = [metrics.ssim(x[..., c], y[..., c]) for c in range(3)]
    assert metrics.ssim(x, y) == pytest.approx(np.mean(single))


def test_quantise_clips_and_rounds_half_up():
    assert metrics.quantise(np.array([-3, 0.5, 1.5, 2.49, 254.5, 300])).tolist() == [
        0, 1, 2, 2, 255, 255,
    ]  # fmt: skip


def test_wrong_shapes_are_refused():
    with pytest.raises(RestoreError, match="one shape"):
        metrics.psnr(np.zeros((4, 4)), np.zeros((4, 5)))
    with pytest.raises(RestoreError, match="nothing of a 4x4 image is left inside border 2"):
        metrics.psnr(np.zeros((4, 4)), np.zeros((4, 4)), 2)
    with pytest.raises(RestoreError, match="at least 11x11"):
        metrics.ssim(np.zeros((10, 40)), np.zeros((10, 40)))
