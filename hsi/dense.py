"""Window networks without the repeated work: whole scenes at once, and shared training passes.

Every layer of the trunk is unpadded and of stride 1, so that what it computes for one window is
what it computes for a scene, cut out. A scene goes through the trunk once; the head's first dense
layer, which sees s × s positions, is a convolution with an s × s kernel. In training, one trunk
pass serves every window of a batch and the gradient is the same (dropout is in the head only).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from hsi.errors import HsiError

log = logging.getLogger(__name__)

BLOCK_BYTES = 768 * 2**20


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
    """

    def __init__(self, window: int, bands: int, trunk: nn.Module, head: nn.Sequential) -> None:
        super().__init__()
        self.window, self.bands = window, bands
        self.trunk, self.head = trunk, head

    def forward(self, windows: Tensor) -> Tensor:
        """Classify windows (N, K, window, window): logits (N, C)."""
        logits: Tensor = self.head(self.trunk(windows).flatten(1))
        return logits

    def shared(self, crop: Tensor, origins: Sequence[tuple[int, int]]) -> Tensor:
        """Classify windows of one crop with a single trunk pass: logits (N, C).

        Parameters
        ----------
        crop : Tensor (K, h, w)
        origins : sequence of (int, int)
            First row and column of each window in the crop.
        """
        features = self.trunk(crop[None])[0]
        side = features.shape[-1] - crop.shape[-1] + self.window
        logits: Tensor = self.head(_gather(features, origins, side).flatten(1))
        return logits

    def dense(self, crop: Tensor) -> Tensor:
        """Classify every window of a crop (K, h, w): logits (C, h − window + 1, w − window + 1)."""
        features: Tensor = self.trunk(crop[None])
        side = features.shape[-1] - crop.shape[-1] + self.window
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

    One slice a window is several times faster than indexing, and adds in a fixed order.
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


def padded(reduced: npt.NDArray[np.float32], window: int) -> Tensor:
    """Zero-pad a reduced scene (H, W, K) by half a window: (K, H + window − 1, W + window − 1).

    The window of pixel (r, c) then starts at row r and column c.
    """
    half = window // 2
    around = np.pad(reduced, ((half, half), (half, half), (0, 0)))
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(around, -1, 0)))


@dataclass(frozen=True)
class Windows:
    """The windows of a batch in a padded scene.

    Attributes
    ----------
    rows, columns : ndarray (N,), int64
        Where the windows start, which is also where their pixels lie in the unpadded scene.
    """

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]

    def bounds(self, window: int) -> tuple[slice, slice]:
        """Rows and columns of the padded scene that hold all windows."""
        return (
            slice(int(self.rows.min()), int(self.rows.max()) + window),
            slice(int(self.columns.min()), int(self.columns.max()) + window),
        )

    def logits(
        self, network: WindowNetwork, scene: Tensor, *, shared: bool | None = None
    ) -> Tensor:
        """Classify the windows: logits (N, C), the same in both ways.

        Parameters
        ----------
        network : WindowNetwork
        scene : Tensor (K, H + window − 1, W + window − 1)
            See `padded`.
        shared : bool, optional
            One trunk pass over the rows and columns that hold the windows, or one over each
            window; by default what takes fewer multiply-adds.
        """
        window = network.window
        rows, columns = self.bounds(window)
        if shared is None:
            height, width = rows.stop - rows.start, columns.stop - columns.start
            one = trunk_multiply_adds(network, window, window)
            shared = trunk_multiply_adds(network, height, width) < len(self.rows) * one
        if shared:
            origins = list(
                zip(
                    (self.rows - rows.start).tolist(),
                    (self.columns - columns.start).tolist(),
                    strict=True,
                )
            )
            return network.shared(scene[:, rows, columns], origins)
        starts = zip(self.rows.tolist(), self.columns.tolist(), strict=True)
        patches = torch.stack([scene[:, r : r + window, c : c + window] for r, c in starts])
        logits: Tensor = network(patches)
        return logits


def trunk_multiply_adds(network: WindowNetwork, height: int, width: int) -> int:
    """Count the multiply-adds of the trunk on a crop of `height` × `width` pixels."""
    total = 0
    depth = network.bands
    for layer in network.trunk.modules():
        if not isinstance(layer, nn.Conv2d | nn.Conv3d):
            continue
        *deep, tall, wide = layer.kernel_size
        height, width = height - tall + 1, width - wide + 1
        depth = depth - deep[0] + 1 if deep else 1
        total += layer.weight.numel() * depth * height * width
    return total


def multiply_adds_a_pixel(network: WindowNetwork) -> int:
    """Count the multiply-adds of one window alone, trunk and head."""
    head = sum(layer.weight.numel() for layer in network.head if isinstance(layer, nn.Linear))
    return trunk_multiply_adds(network, network.window, network.window) + head


@torch.inference_mode()
def classify_scene(
    network: WindowNetwork,
    reduced: npt.NDArray[np.float32],
    *,
    block: int | None = None,
    device: torch.device | None = None,
) -> Any:
    """Yield the logits of a whole scene, block by block, borders included.

    Parameters
    ----------
    network : WindowNetwork
        In evaluation mode, on `device`.
    reduced : ndarray (H, W, K), float32
        May be memory-mapped; one block and its halo of half a window is taken at a time, and only
        beyond the scene's own borders is it zero.
    block : int, optional
        Side of a block in pixels; by default what keeps the largest layers below 768 MiB.

    Yields
    ------
    rows, columns : slice
        Of the scene.
    logits : Tensor (C, h, w)

    Raises
    ------
    HsiError
        The scene's components are not as many as the network's.
    """
    height, width, bands = reduced.shape
    if bands != network.bands:
        raise HsiError(f"expected {network.bands} components as in the model, found {bands}")
    side = block or automatic_block(network)
    half = network.window // 2
    dtype = next(network.parameters()).dtype
    for top in range(0, height, side):
        for left in range(0, width, side):
            rows = slice(top, min(top + side, height))
            columns = slice(left, min(left + side, width))
            inner = reduced[
                max(rows.start - half, 0) : rows.stop + half,
                max(columns.start - half, 0) : columns.stop + half,
            ]
            beyond = (
                (max(half - rows.start, 0), max(rows.stop + half - height, 0)),
                (max(half - columns.start, 0), max(columns.stop + half - width, 0)),
                (0, 0),
            )
            crop = torch.from_numpy(np.moveaxis(np.pad(inner, beyond), -1, 0).copy())
            yield rows, columns, network.dense(crop.to(device, dtype))


def automatic_block(network: WindowNetwork) -> int:
    """Side of a block whose two largest neighbouring layers fit in 768 MiB of float32."""
    depth, widest = network.bands, [network.bands]
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d):
            depth -= layer.kernel_size[0] - 1
            widest.append(layer.out_channels * depth)
        elif isinstance(layer, nn.Conv2d):
            widest.append(layer.out_channels)
        elif isinstance(layer, nn.Linear):
            widest.append(layer.out_features)
    # ReLU keeps its input and output; the library may reorder a layer once more.
    a_pixel = 4 * 3 * max(a + b for a, b in pairwise(widest))
    return max(32, int((BLOCK_BYTES / a_pixel) ** 0.5) - network.window + 1)
