"""Noise-whitened components: the least noisy first, whatever the units, rows and labels are."""

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.features.components import ComponentsFile, load_components
from hsi.features.mnf import fit_mnf
from hsi.scenes import spectra
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene


def noise_of(cube):
    """Return half the covariance of the differences of neighbours."""
    flat = [np.diff(cube, axis=axis).reshape(-1, cube.shape[2]) for axis in (0, 1)]
    steps = np.concatenate(flat)
    return steps.T @ steps / len(steps) / 2


def test_noise_is_white_and_components_are_uncorrelated_in_descending_order(scene):
    mnf = fit_mnf(scene, 16, whiten=False)
    cube = scene.cube.astype(float)
    noise = mnf.components @ noise_of(cube) @ mnf.components.T
    assert noise == pytest.approx(np.eye(16), abs=1e-8)
    found = mnf.unscaled(cube, np.ones(scene.shape, bool)).reshape(-1, 16)
    covariance = np.cov(found.T)
    variances = np.diag(covariance)
    assert covariance == pytest.approx(np.diag(variances), abs=1e-6 * variances[0])
    assert (np.diff(variances) <= 0).all()


def test_a_noisy_band_comes_last_however_large_its_numbers_are():
    rng = np.random.default_rng(0)
    rows, columns = np.indices((40, 30))
    field = np.sin(rows / 9) + np.cos(columns / 7)
    cube = np.stack([field, 3 * field, 1e6 * rng.normal(size=field.shape)], axis=-1)
    cube[..., :2] += 0.05 * rng.normal(size=(40, 30, 2))
    first = fit_mnf(Scene("x", cube), 1).reduce(Scene("x", cube))[..., 0]
    assert abs(np.corrcoef(first.ravel(), field.ravel())[0, 1]) > 0.99


def test_units_of_bands_do_not_count(scene):
    factors = np.geomspace(1e-3, 1e3, 16)
    other = Scene("x", scene.cube * factors)
    one, two = (fit_mnf(held, 5).reduce(held) for held in (scene, other))
    assert np.abs(two) == pytest.approx(np.abs(one), abs=1e-4)  # signs go by the largest entry


def test_blocks_change_nothing(scene, monkeypatch):
    whole = fit_mnf(scene, 4)
    monkeypatch.setattr(spectra, "READ_BYTES", 27 * 16 * 8 * 7)
    assert fit_mnf(scene, 4).components == pytest.approx(whole.components, abs=1e-9)


def test_pixels_without_data_stay_out(scene):
    cube = scene.cube.astype(np.float32)
    hole = np.concatenate([cube, np.full((3, *cube.shape[1:]), np.nan, np.float32)])
    hole[-1] = 0
    one, two = fit_mnf(scene, 4), fit_mnf(Scene("x", hole), 4)
    assert two.mean == pytest.approx(one.mean)
    assert two.components == pytest.approx(one.components, abs=1e-9)
    assert (two.reduce(Scene("x", hole))[-3:] == 0).all()


def test_whitened_components_have_deviation_one_here_and_in_another_scene(scene):
    mnf = fit_mnf(scene, 4)
    assert mnf.reduce(scene).std(axis=(0, 1), ddof=1) == pytest.approx(np.ones(4), abs=1e-4)
    other = Scene("other", 2 * scene.cube.astype(float) + 5)
    moved = mnf.refitted(other, Bands(mnf.bands))
    found = moved.reduce(other)
    assert found.mean(axis=(0, 1)) == pytest.approx(np.zeros(4), abs=1e-4)
    assert found.std(axis=(0, 1), ddof=1) == pytest.approx(np.ones(4), abs=1e-4)


def test_a_file_keeps_them(scene, tmp_path):
    mnf = fit_mnf(scene, 3)
    ComponentsFile(mnf.reduce(scene), mnf, scene.name, scene.checksum()).save(tmp_path / "m.npz")
    found = load_components(tmp_path / "m.npz")
    assert found.pca.checksum() == mnf.checksum()


@pytest.mark.parametrize(
    ("cube", "count", "message"),
    [
        (np.ones((4, 4, 3)), 4, "expected 1 to 3, the usable bands, found 4"),
        (np.ones((4, 4, 3)), 2, "expected neighbouring pixels that differ"),
        (np.full((4, 4, 3), np.nan), 2, "NaN or infinite"),
    ],
)
def test_what_it_cannot_fit(cube, count, message):
    with pytest.raises(HsiError, match=message):
        fit_mnf(Scene("x", cube), count)
