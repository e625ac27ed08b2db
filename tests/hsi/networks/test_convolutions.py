"""The layout with spectrum and channels last computes what PyTorch's own layers do."""

import pytest
import torch
from torch import nn

from hsi.networks.convolutions import SpectralConv2d, SpectralConv3d, Spectrum, SpectrumAsChannels

BANDS, DEPTH = 13, 13 - 6 - 4


@pytest.fixture
def both_ways():
    """Make the same trunk in both layouts, with the same weights, in double precision."""
    ours = nn.Sequential(
        Spectrum(BANDS),
        SpectralConv3d(1, 4, (7, 3, 3)),
        nn.ReLU(inplace=True),
        SpectralConv3d(4, 6, (5, 3, 3)),
        SpectrumAsChannels(),
        SpectralConv2d(6, DEPTH, 5, 3),
    ).double()
    plain = nn.Sequential(
        nn.Unflatten(1, (1, BANDS)),
        nn.Conv3d(1, 4, (7, 3, 3)),
        nn.ReLU(inplace=True),
        nn.Conv3d(4, 6, (5, 3, 3)),
        nn.Flatten(1, 2),
        nn.Conv2d(6 * DEPTH, 5, 3),
    ).double()
    plain.load_state_dict(ours.state_dict())
    return plain, ours


@pytest.mark.parametrize("shape", [(1, BANDS, 12, 15), (3, BANDS, 9, 7)])
def test_features_and_gradients_are_those_of_the_plain_layers(both_ways, shape):
    windows = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = []
    for trunk in both_ways:
        into = windows.clone().requires_grad_()
        features = trunk(into)
        features.square().sum().backward()
        found.append([features.detach(), into.grad, *(p.grad for p in trunk.parameters())])
    for expected, ours in zip(*found, strict=True):
        assert ours.shape == expected.shape
        assert (ours - expected).abs().max() < 1e-9 * expected.abs().max()


def test_spectrum_becomes_channels_without_a_copy():
    features = torch.randn(2, 6, 8, 11, DEPTH).contiguous(memory_format=torch.channels_last_3d)
    channels = SpectrumAsChannels()(features)
    assert channels.data_ptr() == features.data_ptr()
    assert channels.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(channels.unflatten(1, (DEPTH, 6)), features.permute(0, 4, 1, 2, 3))
