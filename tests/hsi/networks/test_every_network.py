"""Every window network: dense, shared and patch by patch are the same."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.orientation import COUNT, back, corner, oriented
from hsi.errors import HsiError
from hsi.networks.backbones import (
    VGG16,
    AlexNet,
    DANet,
    GoogLeNet,
    LeNet5,
    MobileNetV1,
    MobileNetV2,
    ResNet,
    SENet,
)
from hsi.networks.cnn import CNN2D, CNN3D, Reversed
from hsi.networks.hybridsn import HybridSN, SEHybridSN
from hsi.networks.multiply_adds import multiply_adds_per_pixel, trunk_cost
from hsi.networks.windows import Windows, padded
from tests.hsi.dense_maps import dense_blocks
from tests.hsi.gradients import check_shared_equals_patches

CLASSES, WINDOW, BANDS = 3, 9, 13
HEIGHT, WIDTH = 12, 10
THIN = {"width": 0.03}
NARROW = {"hidden": (6, 5), "dropout": 0.0}
THREE = {"filters_3d": (2, 3, 4), "filters_2d": 5}
SHAPES = {
    "hybridsn": HybridSN(CLASSES, WINDOW, BANDS, **NARROW, **THREE),
    "se-hybridsn": SEHybridSN(CLASSES, WINDOW, BANDS, **NARROW, **THREE, reduction=2),
    "se 3D alone": SEHybridSN(CLASSES, WINDOW, BANDS, **NARROW, **THREE, squeeze_2d=False),
    "se 2D alone": SEHybridSN(CLASSES, WINDOW, BANDS, **NARROW, **THREE, squeeze_3d=False),
    "cnn2d": CNN2D(CLASSES, WINDOW, BANDS, **NARROW, filters=(4, 5, 3, 4)),
    "cnn3d": CNN3D(CLASSES, WINDOW, BANDS, **NARROW, filters=(2, 3, 4, 2)),
    "reversed": Reversed(CLASSES, WINDOW, BANDS, **NARROW, filters_2d=6, filters_3d=(4, 3, 2)),
    "lenet5": LeNet5(CLASSES, 11, BANDS, width=0.5),
    "lenet5 with both pools": LeNet5(CLASSES, 33, BANDS, width=0.3),
    "alexnet": AlexNet(CLASSES, 13, BANDS, **THIN),
    "vgg16": VGG16(CLASSES, WINDOW, BANDS, **THIN),
    "googlenet": GoogLeNet(CLASSES, WINDOW, BANDS, **THIN, auxiliary=False),
    "resnet18": ResNet(CLASSES, WINDOW, BANDS, **THIN),
    "resnet50": ResNet(CLASSES, WINDOW, BANDS, **THIN, depth=50),
    "mobilenet-v1": MobileNetV1(CLASSES, WINDOW, BANDS, **THIN),
    "mobilenet-v2": MobileNetV2(CLASSES, WINDOW, BANDS, **THIN),
    "senet": SENet(CLASSES, WINDOW, BANDS, **THIN, depth=18),
    "danet": DANet(CLASSES, WINDOW, BANDS, **THIN, depth=18),
    "lenet5 as published": LeNet5(CLASSES, 3, BANDS, form="native"),
}


@pytest.fixture(params=SHAPES, scope="module")
def network(request):
    made = SHAPES[request.param].build(torch.Generator().manual_seed(1)).double().eval()
    with torch.no_grad():  # zero biases would hide a wrong one, and no share an attention
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if name.endswith(("bias", "running_mean", "share")):
                value.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(2))
    return made


@pytest.fixture(scope="module")
def reduced():
    return np.random.default_rng(3).normal(size=(HEIGHT, WIDTH, BANDS)).astype(np.float32)


def all_windows(network, reduced):
    """Every window of the scene, (pixels, K, window, window)."""
    side = network.window
    windows = padded(reduced, side).double().unfold(1, side, 1).unfold(2, side, 1)
    return windows.permute(1, 2, 0, 3, 4).flatten(0, 1)


@pytest.mark.parametrize("block", [100, 5])
def test_dense_equals_patch_by_patch(network, reduced, block):
    with torch.inference_mode():
        expected = network(all_windows(network, reduced))
    for rows, columns, logits in dense_blocks(network, reduced, block):
        part = expected.view(HEIGHT, WIDTH, CLASSES)[rows, columns].permute(2, 0, 1)
        assert (logits - part).abs().max() < 1e-9


def test_windows_differ(network, reduced):
    # Where all features died, equal results would prove nothing.
    with torch.inference_mode():
        found = network(all_windows(network, reduced)[:20])
    assert found.std(0).max() > 1e-6


@pytest.mark.parametrize("turned", [False, True])
def test_shared_pass_has_the_loss_and_gradients_of_patches(network, reduced, turned):
    rng = np.random.default_rng(4)
    orientations = rng.integers(COUNT, size=20) if turned else None
    windows = Windows(rng.integers(HEIGHT, size=20), rng.integers(WIDTH, size=20), orientations)
    targets = torch.from_numpy(rng.integers(CLASSES, size=20))
    scene = padded(reduced, network.window).double()
    check_shared_equals_patches(network, scene, windows, targets, shared=True)


def test_turned_windows_are_windows_turned(network, reduced):
    side = network.window
    scene = padded(reduced, side).double()
    rows, columns, orientations = np.array([3, 0, 7]), np.array([2, 9, 4]), np.array([6, 1, 3])
    cut = torch.stack(
        [
            oriented(scene[:, r : r + side, c : c + side], o)
            for r, c, o in zip(rows, columns, orientations.tolist(), strict=True)
        ]
    )
    found = Windows(rows, columns, orientations).logits(network, scene)
    assert (found - network(cut)).abs().max() < 1e-9


@pytest.mark.parametrize("orientation", range(COUNT))
def test_orientations_are_undone_and_squares_found_again(orientation):
    image = torch.arange(7 * 5).view(7, 5)
    turned = oriented(image, orientation)
    assert torch.equal(back(turned, orientation), image)
    row, column = corner(3, 1, 2, (7, 5), orientation)
    square = turned[row : row + 2, column : column + 2]
    assert torch.equal(square, oriented(image[3:5, 1:3], orientation))


def test_orientations_differ():
    image = torch.arange(9).view(3, 3)
    assert len({tuple(oriented(image, o).flatten().tolist()) for o in range(COUNT)}) == COUNT


def test_multiply_adds_are_those_that_are_done(network):
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, BANDS, network.window, network.window, dtype=torch.float64))
    assert multiply_adds_per_pixel(network) == counter.get_total_flops() // 2
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network._scene_features(torch.zeros(BANDS, 37, 35, dtype=torch.float64))
    assert trunk_cost(network)(37, 35) == counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("settings", "parameters", "multiply_adds"),
    [
        (HybridSN(16), 5_122_176, 247_683_392),
        (HybridSN(16, window=19), 2_369_664, 113_630_528),
        (HybridSN(16, window=15), 1_190_016, 53_233_472),
        (HybridSN(16, window=11), 534_656, 16_013_632),
        (SEHybridSN(16), 5_123_564, 247_684_672),
        (CNN2D(16), 4_898_320, 54_129_536),
        (CNN3D(16), 4_818_016, 65_032_712),
        (Reversed(16), 4_819_560, 177_826_688),
    ],
)
def test_size_of_the_full_networks(settings, parameters, multiply_adds):
    # Both counted by hand, layer by layer.
    network = settings.build(torch.Generator())
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert multiply_adds_per_pixel(network) == multiply_adds
    # The dense head sees as many features in all of them.
    assert network.head[0].in_features == 64 * (settings.window - 8) ** 2


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (CNN2D, {"filters": (8, 8)}, "cnn2d: filters: expected 4 widths"),
        (CNN3D, {"components": 0}, "cnn3d: components: expected at least 1"),
        (Reversed, {"filters_2d": 0}, "reversed: filters_2d: expected at least 1"),
        (SEHybridSN, {"reduction": 0}, "se-hybridsn: reduction: expected at least 1"),
    ],
)
def test_wrong_settings_are_named(kind, settings, message):
    with pytest.raises(HsiError, match=message):
        kind(3, **settings)
