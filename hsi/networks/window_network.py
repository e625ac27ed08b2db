"""A network that classifies the pixel at the centre of a window, and its passes over a scene.

Every layer of the trunk is unpadded and of stride 1 in space, so that its result for one window
equals that part of its result for the whole scene. A scene goes through the trunk once; the head's
first dense layer, which sees s × s positions, is a convolution with an s × s kernel. In training,
one trunk pass serves every window of a batch and the gradient is the same (dropout is in the head
only). A trunk of strides is shared by dilation (`hsi.networks.dilated`). Layers that look at a
window as a whole, such as squeeze and excitation, come after the trunk and run window by window on
the shared features. A network that pads its layers has an empty trunk, and nothing to share.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsi.networks.auxiliary import Auxiliary
from hsi.networks.dilated import Dilated
from hsi.networks.measured import Pass, measured

# For what runs window by window in a dense pass: more windows at once save little.
WINDOWS_BYTES = 192 * 2**20
WORKING_COPIES = 2  # of a layer's values: libraries reorder what they are given


class WindowNetwork(nn.Module):
    """A convolutional trunk and a dense head that classify the pixel at the centre of a window.

    Parameters
    ----------
    window : int
        Odd side of the window, in pixels.
    bands : int
        Components K.
    trunk : Module
        (N, K, h, w) to (N, F, h − m, w − m); unpadded, stride 1 or `Dilated`, nothing random and
        nothing that looks further than its kernels. `Sequential()` shares nothing.
    head : Sequential
        Linear layers on the flattened features of a window (F × s × s; s = window − m at stride 1),
        with functions of one value between them.
    within : Module, optional
        Between the two, on the features of one window: (N, F, s, s) to (N, F', s', s'). Batch
        normalisation and auxiliary heads need the windows of a batch together: an empty trunk.

    Raises
    ------
    ValueError
        Layers that need the batch together stand behind a trunk that is shared.
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
        together = self.normalises or any(isinstance(m, Auxiliary) for m in self.modules())
        if together and not self.alone:
            raise ValueError("expected an empty trunk before layers that see a batch as a whole")

    @property
    def alone(self) -> bool:
        """Whether no two windows share any work, because the trunk is empty."""
        return isinstance(self.trunk, nn.Sequential) and not len(self.trunk)

    @property
    def normalises(self) -> bool:
        """Whether it has batch normalisation, which needs two windows to train on."""
        return any(isinstance(part, nn.BatchNorm2d) for part in self.modules())

    @cached_property
    def trunk_pass(self) -> Pass:
        """What the trunk takes for one window alone."""
        return measured(self.trunk, (1, self.bands, self.window, self.window))

    @cached_property
    def rest_pass(self) -> Pass:
        """What the layers behind the trunk take for one window."""
        inner = [] if self.within is None else [self.within]
        return measured(nn.Sequential(*inner, nn.Flatten(), *self.head), self.trunk_pass.shape)

    @property
    def window_bytes(self) -> int:
        """Return an estimate of the bytes of one window behind the trunk, in float32."""
        return 4 * WORKING_COPIES * self.rest_pass.peak

    @property
    def windows_at_once(self) -> int:
        """Return how many windows a dense pass runs together where it runs them one by one."""
        return max(1, WINDOWS_BYTES // self.window_bytes)

    def auxiliary(self) -> Iterator[tuple[float, Tensor]]:
        """Yield (weight of its loss, logits) of the auxiliary heads, once after a training pass."""
        for part in self.modules():
            if isinstance(part, Auxiliary) and (logits := part.taken()) is not None:
                yield part.share, logits

    def drop_auxiliary(self) -> None:
        """Put nothing in the place of the auxiliary heads, which serve training alone."""
        for parent in list(self.modules()):
            for name, part in list(parent.named_children()):
                if isinstance(part, Auxiliary):
                    setattr(parent, name, nn.Identity())

    @property
    def parameter_count(self) -> int:
        """Number of parameters, without those of the auxiliary heads."""
        heads = [part for part in self.modules() if isinstance(part, Auxiliary)]
        extra = sum(p.numel() for head in heads for p in head.parameters())
        return sum(p.numel() for p in self.parameters()) - extra

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
        features, span, step = self._scene_features(crop)
        return self._finish(_gather(features[0], origins, span, step))

    def _scene_features(self, crop: Tensor) -> tuple[Tensor, int, int]:
        """Return dense features (1, F, h', w'), the span of a window in them, and its step."""
        trunk, step = self.trunk, 1
        if isinstance(trunk, Dilated):
            features, step = trunk.dense(crop[None]), trunk.step
        else:
            features = trunk(crop[None])
        return features, features.shape[-1] - crop.shape[-1] + self.window, step

    def dense(self, crop: Tensor) -> Tensor:
        """Return logits (C, h − window + 1, w − window + 1) of all windows of a crop (K, h, w)."""
        rows, columns = (side - self.window + 1 for side in crop.shape[1:])
        features, span, step = self._scene_features(crop)
        if self.within is not None:
            # (F, h, w, s, s), a view
            windows = features[0].unfold(1, span, 1).unfold(2, span, 1)[..., ::step, ::step]
            parts = []
            for start in range(0, rows * columns, self.windows_at_once):
                places = torch.arange(start, min(start + self.windows_at_once, rows * columns))
                chosen = windows[:, places // columns, places % columns]
                parts.append(self._finish(chosen.transpose(0, 1)))
            return torch.cat(parts).T.reshape(-1, rows, columns)
        side = (span - 1) // step + 1
        for layer in self.head:
            if isinstance(layer, nn.Linear):
                kernel = layer.weight.view(-1, features.shape[1], side, side)
                features = functional.conv2d(features, kernel, layer.bias, dilation=step)
                side = step = 1
            else:
                features = layer(features)
        return features[0, :, :rows, :columns]


class _Gather(torch.autograd.Function):
    """Cut windows out of a feature map; the gradient is added where windows overlap.

    One slice per window is several times faster than indexing, and adds in a fixed order.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, origins: Sequence[tuple[int, int]], span: int, step: int
    ) -> Tensor:
        ctx.shape, ctx.origins, ctx.span, ctx.step = features.shape, origins, span, step
        side = (span - 1) // step + 1
        gathered = features.new_empty(len(origins), features.shape[0], side, side)
        for window, (row, column) in zip(gathered, origins, strict=True):
            window.copy_(features[:, row : row + span : step, column : column + span : step])
        return gathered

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        # Up to side² windows add up in one place: too many for bfloat16.
        exact = torch.promote_types(gradient.dtype, torch.float32)
        total = torch.zeros(ctx.shape, dtype=exact, device=gradient.device)
        span, step = ctx.span, ctx.step
        for window, (row, column) in zip(gradient, ctx.origins, strict=True):
            total[:, row : row + span : step, column : column + span : step] += window
        return total.to(gradient.dtype), None, None, None


def _gather(features: Tensor, origins: Sequence[tuple[int, int]], span: int, step: int) -> Tensor:
    gathered: Tensor = _Gather.apply(features, origins, span, step)  # type: ignore[no-untyped-call]
    return gathered
