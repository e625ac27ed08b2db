"""Noise cut off at black and white is put back, in the mean."""

import numpy as np
import pytest
from skimage import data

import restore
from restore.denoising.clipping import ends, unclip
from restore.denoising.noise_level import estimate
from restore.denoising.noise_seen import look


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


def test_floats_that_end_at_black_and_white_are_cut_as_whole_numbers_are():
    clean = data.camera()[100:228, 100:228]  # much of it is dark
    noise = np.random.default_rng(0).normal(0, 30, clean.shape)
    whole = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    floats = whole.astype(np.float32) / 255
    beyond = ((clean + noise) / 255).astype(np.float32)
    assert [ends(whole, 255), ends(floats, 1), ends(beyond, 1)] == [True, True, False]
    assert estimate(floats, 1) == pytest.approx(estimate(whole, 255), rel=1e-5)
    seen, told = (look(x, white).recorded() for x, white in ((floats, 1), (whole, 255)))
    assert all(seen[key] == pytest.approx(told[key], rel=1e-2) for key in ("level", "between"))
    one, other = (restore.denoise(x, sigma=30, device="cpu") for x in (whole, floats))
    assert abs(one - 255 * other.clip(0, 1)).max() < 0.51
    assert restore.psnr(clean / 255.0, other.astype(float)) > restore.psnr(clean, whole) + 8
