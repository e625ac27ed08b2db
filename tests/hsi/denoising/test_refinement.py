"""The subspace that denoised components show, against the true one."""

import numpy as np
import pytest

from engine.tiling import Tiling
from hsi.denoising.blocks import HALO
from hsi.denoising.denoise import load_denoiser
from hsi.denoising.fit import SPARE, fit
from hsi.denoising.options import DenoiseOptions
from hsi.denoising.refinement import refined
from hsi.scenes.scene import Scene
from tests.hsi.denoising.cubes import clean_cube

NOISE = 0.15


@pytest.fixture(scope="module")
def case():
    """A noisy scene of few pixels, its first model, and the true directions."""
    clean = clean_cube(48, 40, 60, kinds=5)
    noisy = clean + np.random.default_rng(0).normal(0, NOISE, clean.shape)
    scene = Scene("few", noisy.astype(np.float32))
    spectra = clean.reshape(-1, 60)
    return scene, fit(scene, DenoiseOptions()), spectra - spectra.mean(axis=0)


def lost(subspace, true):
    """Return the power of the true signal, in units of the noise, that the directions miss."""
    white = true / subspace.sigma
    return np.square(white - white @ subspace.basis @ subspace.basis.T).sum(axis=1).mean()


def test_denoised_components_show_the_subspace_better(case):
    scene, first, true = case
    assert first.to_refine
    model = load_denoiser("cpu", "float32")
    tiling = Tiling(scene.shape, (48, 48), HALO)
    found = refined(scene, first, model, tiling, all_components=False)
    assert found.estimate is not None
    parts = refined(scene, first, model, Tiling(scene.shape, (30, 20), HALO), all_components=False)
    assert parts.estimate is None
    assert np.allclose(abs(parts.subspace.basis), abs(found.subspace.basis), atol=1e-4)
    assert found.subspace.components <= first.subspace.components
    count = found.subspace.components
    again = refined(scene, first, model, tiling, all_components=True)
    assert again.subspace.components == first.subspace.components
    held = fit(scene, DenoiseOptions(components=count)).subspace
    assert lost(found.subspace, true) < 0.9 * lost(held, true)
    basis = found.subspace.basis
    assert np.allclose(basis.T @ basis, np.eye(count), atol=1e-9)


def test_spare_components_are_held_only_where_they_are_looked_at_again():
    noisy = clean_cube(80, 80, 8) + np.random.default_rng(0).normal(0, NOISE, (80, 80, 8))
    many, few = (Scene("s", noisy[:rows]) for rows in (80, 20))
    assert not fit(many, DenoiseOptions()).to_refine
    assert fit(few, DenoiseOptions()).to_refine
    given = fit(few, DenoiseOptions(components=3))
    assert given.subspace.components == 3
    assert SPARE > 0
