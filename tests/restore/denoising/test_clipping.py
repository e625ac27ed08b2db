"""Noise cut off at black and white is put back, in the mean."""

import numpy as np
import pytest

from restore.denoising.clipping import unclip


@pytest.mark.parametrize(("level", "sigma"), [(0, 25), (10, 25), (250, 15), (255, 25)])
def test_the_mean_of_a_cut_level_comes_back(level, sigma):
    noisy = level + sigma * np.random.default_rng(0).standard_normal((200, 200))
    cut = np.clip(noisy, 0, 255).astype(np.float32) / 255
    found = unclip(cut, sigma) * 255
    assert abs(found.mean() - level) < 0.25 * abs(cut.mean() * 255 - level)
    kept = (cut > 0) & (cut < 1)
    assert np.array_equal(unclip(cut, sigma)[kept], cut[kept])


def test_what_has_no_noise_stays():
    flat = np.zeros((20, 20), np.float32)
    flat[:, 10:] = 1
    found = unclip(flat, 25)
    assert np.array_equal(found[:, :8], flat[:, :8])
    assert np.array_equal(found[:, 12:], flat[:, 12:])
    assert np.array_equal(unclip(flat, 0), flat)
