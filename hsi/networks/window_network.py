"""A network that classifies the pixel at the centre of a window, and its passes over a scene.

Every layer of the trunk is unpadded and of stride 1 in space, so that its result for one window
equals that part of its result for the whole scene. A scene goes through the trunk once; the head's
first dense layer, which sees s × s positions, is a convolution with an s × s kernel. In training,
one trunk pass serves every window of a batch and the gradient is the same (dropout is in the head
only). Layers that look at a window as a whole, such as squeeze and excitation, come after the trunk
and run window by window on the shared features.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class WindowNetwork(nn.Module):
    """A convolutional trunk and a dense head that classify the pixel at the centre of a window.

    Parameters
    ----------
    window : int
        Odd side of the window, in pixels.
    bands : int
        Components K.
    trunk : Module
        (N, K, h, w) to (N, F, h − m, w − m); unpadded, stride 1, nothing random and nothing that
        looks further than its kernels.
    head : Sequential
        Linear layers on the flattened (F × s × s) features of a window, s = window − m, with
        functions of one value between them.
    within : Module, optional
        Between the two, on the features of one window: (N, F, s, s) to (N, F', s', s').
    """

    def __init__(
        self,
        window: int,
        bands: int,
        trunk: nn.Module,
        head: nn.Sequential,
        within: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.window, self.bands = window, bands
        self.trunk, self.within, self.head = trunk, within, head

    def forward(self, windows: Tensor) -> Tensor:
        """Return the logits (N, C) of windows (N, K, window, window)."""
        return self._finish(self.trunk(windows))

    def _finish(self, features: Tensor) -> Tensor:
        """Return the logits of the trunk's features of windows (N, F, s, s)."""
        inner = features if self.within is None else self.within(features)
        logits: Tensor = self.head(inner.flatten(1))
        return logits

    def shared(self, crop: Tensor, origins: Sequence[tuple[int, int]]) -> Tensor:
        """Return the logits (N, C) of windows of one crop, from a single trunk pass.

        Parameters
        ----------
        crop : Tensor (K, h, w)
        origins : sequence of (int, int)
            First row and column of each window in the crop.
        """
        features = self.trunk(crop[None])[0]
        side = features.shape[-1] - crop.shape[-1] + self.window
        return self._finish(_gather(features, origins, side))

    def dense(self, crop: Tensor) -> Tensor:
        """Return logits (C, h − window + 1, w − window + 1) of all windows of a crop (K, h, w)."""
        features: Tensor = self.trunk(crop[None])
        side = features.shape[-1] - crop.shape[-1] + self.window
        if self.within is not None:
            rows = features[0].unfold(1, side, 1).unfold(2, side, 1)  # (F, h, w, s, s)
            return torch.stack([self._finish(row.transpose(0, 1)).T for row in rows.unbind(1)], 1)
        for layer in self.head:
            if isinstance(layer, nn.Linear):
                kernel = layer.weight.view(-1, features.shape[1], side, side)
                features = functional.conv2d(features, kernel, layer.bias)
                side = 1
            else:
                features = layer(features)
        return features[0]


class _Gather(torch.autograd.Function):
    """Cut windows out of a feature map; the gradient is added where windows overlap.

    One slice per window is several times faster than indexing, and adds in a fixed order.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, origins: Sequence[tuple[int, int]], side: int
    ) -> Tensor:
        ctx.shape, ctx.origins, ctx.side = features.shape, origins, side
        gathered = features.new_empty(len(origins), features.shape[0], side, side)
        for window, (row, column) in zip(gathered, origins, strict=True):
            window.copy_(features[:, row : row + side, column : column + side])
        return gathered

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        # Up to side² windows add up in one place: too many for bfloat16.
        exact = torch.promote_types(gradient.dtype, torch.float32)
        total = torch.zeros(ctx.shape, dtype=exact, device=gradient.device)
        side = ctx.side
        for window, (row, column) in zip(gradient, ctx.origins, strict=True):
            total[:, row : row + side, column : column + side] += window
        return total.to(gradient.dtype), None, None


def _gather(features: Tensor, origins: Sequence[tuple[int, int]], side: int) -> Tensor:
    gathered: Tensor = _Gather.apply(features, origins, side)  # type: ignore[no-untyped-call]
    return gathered
