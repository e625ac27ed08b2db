import numpy as np
import pytest
from sklearn.decomposition import PCA as Reference

from hsi.errors import HsiError
from hsi.features.components import ComponentsFile, load_components
from hsi.features.pca import fit_pca
from hsi.scenes import spectra
from hsi.scenes.scene import Scene


@pytest.mark.parametrize("whiten", [True, False])
def test_equals_scikit_learn_up_to_sign(scene, whiten):
    pca = fit_pca(scene, 5, whiten=whiten)
    flat = scene.cube.reshape(-1, scene.cube.shape[2]).astype(float)
    expected = Reference(5, whiten=whiten, svd_solver="full").fit_transform(flat)
    found = pca.reduce(scene).reshape(-1, 5)
    assert np.abs(np.abs(found) - np.abs(expected)).max() < 1e-5 * np.abs(expected).max()


def test_sign_is_fixed(scene):
    components = fit_pca(scene, 4).components
    assert (components[np.arange(4), np.abs(components).argmax(axis=1)] > 0).all()


def test_blocks_change_nothing(scene, monkeypatch):
    whole = fit_pca(scene, 4)
    monkeypatch.setattr(spectra, "READ_BYTES", 27 * 16 * 8 * 7)
    blocked = fit_pca(scene, 4)
    assert blocked.components == pytest.approx(whole.components, abs=1e-9)
    assert blocked.reduce(scene) == pytest.approx(whole.reduce(scene), abs=1e-5)


def test_training_pixels_alone(scene):
    training = np.zeros(scene.shape, bool)
    training[:, :9] = True
    pca = fit_pca(scene, 3, training=training)
    assert pca.mean == pytest.approx(scene.cube[:, :9].reshape(-1, 16).mean(axis=0))
    assert pca.fitted_on == "training pixels"
    assert fit_pca(scene, 3).fitted_on == "all pixels"


def test_bad_bands_do_not_go_in(scene):
    bad = np.zeros(16, bool)
    bad[3] = True
    wild = scene.cube.copy()
    wild[..., 3] = 65_000
    pca = fit_pca(Scene("x", wild, bad_bands=bad), 4)
    assert 3 not in pca.bands


@pytest.mark.parametrize(
    ("cube", "count", "message"),
    [
        (np.ones((4, 4, 3)), 4, "expected 1 to 3, the usable bands, found 4"),
        (np.ones((4, 4, 3)), 2, "expected 2 directions that vary, found"),
        (np.full((4, 4, 3), np.nan), 2, "NaN or infinite"),
        (np.ones((1, 2, 3)), 2, "2 components need more than 2 pixels"),
    ],
)
def test_what_cannot_be_reduced_is_refused(cube, count, message):
    with pytest.raises(HsiError, match=message):
        fit_pca(Scene("x", cube), count)


def test_reduced_file_round_trip(tmp_path, scene):
    pca = fit_pca(scene, 4)
    ComponentsFile(pca.reduce(scene), pca, scene.name, scene.checksum()).save(tmp_path / "r.npz")
    again = load_components(tmp_path / "r.npz")
    assert np.array_equal(again.cube, pca.reduce(scene))
    assert again.pca.checksum() == pca.checksum()
    again.check_fits(scene)
    other = Scene("other", scene.cube + 1)
    with pytest.raises(HsiError, match="expected the components of other, found those of Stripes"):
        again.check_fits(other)
