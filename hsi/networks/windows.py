"""Windows of a scene without the repeated work: those of a batch share passes over the scene."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.orientation import corner, oriented
from hsi.networks.grouping import grouped
from hsi.networks.multiply_adds import largest_layers, trunk_cost
from hsi.networks.window_network import WindowNetwork


def padded(reduced: npt.NDArray[np.float32], window: int) -> Tensor:
    """Return a scene (H, W, K) zero-padded to (K, H + window − 1, W + window − 1).

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
        """Return the rows and columns of the padded scene that hold all windows."""
        return (
            slice(int(self.rows.min()), int(self.rows.max()) + window),
            slice(int(self.columns.min()), int(self.columns.max()) + window),
        )

    def logits(
        self, network: WindowNetwork, scene: Tensor, *, shared: bool | None = None
    ) -> Tensor:
        """Return the logits (N, C) of the windows; they do not depend on `shared`.

        Parameters
        ----------
        network : WindowNetwork
        scene : Tensor (K, H + window − 1, W + window − 1)
            See `padded`.
        shared : bool, optional
            One trunk pass over the rows and columns that hold the windows, or one over each
            window; by default in groups that take the fewest multiply-adds
            (`hsi.networks.grouping`). Where nothing can be shared, it does not count: the windows
            of a batch are classified together, as batch normalisation needs it.
        """
        if network.alone:
            together: Tensor = network(self.cut(network.window, scene))
            return together
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
        logits: Tensor = network(self.cut(window, scene))
        return logits

    def cut(self, window: int, scene: Tensor) -> Tensor:
        """Return a copy of the windows (N, K, window, window), each turned as it should be."""
        starts = zip(self.rows.tolist(), self.columns.tolist(), strict=True)
        patches = [scene[:, r : r + window, c : c + window] for r, c in starts]
        if self.orientations is not None:
            turns = self.orientations.tolist()
            patches = [oriented(patch, o) for patch, o in zip(patches, turns, strict=True)]
        return torch.stack(patches)

    def _grouped_logits(self, network: WindowNetwork, scene: Tensor) -> Tensor:
        """Return the logits from a pass per tile of near windows, and one per scattered window."""
        window_alone = network.trunk_pass.multiply_adds
        cost = trunk_cost(network)
        groups = grouped(self.rows, self.columns, network.window, cost, one=window_alone)
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
        """Return the logits from one turned crop per orientation, which holds its windows."""
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


def pass_bytes(network: WindowNetwork, height: int, width: int) -> int:
    """Return an estimate of the most bytes that a dense pass over a crop holds, in float32."""
    # ReLU keeps its input and output; the library may reorder a layer once more.
    layers = 4 * 3 * largest_layers(network) * height * width
    if network.within is None:
        return layers
    # Windows are cut out of the features and run some at a time.
    pixels = (height - network.window + 1) * (width - network.window + 1)
    return layers + min(network.windows_at_once, pixels) * network.window_bytes
