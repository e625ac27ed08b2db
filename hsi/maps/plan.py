"""The size of a map's blocks, and the memory they take."""

from dataclasses import dataclass

import torch

from engine.device import Compute
from engine.memory import free_bytes, resident_bytes, size_in_words
from hsi.classifiers.protocol import Classifier
from hsi.errors import HsiError
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import PEAK_BYTES

WORKING_BYTES = 768 * 2**20  # larger blocks save little, and a killed map loses more of them
LARGEST, SMALLEST, STEP = 512, 8, 8  # sides of a block, in pixels
# For libraries loaded by the first pass, freed memory that stays in the process, the picture.
MARGIN_BYTES, GPU_MARGIN_BYTES = 192 * 2**20, 1024 * 2**20


@dataclass(frozen=True)
class Plan:
    """The blocks of a map.

    Attributes
    ----------
    block : tuple of 2 int
        Rows and columns.
    peak : int
        The most bytes that the process holds, as estimated.
    budget : int
        Bytes that it may hold.
    """

    block: tuple[int, int]
    peak: int
    budget: int

    def __str__(self) -> str:
        tall, wide = self.block
        held = f"peak about {size_in_words(self.peak)} of {size_in_words(self.budget)}"
        return f"blocks of {tall} × {wide} pixels, {held}"


def plan(
    classifier: Classifier,
    scene: Scene,
    compute: Compute,
    *,
    written: int,
    memory: int | None = None,
    block: tuple[int, int] | None = None,
    resident: int | None = None,
) -> Plan:
    """Return blocks that keep the process within its memory.

    Parameters
    ----------
    classifier : Classifier
        Trained.
    scene : Scene
    compute : Compute
    written : int
        Bytes that are written per pixel.
    memory : int, optional
        Bytes that the process may hold; by default what it holds now and half of what is free.
    block : tuple of 2 int, optional
        Rows and columns of a block; chosen by memory and speed unless given.
    resident : int, optional
        Bytes that the process holds without this work; by default those it holds now.

    Raises
    ------
    HsiError
        The block, or even the smallest, takes more memory than given.
    """
    on_host = compute.device.type == "cpu"
    if not on_host:
        torch.zeros(1, device=compute.device)  # its libraries count
    now = resident_bytes() if resident is None else resident
    budget = memory or now + free_bytes(torch.device("cpu")) // 2
    fixed = now + (MARGIN_BYTES if on_host else GPU_MARGIN_BYTES) + PEAK_BYTES

    def peak(sides: tuple[int, int]) -> int:
        working = classifier.working_bytes(sides) if on_host else 0
        return fixed + working + _moved_bytes(classifier, sides, written)

    if block is not None:
        held = peak((min(block[0], scene.shape[0]), min(block[1], scene.shape[1])))
        if memory is not None and held > memory:
            raise HsiError(
                f"`block` {block[0]}: takes about {size_in_words(held)}, more than `memory` "
                f"{size_in_words(memory)}; use smaller blocks, or auto"
            )
        return Plan(block, held, budget)
    for side in range(LARGEST, SMALLEST - 1, -STEP):
        sides = _even(side, scene)
        comfortable = classifier.working_bytes(sides) <= WORKING_BYTES
        if (comfortable or side == SMALLEST) and peak(sides) <= budget:
            return Plan(sides, peak(sides), budget)
    least = peak(_even(SMALLEST, scene))
    raise HsiError(
        f"`memory` {size_in_words(budget)}: expected at least {size_in_words(least)}, of which "
        f"{size_in_words(now)} are held already"
    )


def comfortable_block(classifier: Classifier, scene: Scene) -> tuple[int, int]:
    """Return blocks whose classification takes no more than 768 MiB."""
    for side in range(LARGEST, SMALLEST, -STEP):
        sides = _even(side, scene)
        if classifier.working_bytes(sides) <= WORKING_BYTES:
            return sides
    return _even(SMALLEST, scene)


def _moved_bytes(classifier: Classifier, sides: tuple[int, int], written: int) -> int:
    """Return the bytes of two blocks that are read and three that wait to be written."""
    around = (sides[0] + 2 * classifier.halo) * (sides[1] + 2 * classifier.halo)
    return 2 * around * (classifier.feature_bytes() + 1) + 3 * sides[0] * sides[1] * (written + 8)


def _even(side: int, scene: Scene) -> tuple[int, int]:
    """Return the sides of equally large blocks of a scene, none larger than `side`."""
    tall, wide = (-(-size // -(-size // side)) for size in scene.shape)
    return tall, wide
