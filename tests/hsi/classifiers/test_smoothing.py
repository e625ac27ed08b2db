"""Smoothed probabilities: exact in any block, true to a plain implementation, kept in the model."""

from pathlib import Path

import numpy as np
import pytest

from engine.training.checkpoint import Checkpoint
from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.schedules import WindowSchedule
from hsi.classifiers.smoothed import smoothed
from hsi.classifiers.spectral import Forest
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.features.smoothing import Smoothing
from hsi.maps.blocks import classify_whole
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split

KINDS = ["box:2", "guided:2,0.1", "potts:2,3"]
NETWORK = {"window": 9, "components": 5, "settings": {"hidden": "8,6", "dropout": "0"}}


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(Forest, "choose", lambda _, seed: {"trees": 12, "seed": seed})


@pytest.fixture(scope="module")
def holed(scene):
    cube = scene.cube.copy()
    cube[6:9, 4:17] = 0
    return Scene("holed", cube, scene.wavelengths)


def trained(name, smooth, scene, labels, cpu):
    given = NETWORK if name == "cnn2d" else {"settings": {}}
    made = make_classifier(name, **given | {"settings": given["settings"] | {"smooth": smooth}})
    split = make_split(labels, "random:0.1", seed=0, window=9)
    schedule = WindowSchedule("x", 10, 16, learning_rate=5e-3)
    made.fit(Training(scene, labels, split, 0, schedule, cpu, Checkpoint(Path("unused"), {})))
    return made


@pytest.mark.parametrize("smooth", KINDS)
@pytest.mark.parametrize("name", ["forest", "cnn2d"])
def test_blocked_equals_unblocked(name, smooth, scene, holed, labels, cpu):
    made = trained(name, smooth, scene, labels, cpu)
    whole = classify_whole(made, holed, Application(cpu, 100, probabilities=True))
    assert (whole.indices[6:9, 4:17] == -1).all()
    assert (whole.probabilities[6:9, 4:17] == 0).all()
    assert whole.probabilities.sum(axis=-1)[whole.indices >= 0] == pytest.approx(1, abs=1e-5)
    for block in (4, 11):
        found = classify_whole(made, holed, Application(cpu, block, probabilities=True))
        assert np.array_equal(found.indices, whole.indices)
        assert found.probabilities == pytest.approx(whole.probabilities, abs=1e-5)
        assert classify_whole(made, holed, Application(cpu, block)).probabilities is None


def test_a_map_smoothed_afterwards_is_that_of_a_model_that_smooths(scene, labels, cpu):
    made = trained("forest", "guided:2", scene, labels, cpu)
    plain = trained("forest", "box:1", scene, labels, cpu).classifier
    after = smoothed(plain, Smoothing.parse("guided:2"), scene)
    one, two = (classify_whole(held, scene, Application(cpu)).indices for held in (made, after))
    assert np.array_equal(one, two)


def test_the_model_file_keeps_it(scene, labels, cpu, tmp_path):
    split, out = make_split(labels, "random:0.1", seed=0), tmp_path / "forest.safetensors"
    made = make_classifier("forest", settings={"smooth": "guided:3"})
    train(made, scene, labels, split, out, compute=cpu)
    model = load_model(out)
    assert model.description["settings"]["smooth"] == "guided:3,0.01"
    assert model.description["options"] == {"smooth": "guided:3,0.01"}
    one, two = (
        classify_whole(held, scene, Application(cpu)).indices for held in (made, model.classifier)
    )
    assert np.array_equal(one, two)


def test_box_is_the_mean_over_pixels_with_data():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), (6, 7)).astype(np.float32)
    valid = rng.random((6, 7)) > 0.3
    found = Smoothing.parse("box:1").apply(shares, valid)
    for i, j in np.argwhere(valid):
        around = slice(max(i - 1, 0), i + 2), slice(max(j - 1, 0), j + 2)
        assert found[i, j] == pytest.approx(shares[around][valid[around]].mean(axis=0), abs=1e-6)


def test_potts_is_the_mean_field_update_pixel_by_pixel():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), (5, 6)).astype(np.float32)
    valid = np.ones((5, 6), bool)
    valid[1, 2] = False
    current = shares.astype(float)
    for _ in range(2):
        following = current.copy()
        for i, j in np.argwhere(valid):
            near = [
                current[k, m]
                for k in range(max(i - 1, 0), min(i + 2, 5))
                for m in range(max(j - 1, 0), min(j + 2, 6))
                if (k, m) != (i, j) and valid[k, m]
            ]
            weight = shares[i, j] * np.exp(1.5 * np.mean(near, axis=0))
            following[i, j] = weight / weight.sum()
        current = following
    found = Smoothing.parse("potts:1.5,2").apply(shares, valid)
    assert found[valid] == pytest.approx(current[valid], abs=1e-6)


@pytest.mark.parametrize("smooth", KINDS)
def test_a_wrong_pixel_amid_others_follows_them(smooth):
    shares = np.full((9, 9, 2), [0.9, 0.1], np.float32)
    shares[4, 4] = [0.4, 0.6]
    found = Smoothing.parse(smooth).apply(shares, np.ones((9, 9), bool), np.zeros((9, 9, 3)))
    assert found[4, 4].argmax() == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mean:3", "expected box:R, guided:R"),
        ("box", "expected box:R"),
        ("box:0", "expected R from 1 to 64"),
        ("box:2,3", "expected box:R"),
        ("guided:6,0", "expected EPS or BETA from"),
        ("guided:6,nan", "expected EPS or BETA from"),
        ("potts:2,100", "expected ROUNDS from 1 to 64"),
    ],
)
def test_what_it_does_not_understand(text, message):
    with pytest.raises(HsiError, match=message):
        Smoothing.parse(text)


@pytest.mark.parametrize("name", ["svm", "coordinates"])
def test_a_classifier_without_probabilities_has_nothing_to_smooth(name):
    with pytest.raises(HsiError, match=r"`smooth`: .* has none"):
        make_classifier(name, settings={"smooth": "box:2"})
