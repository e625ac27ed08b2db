"""In the native form every backbone has its published size, and its published initial weights."""

import pytest
import torch
from torch import nn

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
from hsi.networks.multiply_adds import multiply_adds_per_pixel

DIGITS = {"classes": 10, "components": 1}
IMAGES = {"classes": 1000, "components": 3}


def native(kind, **settings):
    """A network of the published input and classes, without memory."""
    shape = DIGITS if kind is LeNet5 else IMAGES
    with torch.device("meta"):
        return kind(**shape, form="native", **settings).build(torch.Generator())


@pytest.mark.parametrize(
    ("kind", "settings", "parameters", "multiply_adds"),
    [
        (LeNet5, {}, 61_706, None),
        (AlexNet, {}, 61_100_840, 0.71e9),
        (VGG16, {}, 138_357_544, 15.47e9),
        (GoogLeNet, {}, 6_624_904, 1.51e9),
        # The paper's own kernels, without normalisation: the authors' counts in Caffe.
        (GoogLeNet, {"largest_kernel": 5, "batch_norm": False}, 6_998_552, 1.58e9),
        (ResNet, {"depth": 18}, 11_689_512, 1.82e9),
        (ResNet, {"depth": 34}, 21_797_672, 3.6e9),  # the paper's 3.6
        (ResNet, {"depth": 50}, 25_557_032, 4.13e9),
        (ResNet, {"depth": 101}, 44_549_160, 7.6e9),
        (MobileNetV1, {}, 4_231_976, 0.57e9),
        # The paper's tables 4 and 6: full convolutions, and half of the width.
        (MobileNetV1, {"depthwise": False}, 29_294_088, 4.866e9),
        (MobileNetV1, {"width": 0.5}, 1_331_592, 0.149e9),
        (MobileNetV2, {}, 3_504_872, 0.31e9),
        (SENet, {}, 28_088_024, 3.87e9),
    ],
)
def test_published_sizes(kind, settings, parameters, multiply_adds):
    network = native(kind, **settings)
    assert network.parameter_count == parameters
    if multiply_adds is not None:
        assert multiply_adds_per_pixel(network) == pytest.approx(multiply_adds, rel=0.1)


def test_multiply_adds_of_lenet():
    # By hand: two convolutions over 28² and 10² positions, and the dense layers.
    expected = 6 * 25 * 28**2 + 16 * 6 * 25 * 10**2 + 400 * 120 + 120 * 84 + 84 * 10
    assert multiply_adds_per_pixel(native(LeNet5)) == expected


def test_danet_is_a_dilated_resnet_and_two_attentions():
    wide, inner, narrow = 2048, 512, 64
    resnet = native(ResNet, depth=50).parameter_count - 1000 * (wide + 1)
    first, second = 9 * wide * inner + 2 * inner, 9 * inner * inner + 2 * inner
    position = 2 * (inner + 1) * narrow + (inner + 1) * inner + 1
    expected = resnet + 2 * (first + second) + position + 1 + 1000 * (inner + 1)
    network = native(DANet)
    assert network.parameter_count == expected
    # An eighth of 224 pixels in the last two stages, as published.
    attention = [m for m in network.within if type(m).__name__ == "DualAttention"]
    assert len(attention) == 1
    strides = [m.stride[0] for m in network.modules() if isinstance(m, nn.Conv2d)]
    dilations = {m.dilation[0] for m in network.modules() if isinstance(m, nn.Conv2d)}
    assert strides.count(2) == 3  # the first layer, and the second stage's path and shortcut
    assert dilations == {1, 2, 4}


@pytest.mark.parametrize("depth", [18, 34])
def test_a_plain_network_lacks_the_projections_alone(depth):
    residual, plain = (native(ResNet, depth=depth, residual=r) for r in (True, False))
    projections = sum(a * b + 2 * b for a, b in ((64, 128), (128, 256), (256, 512)))
    assert residual.parameter_count - plain.parameter_count == projections


@pytest.mark.parametrize("reduction", [4, 8, 16])
def test_squeezed_channels(reduction):
    plain, squeezed = native(ResNet, depth=50), native(SENet, reduction=reduction)
    stages = ((256, 3), (512, 4), (1024, 6), (2048, 3))
    more = sum(n * (2 * c * (c // reduction) + c + c // reduction) for c, n in stages)
    assert squeezed.parameter_count == plain.parameter_count + more


def test_overlapping_pools_and_response_norm_have_no_parameters():
    sizes = [
        native(AlexNet, overlapping=o, response_norm=n).parameter_count
        for o in (True, False)
        for n in (True, False)
    ]
    assert sizes == [61_100_840] * 4


def test_without_reductions_inception_is_larger():
    reduced, full = native(GoogLeNet), native(GoogLeNet, reductions=False)
    assert full.parameter_count > 2 * reduced.parameter_count
    assert multiply_adds_per_pixel(full) > 2 * multiply_adds_per_pixel(reduced)
    assert full.head[1].in_features == reduced.head[1].in_features == 1024


@pytest.mark.parametrize("kind", BACKBONES)
def test_weights_come_from_the_generator_alone(kind):
    small = kind(3, 13, 5, width=0.02)
    one, two, other = (small.build(torch.Generator().manual_seed(s)) for s in (4, 4, 5))
    pairs = list(zip(one.parameters(), two.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert all(not torch.equal(a, c) for a, _, c in pairs if a.ndim > 1)


def test_kernels_start_as_he_draws_them():
    network = ResNet(3, 13, 30, width=0.5).build(torch.Generator().manual_seed(0))
    kernel = network.within[5].path[0][0].weight
    fan_in = kernel[0].numel()
    assert kernel.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.02)


def test_lenet_starts_as_published():
    network = LeNet5(10, 33, 1, form="native").build(torch.Generator().manual_seed(0))
    weight = network.head[0].weight.detach()
    assert weight.abs().max().item() == pytest.approx(2.4 / 400, rel=0.01)


def test_alexnet_starts_as_published():
    network = AlexNet(3, 13, 3, form="native", width=0.05).build(torch.Generator().manual_seed(0))
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.bias[0].item() for layer in layers] == [0, 1, 0, 1, 1, 1, 1, 0]
    assert layers[5].weight.std().item() == pytest.approx(0.01, rel=0.05)
