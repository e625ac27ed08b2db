"""What runs on the CPU runs on a GPU, with the same results to its precision."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.device import pick
from restore.networks.denoiser import Denoiser
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture, variant
from restore.training.patches import Patches

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


def network() -> DnCNN:
    generator = torch.Generator().manual_seed(0)
    network = DnCNN(Architecture(6, 1, 16, batch_norm=False), generator)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.05, generator=generator)
    return network.eval()


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("bf16", 2e-2)])
def test_gpu_restores_as_the_cpu_does(precision: str, tolerance: float) -> None:
    image = np.random.default_rng(1).uniform(0, 255, (60, 44))
    cpu, gpu = pick("cpu", "float32"), pick("cuda", precision)
    expected = Denoiser("small", network(), {}, "", cpu)(image)
    found = Denoiser("small", network().to(gpu.device), {}, "", gpu)(image, side=17)
    np.testing.assert_allclose(found, expected, rtol=0, atol=255 * tolerance)


def test_gpu_batches_cut_the_same_patches(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    cuts = [
        Patches(
            [image], variant("dncnn-3"), patch=16, batch_size=9, scales=(1.0,), device=device
        ).cut(torch.Generator().manual_seed(0))
        for device in (torch.device("cpu"), torch.device("cuda"))
    ]
    assert torch.equal(cuts[0], cuts[1].cpu())
