"""Two small images under the name of a published set, and a network that changes nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.device import Compute
from restore.image_sets.find import ImageSet, image_set
from restore.networks.denoiser import Denoiser, load, save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture

CPU = Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    folder = tmp_path / "BSD68"
    folder.mkdir()
    ramp = np.add.outer(np.arange(30), np.arange(36)) * 3.5
    for index in range(2):
        Image.fromarray((ramp[:: 1 - 2 * index]).astype(np.uint8)).save(folder / f"{index}.png")
    return image_set(str(folder))


@pytest.fixture
def identity(tmp_path: Path) -> Denoiser:
    """Return an untrained network, which changes nothing."""
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    save(tmp_path / "m.safetensors", network, "dncnn-s-25", {})
    return load(str(tmp_path / "m.safetensors"), CPU)
