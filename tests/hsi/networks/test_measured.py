"""What is measured without computing is what a pass does."""

import pytest
import torch
from torch import nn

from hsi.networks import window_network
from hsi.networks.backbones import BACKBONES, AlexNet, LeNet5, ResNet
from hsi.networks.backbones.resnet import Block
from hsi.networks.hybridsn import SEHybridSN
from hsi.networks.measured import measured
from hsi.networks.windows import pass_bytes


@pytest.mark.parametrize(
    ("layer", "multiply_adds"),
    [
        (nn.Conv2d(4, 8, 3), 4 * 4 * 8 * 4 * 9),
        (nn.Conv2d(4, 8, 3, padding=1), 6 * 6 * 8 * 4 * 9),
        (nn.Conv2d(4, 8, 3, stride=2, padding=1), 3 * 3 * 8 * 4 * 9),
        (nn.Conv2d(4, 8, 3, dilation=2), 2 * 2 * 8 * 4 * 9),
        (nn.Conv2d(4, 8, 3, groups=2), 4 * 4 * 8 * 2 * 9),
        (nn.Conv2d(4, 4, 3, groups=4), 4 * 4 * 4 * 9),
        (nn.Sequential(nn.Flatten(), nn.Linear(144, 5)), 144 * 5),
        (nn.MaxPool2d(2), 0),
    ],
)
def test_multiply_adds_of_a_layer(layer, multiply_adds):
    found = measured(layer, (1, 4, 6, 6))
    assert found.multiply_adds == multiply_adds
    assert found.shape == tuple(layer(torch.zeros(1, 4, 6, 6)).shape)


def test_the_peak_is_of_all_that_lives_at_once():
    one = nn.Conv2d(4, 4, 1, bias=False)
    assert measured(one, (1, 4, 6, 6)).peak == 2 * 144
    # A shortcut keeps the block's input while the path works.
    block = Block(nn.Sequential(one, nn.Conv2d(4, 4, 1, bias=False)), nn.Identity())
    assert measured(block, (1, 4, 6, 6)).peak == 3 * 144


def test_measuring_leaves_a_module_as_it_is():
    network = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4).eval(), nn.Dropout())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measured(network, (1, 4, 6, 6))
    assert [part.training for part in network] == [True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("kind", BACKBONES)
def test_few_windows_at_once_are_all_windows(kind, monkeypatch):
    network = kind(3, 13, 5, width=0.03).build(torch.Generator().manual_seed(1)).double().eval()
    crop = torch.randn(5, 17, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    passes = []
    network.head.register_forward_hook(lambda _, given, __: passes.append(len(given[0])))
    with torch.inference_mode():
        whole = network.dense(crop)
        monkeypatch.setattr(window_network, "WINDOWS_BYTES", 7 * network.window_bytes)
        parts = network.dense(crop)
    assert (whole - parts).abs().max() < 1e-9
    if network.within is not None:
        assert passes == [20, 7, 7, 6]


def test_a_dense_pass_holds_few_windows_however_large_the_block():
    network = ResNet(3, 25, 30).build(torch.Generator())
    small, large = (pass_bytes(network, side + 24, side + 24) for side in (64, 256))
    per_pixel = (large - small) / (280**2 - 88**2)
    assert per_pixel == pytest.approx(4 * 3 * 30)  # of the crop alone
    assert small > network.windows_at_once * network.window_bytes
    few = pass_bytes(network, 26, 26)  # four windows
    assert few == 4 * 3 * 30 * 26**2 + 4 * network.window_bytes


@pytest.mark.parametrize(
    "settings", [AlexNet(3, 25, 30), ResNet(3, 25, 30), LeNet5(3, 25, 30), SEHybridSN(3, 25, 30)]
)
def test_one_window_never_takes_more_than_the_limit(settings):
    network = settings.build(torch.Generator())
    assert network.windows_at_once * network.window_bytes <= window_network.WINDOWS_BYTES
