"""HybridSN: three convolutions over space and spectrum, one over space, and a dense head.

S. K. Roy, G. Krishna, S. R. Dubey, B. B. Chaudhuri, "HybridSN: Exploring 3-D–2-D CNN Feature
Hierarchy for Hyperspectral Image Classification", IEEE GRSL 17(2), 2020.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from hsi.networks.architecture import DenseHead
from hsi.networks.convolutions import SpectralConv2d, SpectralConv3d, Spectrum, SpectrumAsChannels

# Depth of the three kernels along the spectrum; all are 3 × 3 in space.
DEPTHS = (7, 5, 3)


@dataclass(frozen=True)
class HybridSN(DenseHead):
    """Settings of the network; the defaults are the published ones for Indian Pines.

    Attributes
    ----------
    filters_3d : tuple of 3 int
    filters_2d : int
    squeeze_3d, squeeze_2d : bool
        Squeeze and excitation after the last 3D and after the 2D convolution.
    reduction : int
        Channels are squeezed to this fraction, at least to one.
    """

    name: ClassVar[str] = "hybridsn"

    filters_3d: tuple[int, int, int] = (8, 16, 32)
    filters_2d: int = 64
    squeeze_3d: bool = False
    squeeze_2d: bool = False
    reduction: int = 8

    @property
    def least_components(self) -> int:
        """One more than the depth that the unpadded kernels take off."""
        return sum(DEPTHS) - len(DEPTHS) + 1

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of the head, of widths and reduction."""
        yield from super().own_checks()
        widths = len(self.filters_3d) == 3 and min(self.filters_3d) >= 1
        yield "filters_3d", widths, "3 widths"
        yield "filters_2d", self.filters_2d >= 1, "at least 1"
        yield "reduction", self.reduction >= 1, "at least 1"

    def layers(self) -> tuple[nn.Sequential, nn.Sequential | None, int]:
        """Return all convolutions; those behind a squeeze run on each window alone."""
        first, second, third = self.filters_3d
        depth = self.components - sum(DEPTHS) + len(DEPTHS)
        layers: list[nn.Module] = [
            Spectrum(self.components),  # (N, 1, h, w, K)
            SpectralConv3d(1, first, (DEPTHS[0], 3, 3)),
            nn.ReLU(inplace=True),
            SpectralConv3d(first, second, (DEPTHS[1], 3, 3)),
            nn.ReLU(inplace=True),
            SpectralConv3d(second, third, (DEPTHS[2], 3, 3)),
            nn.ReLU(inplace=True),
            SpectrumAsChannels(),  # (N, depth × channels, h − 6, w − 6)
            SpectralConv2d(third, depth, self.filters_2d, 3),
            nn.ReLU(inplace=True),
        ]
        # A mean over the window differs between windows: from there on nothing can be shared.
        alone: list[nn.Module] = []
        if self.squeeze_3d:
            layers, alone = layers[:8], layers[8:]
            alone.insert(0, SqueezeExcitation(third, depth, self.reduction))
        if self.squeeze_2d:
            alone.append(SqueezeExcitation(self.filters_2d, 1, self.reduction))
        within = nn.Sequential(*alone) if alone else None
        return nn.Sequential(*layers), within, self.filters_2d


@dataclass(frozen=True)
class SEHybridSN(HybridSN):
    """HybridSN with squeeze and excitation on both stages."""

    name: ClassVar[str] = "se-hybridsn"

    squeeze_3d: bool = True
    squeeze_2d: bool = True


class SqueezeExcitation(nn.Module):
    """Squeeze and excitation: weight channels by a function of their means over the window [1]_.

    Parameters
    ----------
    channels, depth : int
        Of the features (N, depth × channels, h, w); a channel has one weight at all depths.
    reduction : int

    References
    ----------
    .. [1] J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", CVPR 2018.
    """

    def __init__(self, channels: int, depth: int, reduction: int) -> None:
        super().__init__()
        self.channels, self.depth = channels, depth
        narrow = max(1, channels // reduction)
        self.squeeze, self.excite = nn.Linear(channels, narrow), nn.Linear(narrow, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, depth × channels, h, w), scaled."""
        apart = features.reshape(-1, self.depth, self.channels, *features.shape[2:])
        means = apart.mean(dim=(1, 3, 4))
        weights = torch.sigmoid(self.excite(torch.relu(self.squeeze(means))))
        scaled: Tensor = apart * weights[:, None, :, None, None]
        return scaled.flatten(1, 2)
