"""The patch form, widths and parameter budgets, and what is refused."""

import pytest
import torch
from torch import nn

from hsi.errors import HsiError
from hsi.networks.backbones import (
    BACKBONES,
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
from hsi.networks.backbones.layers import mean_over_window
from hsi.networks.measured import measured


def last_side(settings):
    """Rows of the last features before the mean, or before the dense layers."""
    with torch.device("meta"):
        network = settings.build(torch.Generator())
    layers = [*network.trunk, *(network.within or [])]
    if layers and isinstance(layers[-1], type(mean_over_window())):
        layers.pop()
    shape = (1, network.bands, network.window, network.window)
    return measured(nn.Sequential(*layers), shape).shape[-1]


@pytest.mark.parametrize(
    ("kind", "settings", "sides"),
    [
        # Of windows of 13, 25 and 33 pixels.
        (LeNet5, {}, (2, 8, 5)),
        (AlexNet, {}, (1, 4, 2)),
        (AlexNet, {"overlapping": False}, (1, 4, 3)),
        (VGG16, {}, (1, 3, 1)),
        (GoogLeNet, {}, (1, 3, 2)),
        (ResNet, {}, (2, 4, 3)),
        (ResNet, {"depth": 50}, (2, 4, 3)),
        (SENet, {"depth": 10}, (2, 4, 3)),
        (MobileNetV1, {}, (1, 2, 3)),
        (MobileNetV2, {}, (1, 2, 3)),
        (DANet, {"depth": 18}, (7, 13, 9)),
    ],
)
def test_first_strides_and_pools_are_left_out(kind, settings, sides):
    found = tuple(last_side(kind(3, side, 5, width=0.02, **settings)) for side in (13, 25, 33))
    assert found == sides


@pytest.mark.parametrize("kind", BACKBONES)
def test_the_smallest_window_is_the_smallest_that_works(kind):
    smallest = kind(3, 13, 5, width=0.02).least_window
    network = kind(3, smallest, 5, width=0.02).build(torch.Generator()).eval()
    assert network(torch.zeros(1, 5, smallest, smallest)).shape == (1, 3)
    if smallest > 1:
        message = rf"{kind.name}: window: expected odd, {smallest} up, found {smallest - 2}"
        with pytest.raises(HsiError, match=message):
            kind(3, smallest - 2, 5, width=0.02)


def test_windows_are_enlarged_to_the_published_input():
    settings = LeNet5(3, 9, 2, form="native")
    network = settings.build(torch.Generator().manual_seed(0)).eval()
    windows = torch.randn(2, 2, 9, 9, generator=torch.Generator().manual_seed(1))
    large = nn.functional.interpolate(windows, (32, 32), mode="bilinear", align_corners=False)
    expected = network.head(network.within[1:](large).flatten(1))
    assert torch.equal(network(windows), expected)


@pytest.mark.parametrize("kind", [LeNet5, VGG16, MobileNetV1, ResNet])
def test_a_budget_is_kept(kind):
    settings = kind(16, 13, 30, parameters=60_000)
    network = settings.build(torch.Generator())
    assert network.parameter_count == pytest.approx(60_000, rel=0.03)
    found = settings.trained(network)  # what a file says of it: no search when it is read
    assert (found.parameters, found.width) == (0, settings.scale)
    assert found.build(torch.Generator()).parameter_count == network.parameter_count


def test_auxiliary_heads_are_outside_the_budget():
    budget = {"parameters": 30_000}
    without, with_heads = (GoogLeNet(3, 9, 5, auxiliary=a, **budget) for a in (False, True))
    assert without.scale == with_heads.scale


def test_channels_follow_the_width():
    quarter = ResNet(3, 13, 5).build(torch.Generator())
    assert quarter.head[1].in_features == 128
    assert ResNet(3, 13, 5, form="native").scale == 1


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (ResNet, {"form": "published"}, "resnet: form: expected native or patch, found published"),
        (ResNet, {"depth": 19}, "resnet: depth: expected one of 10, 18, 34, 50, 101, 152"),
        (ResNet, {"width": -1.0}, "width: expected 0.001 to 8, or 0 for the form's own"),
        (ResNet, {"width": 100.0}, "width: expected 0.001 to 8"),
        (ResNet, {"parameters": -1}, "parameters: expected 0 or more"),
        (ResNet, {"parameters": 9, "width": 0.5}, "none beside a width"),
        (ResNet, {"components": 0}, "components: expected at least 1"),
        (AlexNet, {"window": 11}, "alexnet: window: expected odd, 13 up, found 11"),
        (VGG16, {"window": 7}, "vgg16: window: expected odd, 9 up, found 7"),
        (LeNet5, {"window": 9}, "lenet5: window: expected odd, 11 up, found 9"),
        (ResNet, {"window": 10**6 + 1}, "resnet: window: expected at most 511, found 1000001"),
        (ResNet, {"window": 12}, "resnet: window: expected odd, 1 up, found 12"),
        (SENet, {"reduction": 0}, "senet: reduction: expected at least 1"),
        (GoogLeNet, {"largest_kernel": 4}, "largest_kernel: expected 3 or 5"),
        (DANet, {"dropout": 1.0}, "danet: dropout: expected at least 0 and below 1"),
    ],
)
def test_wrong_settings_are_named(kind, settings, message):
    with pytest.raises(HsiError, match=message):
        kind(3, **settings)


@pytest.mark.parametrize(("budget", "words"), [(10, "at least"), (10**9, "at most")])
def test_a_budget_that_no_width_has_is_named(budget, words):
    with pytest.raises(HsiError, match=f"lenet5: parameters: expected {words} .*, found {budget}"):
        LeNet5(3, 11, 5, parameters=budget).build(torch.Generator())
