"""The noise of an image is told about right, whatever its depth and size."""

import numpy as np
import pytest

from restore.denoising import noise_level
from restore.denoising.noise_level import estimate
from restore.images import files

RNG = np.random.default_rng(0)


def scene(height=321, width=481):
    """A smooth image with an edge."""
    y, x = np.mgrid[:height, :width]
    return 128 + 60 * np.sin(x / 40) * np.cos(y / 60) + 20 * (x > y)


@pytest.mark.parametrize("sigma", [1, 5, 15, 25, 50])
def test_white_noise_on_a_smooth_image(sigma):
    noisy = scene() + sigma * RNG.standard_normal((321, 481))
    eight = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    assert estimate(noisy, 255) == pytest.approx(sigma, rel=0.1, abs=0.3)
    assert estimate(eight, 255) == pytest.approx(sigma, rel=0.12, abs=0.4)
    deep = np.clip(np.rint(noisy * 257), 0, 65535).astype(np.uint16)
    assert estimate(deep, 65535) == pytest.approx(sigma, rel=0.12, abs=0.3)


def test_colour_is_the_mean_of_its_channels():
    noisy = scene()[..., None] + 10 * RNG.standard_normal((321, 481, 3))
    assert estimate(noisy, 255) == pytest.approx(10, rel=0.1)


def test_black_bars_do_not_count():
    noisy = np.clip(scene() + 20 * RNG.standard_normal((321, 481)), 0, 255)
    noisy[:100] = 0
    assert estimate(np.rint(noisy).astype(np.uint8), 255) == pytest.approx(20, rel=0.15)


def test_a_large_image_is_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr(noise_level, "WINDOW", 96)
    noisy = scene() + 12 * RNG.standard_normal((321, 481))
    assert len(noise_level.windows(noisy)) == 9
    assert estimate(noisy, 255) == pytest.approx(12, rel=0.1)


@pytest.mark.parametrize("shape", [(40, 40), (9, 300), (8, 8), (20000, 9)])
def test_small_and_thin_images(shape):
    found = estimate(128 + 20 * RNG.standard_normal(shape), 255)
    assert found == pytest.approx(20, rel=0.6)


def test_too_little_to_tell():
    assert np.isnan(estimate(np.zeros((7, 100)), 255))
    assert estimate(np.zeros((64, 64), np.uint8), 255) == 0


@pytest.mark.reference
@pytest.mark.parametrize(("sigma", "off", "spread"), [(10, 1.2, 1.6), (25, 0.8, 1.4)])
def test_photographs(shared_data, sigma, off, spread):
    errors = []
    for path in sorted((shared_data / "images" / "BSD68").iterdir())[::6]:
        image = files.read(path).pixels
        noisy = np.clip(np.rint(image + sigma * RNG.standard_normal(image.shape)), 0, 255)
        errors.append(estimate(noisy.astype(np.uint8), 255) - sigma)
    assert abs(np.mean(errors)) < off
    assert np.std(errors) < spread
