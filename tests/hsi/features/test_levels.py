"""A scene in other units than those of the training is not mapped without a word."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.train import train
from hsi.features.levels import levels, warn_of_other_units
from hsi.maps.blocks import predict
from hsi.maps.classify import classify
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split

ALL = Bands(np.arange(3))
OTHER = "these are other units, and the map means nothing"


def scene_of(level, **stated):
    rng = np.random.default_rng(0)
    return Scene("land", (level * rng.uniform(0.5, 1.5, (40, 9, 3))).astype(np.float32), **stated)


def test_the_level_is_that_of_pixels_with_data():
    scene = scene_of(2000.0)
    assert levels(scene, ALL)["level"] == pytest.approx(2000, rel=0.05)
    cube = np.array(scene.cube)
    cube[:, 3:] = -9999
    found = levels(replace(scene, cube=cube, ignore_value=-9999.0), ALL)
    assert found == {"level": pytest.approx(2000, rel=0.1), "scale": None, "offset": None}
    pixels = np.zeros((40, 9), bool)
    pixels[39, 8] = True
    one = levels(scene, ALL, pixels)["level"]
    assert one == pytest.approx(float(np.median(scene.cube[39, 8])))
    nothing = Scene("none", np.zeros((4, 4, 3)))
    assert levels(nothing, ALL)["level"] is None
    warn_of_other_units(nothing, ALL, levels(scene, ALL), "land")


@pytest.mark.parametrize(
    ("trained", "other", "said"),
    [
        ((2000.0, {}), (0.2, {}), OTHER),
        ((0.2, {}), (2000.0, {}), OTHER),
        ((0.2, {}), (20.0, {}), OTHER),  # per cent
        ((2000.0, {}), (150.0, {}), None),  # water, shadow
        ((2000.0, {"scale": 1e-4}), (2000.0, {"scale": 1e-4}), None),
        ((2000.0, {"scale": 1e-4}), (2000.0, {}), None),
        ((2000.0, {}), (200.0, {"scale": 10.0}), "the scale of 10 that only land states"),
        ((200.0, {"scale": 10.0}), (2000.0, {}), "would bring them together: bring both"),
        ((2000.0, {}), (200.0, {"scale": 1e-4}), None),
        ((2000.0, {"scale": 1e-4}), (300.0, {"scale": 1e-3}), "it states scale 0.001"),
        ((2000.0, {"scale": 1e-4}), (2000.0, {"scale": 1e-4, "offset": 0.1}), "states offset 0.1"),
    ],
)
def test_other_units_are_told(caplog, trained, other, said):
    one, two = (
        scene_of(level, **{key: np.full(3, value) for key, value in stated.items()})
        for level, stated in (trained, other)
    )
    warn_of_other_units(two, ALL, levels(one, ALL), "land")
    assert (said in caplog.text) if said else not caplog.text


@pytest.mark.parametrize("name", ["svm", "forest", "best"])
def test_a_map_in_other_units_is_told(tmp_path, scene, labels, cpu, caplog, name):
    split = make_split(labels, "random:0.3", window=9)
    path = tmp_path / "model.safetensors"
    train(make_classifier(name), scene, labels, split, path, compute=cpu)
    caplog.set_level(logging.WARNING)
    small = replace(scene, cube=np.asarray(scene.cube) / 1e4)
    classify(scene, path, tmp_path / "same.npy", compute=cpu)
    predict(scene, path, compute=cpu)
    classify(small, path, tmp_path / "refitted.npy", compute=cpu, refit_scaling=True)
    assert OTHER not in caplog.text
    classify(small, path, tmp_path / "small.npy", compute=cpu)
    assert caplog.text.count(OTHER) == 1
    predict(small, load_model(path), compute=cpu)
    assert caplog.text.count(OTHER) == 2
