"""Layers of the backbones against what their papers state, computed plainly."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi.networks.auxiliary import Auxiliary
from hsi.networks.backbones import (
    BACKBONES,
    AlexNet,
    GoogLeNet,
    MobileNetV1,
    MobileNetV2,
    ResNet,
)
from hsi.networks.backbones.alexnet import LocalResponseNorm
from hsi.networks.backbones.danet import ChannelAttention, DualAttention, PositionAttention
from hsi.networks.backbones.layers import BatchNorm
from hsi.networks.backbones.mobilenet_v2 import InvertedResidual
from hsi.networks.window_network import WindowNetwork


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_response_norm_is_the_papers():
    features = drawn(2, 9, 3, 3)
    found = LocalResponseNorm()(features)
    for i in range(9):
        near = features[:, max(0, i - 2) : i + 3]
        expected = features[:, i] / (2 + 1e-4 * near.square().sum(1)) ** 0.75
        assert torch.allclose(found[:, i], expected, atol=1e-6)


def test_position_attention_is_the_papers():
    layer = PositionAttention(16)
    layer.share.data.fill_(0.7)
    features = drawn(1, 16, 3, 4)
    query, key, value = (
        m(features)[0].flatten(1).detach().numpy() for m in (layer.query, layer.key, layer.value)
    )
    flat = features[0].flatten(1).numpy()
    expected = np.empty_like(flat)
    for j in range(12):
        weights = np.exp(query[:, j] @ key)
        expected[:, j] = 0.7 * value @ (weights / weights.sum()) + flat[:, j]
    found = layer(features).detach()[0].flatten(1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_channel_attention_is_the_papers():
    layer = ChannelAttention()
    layer.share.data.fill_(0.7)
    features = drawn(1, 6, 3, 4)
    flat = features[0].flatten(1).double().numpy()
    energy = flat @ flat.T
    weights = np.exp(energy.max(1, keepdims=True) - energy)
    weights /= weights.sum(1, keepdims=True)
    expected = 0.7 * weights @ flat + flat
    np.testing.assert_allclose(
        layer(features).detach()[0].flatten(1).numpy(), expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    ("position", "channel", "kinds"),
    [
        (True, True, [PositionAttention, ChannelAttention]),
        (True, False, [PositionAttention]),
        (False, True, [ChannelAttention]),
    ],
)
def test_attentions_can_be_left_out(position, channel, kinds):
    layer = DualAttention(8, 4, position=position, channel=channel).eval()
    assert [type(branch[1]) for branch in layer.branches] == kinds
    features = drawn(2, 8, 3, 3)
    expected = torch.stack([branch(features) for branch in layer.branches]).sum(0)
    assert torch.allclose(layer(features), expected)


@pytest.mark.parametrize(
    ("wide", "width", "stride", "adds"), [(4, 4, 1, True), (4, 6, 1, False), (4, 4, 2, False)]
)
def test_inverted_residuals_add_what_has_their_shape(wide, width, stride, adds):
    block = InvertedResidual(wide, width, stride, 6, depthwise=True).eval()
    features = drawn(1, wide, 6, 6)
    rest = block(features) - block.path(features)
    assert torch.allclose(rest, features, atol=1e-6) if adds else (rest == 0).all()


def test_normalisation_is_done_in_float32():
    exact, rounded = BatchNorm(4), BatchNorm(4)
    features = (100 + drawn(64, 4, 5, 5)).to(torch.bfloat16)  # bfloat16 keeps 8 bits of 100
    found = rounded(features)
    expected = exact(features.float())
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, expected.to(torch.bfloat16))
    assert torch.equal(rounded.running_mean, exact.running_mean)
    assert rounded.running_mean.dtype == torch.float32


@pytest.mark.parametrize(
    "settings", [ResNet(3, 9, 5, width=0.1), AlexNet(3, 13, 5, width=0.1, dropout=0.0)]
)
def test_bfloat16_gives_about_the_same_logits_and_statistics(settings):
    windows = drawn(16, 5, settings.window, settings.window)
    found = {}
    for dtype in (None, torch.bfloat16):
        network = settings.build(torch.Generator().manual_seed(1)).train()
        with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
            logits = network(windows)
        loss = nn.functional.cross_entropy(logits.float(), torch.arange(16) % 3)
        loss.backward()
        assert all(b.dtype != torch.bfloat16 for b in network.buffers())
        found[dtype] = (logits.float(), [b.float() for b in network.buffers()], loss)
    (plain, means, _), (rounded, others, _) = found.values()
    assert (plain - rounded).abs().max() < 0.05 * plain.abs().max() + 0.05
    for one, other in zip(means, others, strict=True):
        assert torch.allclose(one, other, rtol=0.05, atol=0.05)


def test_auxiliary_heads_let_features_through_and_give_logits_once():
    layer = Auxiliary(nn.Sequential(nn.Flatten(), nn.Linear(8, 3)))
    features = drawn(2, 2, 2, 2)
    assert layer(features) is features
    assert layer.taken().shape == (2, 3)
    assert layer.taken() is None
    layer.eval()(features)
    assert layer.taken() is None


def test_googlenet_has_two_auxiliary_heads_in_training_alone():
    network = GoogLeNet(3, 9, 5, width=0.05).build(torch.Generator())
    windows = drawn(4, 5, 9, 9)
    network.train()(windows)
    found = list(network.auxiliary())
    assert [(share, tuple(logits.shape)) for share, logits in found] == [(0.3, (4, 3))] * 2
    network.eval()(windows)
    assert list(network.auxiliary()) == []


def test_a_trained_googlenet_loses_its_heads_and_nothing_else():
    settings = GoogLeNet(3, 9, 5, width=0.05)
    network = settings.build(torch.Generator().manual_seed(0)).eval()
    windows = drawn(4, 5, 9, 9)
    expected, count = network(windows), network.parameter_count
    kept = settings.trained(network)
    assert torch.equal(network(windows), expected)
    assert not kept.auxiliary
    again = kept.build(torch.Generator())
    again.load_state_dict(network.state_dict())
    assert torch.equal(again.eval()(windows), expected)
    assert sum(p.numel() for p in network.parameters()) == count == again.parameter_count


@pytest.mark.parametrize("layer", [BatchNorm(2), Auxiliary(nn.Flatten())])
@pytest.mark.parametrize("trunk", [nn.Conv2d(1, 2, 3), nn.Sequential(nn.Conv2d(1, 2, 3))])
def test_what_sees_a_batch_as_a_whole_stands_behind_no_shared_trunk(layer, trunk):
    head = nn.Sequential(nn.Linear(2, 3))
    with pytest.raises(ValueError, match="expected an empty trunk"):
        WindowNetwork(3, 1, trunk, head, layer)


def contrast(kind, flipped: bool = False) -> float:
    """How much more alike features of two windows of one class are than those of two classes.

    Windows of a class share a spectrum, under noise of half its size. With `flipped`, the signs of
    kernels that filter each channel alone are drawn again, as He's distribution has them.
    """
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(4), 24)
    spectra = rng.normal(size=(4, 8))
    windows = spectra[classes][..., None, None] + rng.normal(scale=0.5, size=(96, 8, 13, 13))
    network = kind(4, 13, 8).build(torch.Generator().manual_seed(0))
    for part in network.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if flipped and isinstance(part, nn.Conv2d) and part.groups > 1:
            signs = torch.from_numpy(rng.choice([-1.0, 1.0], part.weight.shape)).float()
            part.weight.data *= signs
    with torch.no_grad():
        features = network.train().trunk(torch.from_numpy(windows).float())
        features = features if network.within is None else network.within(features)
    found = features.flatten(1).numpy()
    found = found - found.mean(axis=0)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    alike = found @ found.T
    same = classes[:, None] == classes
    others = ~np.eye(len(classes), dtype=bool)
    return float(alike[same & others].mean() - alike[~same].mean())


@pytest.mark.parametrize("kind", BACKBONES)
def test_windows_of_a_class_are_alike_before_training(kind) -> None:
    assert contrast(kind) > 0.015


@pytest.mark.parametrize("kind", [MobileNetV1, MobileNetV2])
def test_kernels_of_one_channel_begin_as_means(kind) -> None:
    alone = [
        part
        for part in kind(4, 13, 8).build(torch.Generator().manual_seed(0)).modules()
        if isinstance(part, nn.Conv2d) and part.groups > 1
    ]
    assert alone
    assert all((part.weight >= 0).all() for part in alone)
    assert contrast(kind) > 1.4 * contrast(kind, flipped=True)
