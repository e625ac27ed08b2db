"""Convolutions over space and spectrum, in the layout that kernels read fastest.

The features of a position lie side by side in memory, spectrum and channels last: (N, h, w, D, C).
In PyTorch's own layout (N, C, D, h, w) they are reordered before and after every layer. The weights
have the shapes that they have in `torch.nn`, and what is computed is the same.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Spectrum(nn.Unflatten):
    """Give the components an axis of their own, the last: (N, K, h, w) to (N, 1, h, w, K).

    Parameters
    ----------
    components : int
        K.
    """

    def __init__(self, components: int) -> None:
        super().__init__(1, (1, components))

    def forward(self, components: Tensor) -> Tensor:
        """Return a copy (N, 1, h, w, K) whose components lie side by side in memory."""
        last = components.movedim(1, -1).contiguous()
        return last.unsqueeze(-1).movedim(-1, 1)


class SpectralConv3d(nn.Conv3d):
    """`torch.nn.Conv3d`, unpadded and of stride 1, for features (N, C, h, w, D).

    Parameters
    ----------
    channels, filters : int
        C, and the channels F that it gives.
    kernel : tuple of 3 int
        Depth, rows and columns; the weights (F, C, depth, rows, columns) are as in torch.
    """

    def __init__(self, channels: int, filters: int, kernel: tuple[int, int, int]) -> None:
        super().__init__(channels, filters, kernel)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, F, h', w', D') of features (N, C, h, w, D)."""
        laid_out = features.contiguous(memory_format=torch.channels_last_3d)
        return functional.conv3d(laid_out, self.weight.movedim(2, -1), self.bias)


class SpectrumAsChannels(nn.Module):
    """Make every depth of every channel a channel: (N, C, h, w, D) to (N, D × C, h, w)."""

    def forward(self, features: Tensor) -> Tensor:
        """Return a view in which the channels of a depth lie side by side."""
        return features.movedim(1, -1).flatten(3).movedim(-1, 1)


class SpectralConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` after `SpectrumAsChannels`.

    Its kernels are those for channels in the order of `torch.nn.Flatten`, the depths of a channel
    side by side.

    Parameters
    ----------
    channels, depth : int
        C and D.
    filters, kernel : int
        Channels that it gives, and side of its kernels.
    """

    def __init__(self, channels: int, depth: int, filters: int, kernel: int) -> None:
        super().__init__(channels * depth, filters, kernel)
        self.depth = depth

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, filters, h', w') of features (N, D × C, h, w)."""
        filters, channels, rows, columns = self.weight.shape
        apart = self.weight.view(filters, channels // self.depth, self.depth, rows, columns)
        kernels = apart.transpose(1, 2).flatten(1, 2)
        return functional.conv2d(features, kernels, self.bias)
