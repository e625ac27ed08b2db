"""DANet: attention between positions and between channels, on a dilated ResNet.

J. Fu et al., "Dual Attention Network for Scene Segmentation", CVPR 2019. The published network
labels every position of an image; this one labels the window by the mean over its positions, which
are in place of the published ones the same layers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from hsi.networks.backbones.backbone import channels
from hsi.networks.backbones.layers import convolution, mean_over_window, pooled_head
from hsi.networks.backbones.resnet import ResNet
from hsi.networks.dilated import Dilated

DILATED = 2  # stages whose strides are dilations
INNER = 512  # channels of each attention at the published width, a quarter of the ResNet's
KEYS = 8  # keys and queries have this part of the channels


class PositionAttention(nn.Module):
    """Add to every position what all positions hold, weighted by how alike they are.

    Parameters
    ----------
    wide : int
        Channels.
    """

    def __init__(self, wide: int) -> None:
        super().__init__()
        narrow = max(1, wide // KEYS)
        self.query, self.key = nn.Conv2d(wide, narrow, 1), nn.Conv2d(wide, narrow, 1)
        self.value = nn.Conv2d(wide, wide, 1)
        self.share = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, C, h, w)."""
        query, key = self.query(features).flatten(2), self.key(features).flatten(2)
        alike = (query.mT @ key).softmax(-1)  # (N, positions, positions)
        seen: Tensor = self.value(features).flatten(2) @ alike.mT
        added: Tensor = self.share * seen.view_as(features)
        return features + added


class ChannelAttention(nn.Module):
    """Add to every channel what all channels hold, weighted by how much they differ from it."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, C, h, w)."""
        flat = features.flatten(2)
        energy = flat @ flat.mT  # (N, C, C)
        weights = (energy.amax(-1, keepdim=True) - energy).softmax(-1)
        return features + self.share * (weights @ flat).view_as(features)


class DualAttention(nn.Module):
    """The sum of the attentions that are asked for, each between two convolutions.

    Parameters
    ----------
    wide, inner : int
        Channels of the input and of each attention.
    position, channel : bool
        Which; at least one.
    """

    def __init__(self, wide: int, inner: int, *, position: bool, channel: bool) -> None:
        super().__init__()
        attentions: list[nn.Module] = [PositionAttention(inner)] if position else []
        attentions += [ChannelAttention()] if channel else []
        self.branches = nn.ModuleList(
            nn.Sequential(convolution(wide, inner, 3), attention, convolution(inner, inner, 3))
            for attention in attentions
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, inner, h, w)."""
        found: Tensor = sum(branch(features) for branch in self.branches)
        return found


@dataclass(frozen=True)
class DANet(ResNet):
    """Settings of DANet.

    Attributes
    ----------
    depth : int
        As of `ResNet`; the paper has 50 and 101.
    position, channel : bool
        The attentions; with neither, it is the dilated ResNet.
    dropout : float
    """

    name: ClassVar[str] = "danet"

    depth: int = 50
    position: bool = True
    channel: bool = True
    dropout: float = 0.1

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of size, depth and dropout."""
        yield from super().own_checks()
        yield "dropout", 0 <= self.dropout < 1, "at least 0 and below 1"

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return the dilated ResNet with its attentions, and the head."""
        within, wide = self.stages(scale, dilated=DILATED)
        if self.position or self.channel:
            inner = channels(INNER, scale)
            within.append(DualAttention(wide, inner, position=self.position, channel=self.channel))
            wide = inner
        within.append(mean_over_window())
        return Dilated(), nn.Sequential(*within), pooled_head(wide, self.classes, self.dropout)
