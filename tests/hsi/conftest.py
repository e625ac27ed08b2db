"""A small synthetic scene that every part of `hsi` can work on in a moment."""

import numpy as np
import pytest
import torch

from engine.device import Compute
from hsi.classifiers.model import make_classifier
from hsi.classifiers.train import train
from hsi.scenes.labels import Labels, make_labels
from hsi.scenes.scene import Scene, write_scene
from hsi.splits.split import make_split

ROWS, COLUMNS, BANDS = 30, 27, 16


@pytest.fixture(scope="session")
def scene() -> Scene:
    """Three stripes of different spectra with noise."""
    rng = np.random.default_rng(5)
    spectra = rng.uniform(1000, 4000, (3, BANDS))
    stripe = np.arange(COLUMNS) * 3 // COLUMNS
    cube = spectra[stripe][None] + rng.normal(0, 150, (ROWS, COLUMNS, BANDS))
    wavelengths = np.linspace(400.0, 2400.0, BANDS)
    return Scene("Stripes", cube.astype(np.uint16), wavelengths)


@pytest.fixture(scope="session")
def labels() -> Labels:
    """The stripes, with an unlabelled border; classes 1, 2 and 7."""
    truth = np.zeros((ROWS, COLUMNS), np.uint8)
    stripe = np.array([1, 2, 7])[np.arange(COLUMNS) * 3 // COLUMNS]
    truth[2:-2, 2:-2] = stripe[None, 2:-2]
    return make_labels("Stripes", truth)


@pytest.fixture(scope="session")
def cpu() -> Compute:
    return Compute(torch.device("cpu"), "float32", "for the tests")


@pytest.fixture(scope="module")
def small_models(tmp_path_factory, scene, labels, cpu):
    """A folder with the scene as file, and two models of it."""
    folder = tmp_path_factory.mktemp("maps")
    write_scene(folder / "stripes.hdr", scene)
    (folder / "quick.yaml").write_text("steps: 12\nbatch_size: 16\nlearning_rate: 0.005\n")
    split = make_split(labels, "random:0.1", seed=0, window=9)
    for name in ("cnn2d", "svm"):
        how = (
            {"window": 9, "components": 5, "settings": {"hidden": "8,6", "dropout": "0"}}
            if name == "cnn2d"
            else {}
        )
        made = make_classifier(name, **how)
        train(
            made, scene, labels, split, folder / f"{name}.safetensors",
            compute=cpu, schedule=str(folder / "quick.yaml"),
        )  # fmt: skip
    return folder
