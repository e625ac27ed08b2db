"""What a classifier gets beyond all numbers is told, and is not the first class."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.training.checkpoint import Checkpoint
from hsi.classifiers.model import make_classifier
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.schedules import schedule
from hsi.errors import HsiError
from hsi.maps.blocks import classify_whole
from hsi.splits.split import make_split

SAID = "expected finite scores, found NaN or infinite ones; give a scene in the units"


@pytest.fixture(scope="module")
def training(scene, labels, cpu):
    split = make_split(labels, "random:0.1", seed=0)
    checkpoint = Checkpoint(Path("unused"), {})
    return Training(scene, labels, split, 0, schedule("demo", 2), cpu, checkpoint)


@pytest.mark.parametrize("average", [False, True])
def test_of_a_network(training, cpu, tmp_path, average):
    made = make_classifier("cnn2d", window=9, components=5, settings={"average": average})
    made.fit(replace(training, checkpoint=Checkpoint(tmp_path / "kept", {})))
    classify_whole(made, training.scene, Application(cpu))
    with torch.no_grad():
        for weights in made.network.parameters():
            weights.fill_(3e38)
    with pytest.raises(HsiError, match=f"cnn2d: {SAID}"):
        classify_whole(made, training.scene, Application(cpu))


@pytest.mark.parametrize("name", ["svm", "best"])
def test_of_spectra(training, cpu, name):
    made = make_classifier(name)
    made.fit(training)
    brighter = replace(training.scene, cube=training.scene.cube.astype("f8") * 1e200)
    with pytest.raises(HsiError, match=f"{name}: {SAID}"):
        classify_whole(made, brighter, Application(cpu))
