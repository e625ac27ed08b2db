"""One pass over an image, strip by strip: each strip of rows goes through all layers at once.

Layer by layer, the features of half a megapixel are larger than a CPU's caches, and every layer
waits for memory. Here a strip goes through all layers while its features are in the cache. A 3×3
kernel sees one row above and one below, so every layer keeps the last two rows that it read and
gives its own a row later. Nothing is computed twice, and the result is that of the whole pass.
"""

import torch
from torch import Tensor
from torch.nn import functional

from restore.networks.dncnn import DnCNN

STRIP_PIXELS = 32_768  # 64 features of them take 4 MiB in bfloat16, 8 in float32


def evaluate(network: DnCNN, degraded: Tensor, *, rows: int | None = None) -> Tensor:
    """Restore a batch; on a CPU strip by strip, on a GPU at once.

    Parameters
    ----------
    network : DnCNN
        In evaluation mode.
    degraded : Tensor (B, C, H, W)
        Float, 0..1, on the device of the network.
    rows : int, optional
        Of a strip; by default as many as stay in a CPU's cache.

    Returns
    -------
    Tensor (B, C, H, W)
        float32, equal to ``network(degraded)`` but for the rounding of the kernels.
    """
    if rows is None:
        if degraded.device.type != "cpu":
            restored: Tensor = network(degraded)
            return restored
        _, _, height, width = degraded.shape
        images = torch.split(degraded, max(1, STRIP_PIXELS // (height * width)))
        rows = max(1, STRIP_PIXELS // width)
        return torch.cat([_in_strips(network, part, rows) for part in images])
    return _in_strips(network, degraded, rows)


def _in_strips(network: DnCNN, degraded: Tensor, rows: int) -> Tensor:
    height, depth = degraded.shape[2], network.architecture.depth
    # The first strip is longer by the rows that its layers hold back.
    ends = [*range(rows + depth, height, rows), height]
    if len(ends) == 1:  # the kernels pad by themselves; padding here takes a copy a layer
        whole: Tensor = network(degraded)
        return whole
    above: list[Tensor | None] = [None] * depth  # the last two rows that each layer read
    outputs, start = [], 0
    for end in ends:
        strip, last = degraded[:, :, start:end], end == height
        for index in range(depth):
            strip = _bordered(strip, above[index], last=last)
            # A copy, or all of the strip would stay in memory with them.
            above[index] = None if last else strip[:, :, -2:].clone()
            strip = network.layer(index, strip, padding=(0, 1))
        outputs.append(strip)
        start = end
    return network.restored(degraded, torch.cat(outputs, dim=2))


def _bordered(strip: Tensor, above: Tensor | None, *, last: bool) -> Tensor:
    """Put around a strip what a layer needs: the rows that it read before, zeros at the border."""
    if above is not None:
        strip = torch.cat([above, strip], dim=2)
    top, bottom = int(above is None), int(last)
    return functional.pad(strip, (0, 0, top, bottom)) if top or bottom else strip
