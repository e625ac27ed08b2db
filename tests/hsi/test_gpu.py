"""What runs on the CPU runs on a GPU, with the same results to its precision."""

import numpy as np
import pytest
import torch

from engine.device import pick
from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.protocol import Application
from hsi.classifiers.train import train
from hsi.maps.blocks import classify_whole
from hsi.splits.split import make_split

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


@pytest.mark.parametrize(
    ("name", "settings"), [("hybridsn", {}), ("resnet18", {"width": 0.1}), ("lenet5", {})]
)
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("bf16", 5e-2)])
def test_gpu_maps_as_the_cpu_does(tmp_path, scene, labels, precision, tolerance, name, settings):
    (tmp_path / "quick.yaml").write_text("steps: 4\nbatch_size: 16\n")
    out = tmp_path / "model.safetensors"
    train(
        make_classifier(name, window=11, components=13, settings=settings),
        scene,
        labels,
        make_split(labels, "random:0.1", window=9),
        out,
        compute=pick("cuda", precision),
        schedule=str(tmp_path / "quick.yaml"),
    )
    found = {}
    for compute in (pick("cuda", precision), pick("cpu", "float32")):
        application = Application(compute, probabilities=True)
        found[compute.device.type] = classify_whole(load_model(out).classifier, scene, application)
    difference = found["cuda"].probabilities - found["cpu"].probabilities
    assert np.abs(difference).max() < tolerance
