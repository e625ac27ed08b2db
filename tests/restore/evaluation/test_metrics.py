import numpy as np
import pytest

from restore.errors import RestoreError
from restore.evaluation import metrics


def test_psnr_of_a_known_error():
    target = np.zeros((4, 6))
    assert metrics.psnr(target, target + 255, white=255) == pytest.approx(0)
    assert metrics.psnr(target, target + 2.55, white=255) == pytest.approx(40)
    assert metrics.psnr(target, target) == float("inf")


def test_border_is_left_out():
    target, estimate = np.zeros((20, 30)), np.zeros((20, 30))
    estimate[:3] = 99
    estimate[5, 5] = 255
    assert metrics.psnr(target, estimate, 3, white=255) == pytest.approx(10 * np.log10(14 * 24))


def test_colour_is_one_mean_over_all_channels():
    target = np.zeros((4, 4, 3))
    estimate = target.copy()
    estimate[..., 0] = 255
    assert metrics.psnr(target, estimate, white=255) == pytest.approx(10 * np.log10(3))


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


CLEAN = np.random.default_rng(2).uniform(0.1, 0.9, (32, 40))
NOISY = CLEAN + np.random.default_rng(3).normal(0, 0.02, CLEAN.shape)


def scaled(values, dtype, white):
    values = values * white
    return (values if np.dtype(dtype).kind == "f" else np.rint(values)).astype(dtype)


@pytest.mark.parametrize("score", [metrics.psnr, metrics.ssim])
@pytest.mark.parametrize(
    ("dtype", "white"),
    [(np.uint8, 255), (np.uint16, 65535), (">u2", 65535)]
    + [(dtype, white) for dtype in (np.float32, np.float64) for white in (1, 255, 65535)],
)
def test_scores_hang_on_no_scale(score, dtype, white):
    expected = score(255 * CLEAN, 255 * NOISY, white=255)
    within = 0.1 if dtype == np.uint8 else 0.001
    clean, noisy = scaled(CLEAN, dtype, white), scaled(NOISY, dtype, white)
    assert score(clean, noisy) == pytest.approx(expected, abs=within)
    if np.dtype(dtype).kind == "u":  # an estimate in floats, on the same scale
        assert score(clean, noisy.astype(np.float32)) == pytest.approx(expected, abs=within)
        assert score(clean.astype(np.float32), noisy) == pytest.approx(expected, abs=within)


def test_a_black_image_is_scored_by_its_type():
    black = np.zeros((4, 4), np.uint8)
    assert metrics.psnr(black, black + np.float32(2.55)) == pytest.approx(40)
    assert metrics.psnr(black + np.uint8(200), black.astype(np.float32)) < 3


@pytest.mark.parametrize("score", [metrics.psnr, metrics.ssim])
@pytest.mark.parametrize(
    ("target", "estimate", "message"),
    [
        (scaled(CLEAN, np.uint8, 255), scaled(NOISY, np.uint16, 65535), "of one type"),
        (scaled(CLEAN, np.uint8, 255), scaled(NOISY, np.float32, 1), "on one scale"),
        (scaled(CLEAN, np.float32, 1), scaled(NOISY, np.uint8, 255), "on one scale"),
        (scaled(CLEAN, np.uint16, 65535), scaled(NOISY, np.float32, 255), "on one scale"),
        (scaled(CLEAN, np.float32, 1), scaled(NOISY, np.float32, 255), "on one scale"),
        (scaled(CLEAN, np.float32, 255), scaled(NOISY, np.float32, 1), "on one scale"),
        (CLEAN > 0.5, CLEAN > 0.5, "`target`: expected an array of uint8.*found bool"),
        (CLEAN, NOISY.astype(int), "`estimate`: .* found int64"),
        (CLEAN, NOISY.tolist(), "`estimate`: .* found list"),
        (np.ma.masked_less(CLEAN, 0.2), NOISY, "`target`: expected a plain array, found a masked"),
        (CLEAN, np.where(NOISY > 0.8, np.nan, NOISY), "`estimate`: expected finite values, found"),
    ],
)
def test_images_without_a_common_scale_are_refused(score, target, estimate, message):
    with pytest.raises(RestoreError, match=message) as error:
        score(target, estimate)
    assert "\n" not in str(error.value)
