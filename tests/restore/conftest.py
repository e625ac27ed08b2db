"""Small weights for the tests of the folder denoiser."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.device import Compute
from restore.networks.denoiser import save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture

Maker = Callable[..., Path]


@pytest.fixture
def cpu() -> Compute:
    return Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture
def make_weights(tmp_path: Path) -> Maker:
    """Write weights under a variant's name: untrained they change nothing, shaken they do."""

    def make(
        variant: str = "dncnn-s-25", channels: int = 1, *, shaken: bool = False, depth: int = 3
    ) -> Path:
        generator = torch.Generator().manual_seed(0)
        network = DnCNN(Architecture(depth, channels, 4, batch_norm=False), generator)
        for conv in network.convolutions() if shaken else []:
            torch.nn.init.normal_(conv.weight, std=0.2, generator=generator)
            assert conv.bias is not None
            torch.nn.init.normal_(conv.bias, std=0.05, generator=generator)
        path = tmp_path / "weights" / f"{variant}{'-shaken' * shaken}.safetensors"
        save(path, network, variant, {})
        return path

    return make
