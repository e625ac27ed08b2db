"""Maps of larger scenes are timed against the scene alone."""

import numpy as np
import torch

from benchmarks.scenes import growing
from engine.device import Compute
from hsi.scene import Scene


def test_a_row_a_size() -> None:
    cube = np.random.default_rng(0).normal(size=(9, 12, 40))
    compute = Compute(torch.device("cpu"), "float32", "test")
    (row,) = growing(compute, Scene("x", cube), repeats=(2,))
    assert row.case.startswith("HybridSN-11, map of 18x24: ")
    assert row.our_seconds > 0
