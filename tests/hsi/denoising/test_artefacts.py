"""Stripes, dead lines and impulses are seen where they are, and mended."""

import numpy as np
import pytest

from hsi.degradations.degradation import degrade
from hsi.denoising import robust
from hsi.denoising.denoise import denoise
from hsi.denoising.fit import fit
from hsi.denoising.options import DenoiseOptions
from hsi.scenes.scene import Scene
from tests.hsi.denoising.cubes import clean_cube, psnr

CLEAN = clean_cube(80, 70, 36)


def made(degradation):
    return Scene("made", degrade(Scene("made", CLEAN), degradation, seed=3).cube[:])


@pytest.mark.parametrize(
    ("case", "seen", "gain"),
    [("mixed:2", "stripes", 0.3), ("mixed:3", "dead lines", 3), ("mixed:4", "impulses", 0.5),
     ("mixed:5", "impulses", 3)],
)  # fmt: skip
def test_each_is_seen_and_mending_it_helps(case, seen, gain):
    scene = made(case)
    assert seen in str(fit(scene, DenoiseOptions()).artefacts)
    off = {"stripes": "off", "dead_lines": "off", "impulses": "off"}
    mended, plain = denoise(scene, device="cpu").cube, denoise(scene, device="cpu", **off).cube
    assert psnr(mended, CLEAN) > psnr(plain, CLEAN) + gain


@pytest.mark.parametrize("case", ["gaussian:25", "bandwise:10-70"])
def test_noise_alone_is_no_artefact(case):
    assert not fit(made(case), DenoiseOptions()).artefacts


def test_a_clean_scene_has_none():
    assert not fit(Scene("clean", CLEAN), DenoiseOptions()).artefacts


def test_noisy_and_absorbed_bands_are_restored_from_the_others():
    rng = np.random.default_rng(0)
    sigma = np.where(np.arange(36) % 9 == 4, 0.5, 0.03)
    cube = CLEAN.copy()
    cube[..., 17:19] *= 0.01
    noisy = cube + rng.normal(0, 1, cube.shape) * sigma
    found = denoise(Scene("made", noisy), device="cpu").cube
    error = np.sqrt(np.square(found - cube).mean(axis=(0, 1)))
    assert (error < sigma / 2).all()
    assert (error[sigma > 0.1] < 0.05).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_model_does_not_fit_noise_where_most_values_of_many_bands_are_wrong(seed):
    rng = np.random.default_rng(seed)
    sample = rng.normal(size=(2500, 3)) @ rng.normal(size=(3, 90)) * 0.1 + 0.5
    sigma = rng.uniform(0.05, 0.3, 90)
    sample += rng.normal(size=sample.shape) * sigma
    struck = rng.random(sample.shape) < np.where(np.arange(90) % 3, 0, 0.65)
    sample[struck] = np.where(rng.random(struck.sum()) < 0.5, 0, 1)
    model, wrong, spikes = robust.fit(sample.astype(np.float32))
    assert set(spikes) == set(range(0, 90, 3))
    assert (wrong >= struck).all()
    assert model.components <= 6
    assert np.abs(model.sigma / sigma - 1).max() < 0.3
