"""Tile by tile equals one pass, for odd sizes, tiles, and memory that runs out."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.device import Compute
from restore.errors import RestoreError
from restore.networks import tiles
from restore.networks.denoiser import Denoiser
from restore.networks.dncnn import DnCNN
from restore.networks.tiles import Tiles
from restore.networks.variants import Architecture

CPU = Compute(torch.device("cpu"), "float32", "test")
DEPTH = 5


def denoiser(channels: int = 1) -> Denoiser:
    generator = torch.Generator().manual_seed(0)
    network = DnCNN(Architecture(DEPTH, channels, 8, batch_norm=False), generator)
    for conv in network.convolutions():
        torch.nn.init.normal_(conv.weight, std=0.2, generator=generator)
        assert conv.bias is not None
        torch.nn.init.normal_(conv.bias, std=0.2, generator=generator)
    return Denoiser("small", network.eval(), {}, "", CPU)


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(0, 255, shape)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 23), (37, 16), (9, 11, 3)])
@pytest.mark.parametrize("side", [1, 5, 8, 16])
def test_tiled_equals_untiled(size: tuple[int, ...], side: int) -> None:
    network = denoiser(channels=size[2] if len(size) == 3 else 1)
    degraded = image(*size)
    before = degraded.copy()
    whole = network(degraded, side=0)
    np.testing.assert_allclose(network(degraded, side=side), whole, rtol=0, atol=1e-3)
    assert np.abs(whole - degraded).max() > 3
    np.testing.assert_array_equal(degraded, before)


def test_too_small_a_halo_would_be_seen() -> None:
    network, degraded = denoiser(), image(20, 20)
    whole, cut = network(degraded), degraded.astype(np.float32) / 255
    Tiles(10, DEPTH - 2, CPU.device)([cut], network._restored)
    assert np.abs(whole - 255 * cut.astype(float)).max() > 0.03


def test_images_are_restored_in_place_and_together() -> None:
    images = [np.arange(7 * 9).reshape(7, 9), np.zeros((7, 9), int)]
    Tiles(4, 2, CPU.device)(images, lambda windows: [window + 1 for window in windows])
    np.testing.assert_array_equal(images[0], np.arange(1, 7 * 9 + 1).reshape(7, 9))
    np.testing.assert_array_equal(images[1], np.ones((7, 9)))


def scarce(room: int, error: Exception) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    """A function of windows for which no window of more than `room` pixels fits in memory."""

    def restore(windows: list[np.ndarray]) -> list[np.ndarray]:
        if windows[0].size > room:
            raise error
        return [window + 1 for window in windows]

    return restore


def test_tiles_are_halved_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "SMALLEST", 4)
    pixels, tiled = np.arange(40 * 37).reshape(40, 37), Tiles(40, 3, CPU.device)
    expected = pixels + 1
    tiled([pixels], scarce(16 * 16, RuntimeError("DefaultCPUAllocator: can't allocate memory")))
    np.testing.assert_array_equal(pixels, expected)
    assert tiled.side == 10


def test_other_errors_are_not_taken_for_memory() -> None:
    with pytest.raises(RuntimeError, match="something else"):
        Tiles(0, 1, CPU.device)([image(8, 8)], scarce(0, RuntimeError("something else")))


def test_where_nothing_fits_it_is_one_line() -> None:
    with pytest.raises(RestoreError, match="not even a tile of 32 pixels fits in memory"):
        Tiles(0, 1, CPU.device)([image(70, 70)], scarce(0, torch.OutOfMemoryError()))
