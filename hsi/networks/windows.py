"""Windows of a scene without the repeated work: whole scenes at once, shared training passes."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.orientation import corner, oriented
from engine.tiling import Tiling
from hsi.errors import HsiError
from hsi.networks.grouping import grouped
from hsi.networks.multiply_adds import largest_layers, trunk_cost, window_features
from hsi.networks.window_network import WindowNetwork

log = logging.getLogger(__name__)

BLOCK_BYTES = 768 * 2**20


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
    orientations : ndarray (N,), int64, optional
        How each window is turned before it is classified (see `engine.orientation`).
    """

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    orientations: npt.NDArray[np.int64] | None = None

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
            window; by default in groups that take the fewest multiply-adds
            (`hsi.networks.grouping`).
        """
        if self.orientations is not None:
            return self._turned_logits(network, scene, shared)
        if shared is None:
            return self._grouped_logits(network, scene)
        window = network.window
        if shared:
            rows, columns = self.bounds(window)
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

    def _grouped_logits(self, network: WindowNetwork, scene: Tensor) -> Tensor:
        """Classify near windows by one pass over their tile, scattered ones alone."""
        groups = grouped(self.rows, self.columns, network.window, trunk_cost(network))
        parts = [
            Windows(self.rows[group.members], self.columns[group.members]).logits(
                network, scene, shared=group.shared
            )
            for group in groups
        ]
        if len(parts) == 1:
            return parts[0]
        places = torch.from_numpy(np.argsort(np.concatenate([g.members for g in groups])))
        return torch.cat(parts)[places.to(scene.device)]

    def _turned_logits(self, network: WindowNetwork, scene: Tensor, shared: bool | None) -> Tensor:
        """Turn the crop that holds the windows of one orientation, and classify them there."""
        assert self.orientations is not None
        parts, order = [], []
        for orientation in np.unique(self.orientations).tolist():
            chosen = np.flatnonzero(self.orientations == orientation)
            plain = Windows(self.rows[chosen], self.columns[chosen])
            rows, columns = plain.bounds(network.window)
            crop = scene[:, rows, columns]
            shape = (crop.shape[1], crop.shape[2])
            starts = [
                corner(row - rows.start, column - columns.start, network.window, shape, orientation)
                for row, column in zip(plain.rows.tolist(), plain.columns.tolist(), strict=True)
            ]
            turned = Windows(*np.array(starts, np.int64).T)
            parts.append(turned.logits(network, oriented(crop, orientation), shared=shared))
            order.append(chosen)
        places = torch.from_numpy(np.argsort(np.concatenate(order)))
        return torch.cat(parts)[places.to(scene.device)]


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
    dtype = next(network.parameters()).dtype
    for part in Tiling((height, width), (side, side), network.window // 2):
        crop = np.moveaxis(part.padded(reduced[part.around]), -1, 0).copy()
        yield part.rows, part.columns, network.dense(torch.from_numpy(crop).to(device, dtype))


def automatic_block(network: WindowNetwork) -> int:
    """Side of a block whose two largest neighbouring layers fit in 768 MiB of float32."""
    side = int((BLOCK_BYTES / (4 * 3 * largest_layers(network))) ** 0.5)
    while side > network.window + 31 and pass_bytes(network, side, side) > BLOCK_BYTES:
        side -= 1
    return max(32, side - network.window + 1)


def pass_bytes(network: WindowNetwork, height: int, width: int) -> int:
    """Estimate the bytes that a dense pass over a crop holds at most, in float32."""
    # ReLU keeps its input and output; the library may reorder a layer once more.
    layers = 3 * largest_layers(network) * height * width
    # What looks at windows as a whole has those of one row cut out, weighed and flattened.
    row = 0 if network.within is None else 3 * window_features(network) * width
    return 4 * (layers + row)
