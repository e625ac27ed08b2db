"""The logits of a whole scene from dense passes over its blocks."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.tiling import Tiling
from hsi.networks.window_network import WindowNetwork


@torch.inference_mode()
def dense_blocks(
    network: WindowNetwork, reduced: npt.NDArray[np.float32], block: int
) -> Iterator[tuple[slice, slice, Tensor]]:
    """Yield rows, columns and logits (C, h, w) of the blocks of a scene (H, W, K)."""
    dtype = next(network.parameters()).dtype
    for part in Tiling(reduced.shape[:2], (block, block), network.window // 2):
        crop = np.moveaxis(part.padded(reduced[part.around]), -1, 0).copy()
        yield part.rows, part.columns, network.dense(torch.from_numpy(crop).to(dtype))
