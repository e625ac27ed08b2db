"""Scenes in blocks are classified as in one piece."""

from pathlib import Path

import numpy as np
import pytest

from engine.training.checkpoint import Checkpoint
from hsi.classifiers.model import make_classifier
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.schedules import WindowSchedule
from hsi.features.components import ComponentsFile
from hsi.features.pca import fit_pca
from hsi.maps.blocks import classify_whole
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split

SMALL = {"hidden": "8,6", "dropout": "0"}
NETWORKS = {
    "cnn2d": {},
    "hybridsn": {},
    "se-hybridsn": {"reduction": "2"},
    "averaged": {"average": "true"},
}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request, tmp_path_factory, scene, labels, cpu):
    name = "cnn2d" if request.param == "averaged" else request.param
    made = make_classifier(name, window=9, components=13, settings=SMALL | NETWORKS[request.param])
    split = make_split(labels, "random:0.1", seed=0, window=9)
    with Checkpoint(tmp_path_factory.mktemp("x") / "model", {}) as checkpoint:
        schedule = WindowSchedule("x", 20, 16, learning_rate=5e-3)
        made.fit(Training(scene, labels, split, 0, schedule, cpu, checkpoint))
    return made


@pytest.mark.parametrize("block", [5, 8, 13, 26])
def test_blocked_equals_unblocked(network, block, scene, cpu):
    whole = classify_whole(network, scene, Application(cpu, 100, probabilities=True))
    blocked = classify_whole(network, scene, Application(cpu, block, probabilities=True))
    assert len(np.unique(whole.indices)) > 1
    assert np.array_equal(blocked.indices, whole.indices)
    assert blocked.probabilities == pytest.approx(whole.probabilities, abs=1e-5)


def test_what_holds_no_data_has_no_class_and_is_seen_as_beyond_the_border(network, scene, cpu):
    # The left part of the scene is gone: the rest is as if it ended there.
    cut = 9
    cube = scene.cube.astype(np.float32)
    cube[:, :cut] = np.nan
    cube[5, cut] = 0
    gone = Scene("gone", cube)
    found = classify_whole(network, gone, Application(cpu, 7, probabilities=True))
    assert (found.indices[:, :cut] == -1).all()
    assert found.indices[5, cut] == -1
    assert (found.probabilities[5, cut] == 0).all()
    assert (found.numbers(np.array([1, 2, 7]))[:, :cut] == 0).all()
    rest = classify_whole(network, Scene("rest", cube[:, cut:]), Application(cpu, 100))
    assert np.array_equal(found.indices[:, cut:], rest.indices)


def test_prepared_components_know_where_there_are_no_data(scene, network, cpu):
    cube = scene.cube.copy()
    cube[3:6, 4] = 0
    holed = Scene("holed", cube)
    reduced = ComponentsFile(network.pca.reduce(holed), network.pca, "holed", holed.checksum())
    one = classify_whole(network, holed, Application(cpu, 7, reduced=reduced)).indices
    assert (one[3:6, 4] == -1).all()
    assert np.array_equal(one, classify_whole(network, holed, Application(cpu, 11)).indices)


def test_components_are_fitted_where_there_are_data(scene):
    cube = np.concatenate([scene.cube.astype(np.float32), np.full((4, 27, 16), np.nan)], axis=0)
    cube[-1] = 0
    one, two = fit_pca(scene, 4), fit_pca(Scene("x", cube), 4)
    assert two.mean == pytest.approx(one.mean)
    assert two.components == pytest.approx(one.components, abs=1e-9)
    assert (two.reduce(Scene("x", cube))[-4:] == 0).all()


@pytest.mark.parametrize("name", ["svm", "boxmean-svm", "forest", "coordinates"])
def test_controls_leave_out_what_holds_no_data(name, scene, labels, cpu, monkeypatch):
    monkeypatch.setattr(
        "hsi.classifiers.spectral.Forest.choose", lambda _, seed: {"trees": 5, "seed": seed}
    )
    made = make_classifier(name)
    split = make_split(labels, "random:0.1", seed=0)
    checkpoint = Checkpoint(Path("unused"), {})
    made.fit(Training(scene, labels, split, 0, WindowSchedule("x", 1, 1), cpu, checkpoint))
    cube = scene.cube.astype(np.float32)
    cube[4:8, 3:9] = np.nan
    holed = Scene("holed", cube)
    found = classify_whole(made, holed, Application(cpu, 6)).indices
    assert np.array_equal(found == -1, np.isnan(cube[..., 0]))
    assert np.array_equal(found, classify_whole(made, holed, Application(cpu, 50)).indices)


@pytest.mark.parametrize("name", ["svm", "boxmean-svm", "cnn2d"])
def test_refitted_scaling_undoes_gain_and_offset(name, scene, labels, cpu, tmp_path):
    options = {"window": 9, "components": 5, "settings": SMALL} if name == "cnn2d" else {}
    made = make_classifier(name, **options)
    split = make_split(labels, "random:0.2", seed=0, window=9)
    with Checkpoint(tmp_path / "model", {}) as checkpoint:
        made.fit(Training(scene, labels, split, 0, WindowSchedule("x", 5, 16), cpu, checkpoint))
    brighter = Scene("brighter", scene.cube * 3.0 + 500)
    bands = Bands(made.bands)
    made.refit_scaling(scene, bands)
    before = classify_whole(made, scene, Application(cpu)).indices
    made.refit_scaling(brighter, bands)
    assert np.array_equal(classify_whole(made, brighter, Application(cpu)).indices, before)
