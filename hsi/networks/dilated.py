"""Layers that halve windows by strides, and whole scenes by dilation, with the same result.

A window's features behind a stride of 2 are every second position of what the layer gives at
stride 1, and the layers behind it then have to skip every other position, too: they are dilated. A
scene goes through them once at stride 1, and holds the features of all its windows. It is exact
only where nothing is padded.
"""

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional


class MeanPool(nn.Module):
    """Replace squares of 2 × 2 positions by their means, which halves rows and columns."""

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, C, h // 2, w // 2)."""
        return functional.avg_pool2d(features, 2)

    def dense(self, features: Tensor, dilation: int) -> Tensor:
        """Return the means of all squares, at stride 1; corners lie `dilation` positions apart."""
        pairs = features[:, :, :-dilation] + features[:, :, dilation:]
        return (pairs[..., :-dilation] + pairs[..., dilation:]) / 4


class Dilated(nn.Sequential):
    """Unpadded convolutions of stride 1, functions of one value, and `MeanPool`.

    Called on windows it has strides; `dense` is for scenes.
    """

    @property
    def step(self) -> int:
        """Positions of the dense features between those that belong to one window."""
        return 1 << sum(isinstance(layer, MeanPool) for layer in self)

    def dense(self, features: Tensor) -> Tensor:
        """Return features at stride 1: those of a window are every `step`-th position."""
        for layer, dilation in self.dilations():
            if isinstance(layer, MeanPool):
                features = layer.dense(features, dilation)
            elif isinstance(layer, nn.Conv2d):
                features = functional.conv2d(features, layer.weight, layer.bias, dilation=dilation)
            else:
                features = layer(features)
        return features

    def dilations(self) -> Iterator[tuple[nn.Module, int]]:
        """Yield the layers, each with its dilation in a dense pass."""
        dilation = 1
        for layer in self:
            yield layer, dilation
            dilation *= 2 if isinstance(layer, MeanPool) else 1
