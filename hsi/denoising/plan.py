"""The size of the blocks of a denoising, and the memory they take."""

import torch

from engine.memory import free_bytes, resident_bytes, size_in_words
from hsi.denoising.blocks import HALO
from hsi.denoising.statistics import PART_BYTES, SAMPLE
from hsi.errors import HsiError
from hsi.scenes.scene import Scene

LARGEST, SMALLEST, STEP = 1024, 32, 32  # sides of a block, in pixels
MARGIN_BYTES = 320 * 2**20  # libraries loaded by the first pass, and memory they keep
PARTS = 10  # float32 copies of rows in work at once, masks and sums of squares included
COPIES = 8  # of the eigen-images of a block, in float32, the network's own included


def side(scene: Scene, bands: int, components: int, memory: int | None) -> tuple[int, int, int]:
    """Return the side of a block, the bytes that the process will hold, and may hold.

    Raises
    ------
    HsiError
        Not even the smallest block fits.
    """
    now = resident_bytes()
    budget = memory or now + free_bytes(torch.device("cpu")) // 2
    profiles = 2 * 2 * 8 * bands * sum(scene.shape)
    fixed = now + MARGIN_BYTES + PARTS * PART_BYTES + SAMPLE * bands * 8 + profiles

    def peak(block: int) -> int:
        around = min(block + 2 * HALO, scene.shape[0]) * min(block + 2 * HALO, scene.shape[1])
        return fixed + around * (components * 4 * COPIES + 64)

    for block in range(LARGEST, SMALLEST - 1, -STEP):
        if peak(block) <= budget:
            return block, peak(block), budget
    raise HsiError(
        f"`memory` {size_in_words(budget)}: expected at least {size_in_words(peak(SMALLEST))}, of "
        f"which {size_in_words(now)} are held already"
    )
