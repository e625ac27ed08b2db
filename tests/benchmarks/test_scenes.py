"""Maps of larger scenes are timed against the scene alone, and a training by some of its epochs."""

import numpy as np
import torch
from torch import nn

from benchmarks.scenes import growing, plain, published
from engine.device import Compute
from hsi.classifiers.model import make_classifier
from hsi.networks.hybridsn import HybridSN
from hsi.scenes.labels import make_labels
from hsi.scenes.scene import Scene


def test_a_row_a_size() -> None:
    cube = np.random.default_rng(0).normal(size=(9, 12, 40))
    compute = Compute(torch.device("cpu"), "float32", "test")
    (row,) = growing(compute, Scene("x", cube), repeats=(2,))
    assert row.case.startswith("HybridSN-11, map of 18x24: ")
    assert row.our_seconds > 0
    assert row.goal.startswith("a cost that grows with the pixels")


def test_plain_layers_compute_the_same() -> None:
    network = HybridSN(3, window=9, components=13).build(torch.Generator().manual_seed(0))
    network = network.double().eval()
    windows = torch.randn(2, 13, 9, 9, generator=torch.Generator().manual_seed(1)).double()
    baseline = plain(network)
    assert type(baseline.trunk[1]) is nn.Conv3d
    assert (baseline(windows) - network(windows)).abs().max() < 1e-9


def test_a_training_is_scaled_to_a_hundred_epochs() -> None:
    cube = np.random.default_rng(0).normal(size=(20, 20, 16))
    labels = make_labels("x", np.arange(400).reshape(20, 20) % 3)
    compute = Compute(torch.device("cpu"), "float32", "test")
    classifier = make_classifier("hybridsn", window=9, components=13)
    row = published(classifier, Scene("x", cube), labels, compute, slow=0.5)
    assert "100 epochs of random:0.3 of x, 100 steps" in row.case
    assert row.baseline_seconds == 50
    assert row.ratio == round(50 / row.our_seconds, 2)
