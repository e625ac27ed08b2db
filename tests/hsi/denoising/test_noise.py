"""The noise of each band, and how many components stand out of it."""

import numpy as np
import pytest

from hsi.denoising import noise, statistics, subspace
from hsi.scenes.scene import Scene
from tests.hsi.denoising.cubes import clean_cube


def gathered(cube, valid=None):
    valid = np.ones(cube.shape[:2], bool) if valid is None else valid

    def read(rows):
        return cube[rows].astype(np.float32), valid[rows]

    return statistics.gather(Scene("made", cube), cube.shape[2], read)


def test_noise_is_estimated_within_a_tenth():
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.02, 0.3, 40)
    cube = clean_cube(90, 80, 40) + rng.normal(0, 1, (90, 80, 40)) * sigma
    found = gathered(cube)
    estimated = noise.estimate(found.covariance, found.pixels)
    assert (np.abs(estimated / sigma - 1) < 0.1).mean() >= 0.95
    chosen = subspace.choose(found, estimated)
    assert 2 <= chosen.components <= 5


def test_statistics_are_those_of_the_valid_pixels(monkeypatch):
    cube = clean_cube(40, 30, 8) + np.random.default_rng(0).normal(50, 0.1, (40, 30, 8))
    valid = np.ones((40, 30), bool)
    valid[5:9, 7] = False
    whole = gathered(cube, valid)
    held = cube[valid]
    assert np.allclose(whole.mean, held.mean(axis=0))
    assert np.allclose(whole.covariance, np.cov(held.T, bias=True), atol=1e-6)
    assert np.allclose(
        whole.rows.means, np.nanmean(np.where(valid[..., None], cube, np.nan), axis=1)
    )
    variances = np.nanvar(np.where(valid[..., None], cube, np.nan), axis=0)
    assert np.allclose(whole.columns.variances, variances, atol=1e-5)
    monkeypatch.setattr(statistics, "PART_BYTES", 30 * 8 * 8 * 3)
    parts = gathered(cube, valid)
    assert np.allclose(parts.covariance, whole.covariance, atol=1e-9)
    assert np.allclose(parts.smoothed, whole.smoothed, atol=1e-9)
    assert np.array_equal(parts.sample, whole.sample)


def test_white_noise_enters_the_smoothed_covariance_by_its_centre():
    cube = np.random.default_rng(0).normal(0, 2, (200, 200, 6))
    found = gathered(cube)
    assert np.allclose(found.smoothed, 4 * statistics.CENTRE * np.eye(6), atol=0.05)


def test_missing_values_are_what_other_bands_predict():
    cube = clean_cube(40, 40, 20)
    noisy = cube + np.random.default_rng(0).normal(0, 0.01, cube.shape)
    found = gathered(noisy)
    model = subspace.choose(found, noise.estimate(found.covariance, found.pixels))
    missing = np.random.default_rng(1).random((1600, 20)) < 0.2
    broken = np.where(missing, 9, noisy.reshape(-1, 20)).astype(np.float32)
    filled = model.filled(broken, missing)
    assert np.array_equal(filled[~missing], broken[~missing])
    assert np.abs(filled - cube.reshape(-1, 20))[missing].mean() < 0.02


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_nearly_alike_bands_have_finite_noise(share):
    cube = clean_cube(40, 40, 12)
    cube[..., 5] = cube[..., 4] * (1 + share)
    found = gathered(cube)
    estimated = noise.estimate(found.covariance, found.pixels)
    assert np.isfinite(estimated).all()
    assert (estimated > 0).all()
