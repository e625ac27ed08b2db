import pytest
import torch
from torch import nn

from hsi.errors import HsiError
from hsi.networks.hybridsn import HybridSN
from hsi.networks.multiply_adds import multiply_adds_per_pixel, trunk_cost


def parameters(settings: HybridSN) -> int:
    return sum(p.numel() for p in settings.build(torch.Generator()).parameters())


@pytest.mark.parametrize(
    ("classes", "components", "expected"), [(16, 30, 5_122_176), (9, 15, 4_844_793)]
)
def test_published_parameter_counts(classes, components, expected):
    assert parameters(HybridSN(classes, components=components)) == expected


def test_layers_are_the_published_ones():
    network = HybridSN(16).build(torch.Generator())
    kernels = [tuple(m.weight.shape) for m in network.modules() if isinstance(m, nn.Conv3d)]
    assert kernels == [(8, 1, 7, 3, 3), (16, 8, 5, 3, 3), (32, 16, 3, 3, 3)]
    flat = [tuple(m.weight.shape) for m in network.modules() if isinstance(m, nn.Linear)]
    assert flat == [(256, 64 * 17 * 17), (128, 256), (16, 128)]
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.4, 0.4]
    assert network(torch.zeros(2, 30, 25, 25)).shape == (2, 16)


def test_starts_as_keras_does():
    network = HybridSN(16).build(torch.Generator().manual_seed(0))
    first = network.head[0].weight.detach()
    bound = (6 / (18_496 + 256)) ** 0.5
    assert first.abs().max() <= bound
    assert first.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)
    assert all((p == 0).all() for n, p in network.named_parameters() if n.endswith("bias"))


def test_weights_come_from_the_generator_alone():
    small = HybridSN(3, window=9, components=13)
    one, two = (small.build(torch.Generator().manual_seed(4)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_multiply_adds():
    network = HybridSN(16).build(torch.Generator())
    assert multiply_adds_per_pixel(network) == pytest.approx(248e6, rel=0.01)
    # A whole scene, a pixel: trunk and the head as a convolution.
    trunk = trunk_cost(network)(169, 169) / 145**2
    head = multiply_adds_per_pixel(network) - trunk_cost(network)(25, 25)
    assert trunk + head == pytest.approx(5.6e6, rel=0.03)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "classes: expected at least 2, found 1"),
        ({"classes": 3, "window": 24}, "window: expected odd, 9 up, found 24"),
        ({"classes": 3, "window": 7}, "window: expected odd, 9 up, found 7"),
        ({"classes": 3, "components": 12}, "components: expected at least 13, found 12"),
        ({"classes": 3, "dropout": 1.0}, "dropout: expected"),
        ({"classes": 3, "filters_3d": (8, 16)}, "filters_3d: expected 3 widths"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(HsiError, match=message):
        HybridSN(**settings)
