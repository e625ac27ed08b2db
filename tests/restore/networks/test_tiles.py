"""Tile by tile equals one pass, for odd sizes and tiles."""

import pytest
import torch

from engine.device import Compute
from restore.networks.denoiser import restore, tiles
from restore.networks.dncnn import Architecture, DnCNN

CPU = Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture(scope="module")
def network() -> DnCNN:
    generator = torch.Generator().manual_seed(0)
    network = DnCNN(Architecture(5, 1, 8, batch_norm=False), generator)
    for conv in network.convolutions():
        torch.nn.init.normal_(conv.weight, std=0.2, generator=generator)
        assert conv.bias is not None
        torch.nn.init.normal_(conv.bias, std=0.2, generator=generator)
    return network.double().eval()


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 23), (37, 16)])
@pytest.mark.parametrize("side", [1, 5, 8, 16])
def test_tiled_equals_untiled(network: DnCNN, size: tuple[int, int], side: int) -> None:
    image = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(2)).double()
    whole = restore(network, image, CPU, side=0)
    torch.testing.assert_close(restore(network, image, CPU, side=side), whole, rtol=0, atol=1e-6)
    assert (whole - image).abs().max() > 0.01


def test_too_small_a_halo_would_be_seen(network: DnCNN) -> None:
    image = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(2)).double()
    whole = network(image)[:, :, :, :10]
    cut = network(image[:, :, :, :13])[:, :, :, :10]  # 3 pixels of halo where 5 are needed
    assert (whole - cut).abs().max() > 1e-4


def test_tiles_cover_each_pixel_once() -> None:
    count = torch.zeros(13, 29, dtype=torch.int)
    for tile in tiles(13, 29, 6, 4):
        count[tile.kept] += 1
    assert bool((count == 1).all())
