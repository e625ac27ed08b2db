"""What the tests of the benchmarks share: small things in place of real ones."""

from pathlib import Path

import pytest
import torch

from benchmarks import side_by_side
from engine.device import Compute
from restore.networks.denoiser import save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture


@pytest.fixture
def cpu() -> Compute:
    return Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture
def no_matrix_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's rate is 1 GFLOP/s: measuring it takes seconds, in bfloat16 minutes on some."""
    monkeypatch.setattr(side_by_side, "matrix_product_rate", lambda *_: 1.0)


@pytest.fixture
def small_model(tmp_path: Path) -> str:
    """A weights file of a network of three layers."""
    generator = torch.Generator().manual_seed(1)
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), generator)
    for conv in network.convolutions():
        assert conv.bias is not None
        torch.nn.init.normal_(conv.bias, std=0.05, generator=generator)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.05, generator=generator)
    save(tmp_path / "small.safetensors", network, "dncnn-s-25", {})
    return str(tmp_path / "small.safetensors")
