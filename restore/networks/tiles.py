"""Run a network over whole images in place, tile by tile: the result is that of one pass.

The image is the only thing of its size in memory: a band of tiles is copied, restored and written
over the original, of which the rows that the next band still needs are kept.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine import memory
from engine.tiling import Block, Tiling
from restore.errors import RestoreError

log = logging.getLogger(__name__)

SMALLEST = 32  # side of a tile below which nothing is tried any more

Image = npt.NDArray[Any]
Restore = Callable[[list[Image]], list[Image]]


class Tiles:
    """Takes images through a function of windows, tile by tile.

    Parameters
    ----------
    side : int
        Largest side of a tile, in pixels; 0 for one pass. It is halved when memory runs out.
    halo : int
        Pixels that the function needs to see around a tile.
    device : torch.device
        Where the function runs.
    square : int
        Side of the squares of pixels that the function never wants to be cut.
    """

    def __init__(self, side: int, halo: int, device: torch.device, square: int = 1) -> None:
        self.square, self.device = square, device
        self.side, self.halo = self._whole(side), self._whole(halo)

    def __call__(self, images: Sequence[Image], restore: Restore) -> None:
        """Restore images in place.

        Parameters
        ----------
        images : sequence of ndarray (H, W) or (H, W, 3)
            All of one shape and type.
        restore : callable
            Takes a list of windows, the same one of each image, and returns what they become, of
            the same shapes and type. It may raise the errors of exhausted memory.

        Raises
        ------
        RestoreError
            Not even a tile of `SMALLEST` pixels fits in memory.
        """
        height, width = images[0].shape[:2]
        side = self.side or max(height, width)
        above: list[Image] = [image[:0] for image in images]
        blocks = Tiling((height, width), (side, side), self.halo)
        for (top, bottom), row in groupby(
            blocks, key=lambda block: (block.rows.start, block.rows.stop)
        ):
            first = top - len(above[0])
            last = min(bottom + self.halo, height)
            bands = [
                np.concatenate([kept, image[top:last]])
                for kept, image in zip(above, images, strict=True)
            ]
            for block in row:
                for part, results in self._restored(bands, first, height, block, restore):
                    for image, result in zip(images, results, strict=True):
                        image[part.rows, part.columns] = result
            above = [band[max(bottom - self.halo, 0) - first : bottom - first] for band in bands]

    def _restored(
        self, bands: list[Image], first: int, height: int, block: Block, restore: Restore
    ) -> Iterator[tuple[Block, list[Image]]]:
        """Restore a tile of all images; in quarters, and theirs, where memory runs out."""
        width = bands[0].shape[1]
        todo = [block]
        while todo:
            part = todo.pop()
            rows, columns = part.around
            windows = [band[rows.start - first : rows.stop - first, columns] for band in bands]
            try:
                results = [part.inner(result) for result in restore(windows)]
            except (RuntimeError, MemoryError) as error:
                if not memory.is_exhausted(error):
                    raise
                results = []
            if results:
                yield part, results
                continue
            # Outside of `except`, where the failed pass still holds its memory.
            if max(part.shape) <= self._whole(SMALLEST):
                raise RestoreError(
                    f"not even a tile of {SMALLEST} pixels fits in memory; free some"
                )
            self.side = self._whole(max(SMALLEST, -(-max(part.shape) // 2)))
            log.warning("memory ran out: tiles of %d pixels from here on", self.side)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            quarter = (self.side, self.side)
            todo += Tiling((height, width), quarter, self.halo, part.rows, part.columns)

    def _whole(self, pixels: int) -> int:
        """Return so many pixels, or as many more as complete the last square."""
        return -(-pixels // self.square) * self.square
