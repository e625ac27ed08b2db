"""Spatially separated splits: whole blocks to train or test, and a guard band between them."""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from hsi.errors import HsiError
from hsi.scenes.labels import Labels
from hsi.splits.leakage import chebyshev_distance

log = logging.getLogger(__name__)

STARTS = 2
SWEEPS = 150  # flips proposed of each block
TRAINING_SHARE = 0.5


@dataclass(frozen=True)
class _Pixels:
    """Labelled pixels in groups that are kept or dropped together.

    A pixel sees a block if a labelled pixel of the block lies within the guard distance. Pixels of
    one class that see the same blocks form a group.

    Attributes
    ----------
    seen_by : sequence of ndarray, int64
        By block, the groups that see it.
    classes, sizes : ndarray (groups,), int64
    of_block : ndarray (blocks, classes), int64
        Labelled pixels by block and class.
    centres : ndarray (blocks, 2), int64
        Row and column of the blocks, in blocks.
    """

    seen_by: Sequence[npt.NDArray[np.int64]]
    classes: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    of_block: npt.NDArray[np.int64]
    centres: npt.NDArray[np.int64]


def block_split(
    labels: Labels, side: int, guard: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], int]:
    """Return a split by blocks of `side` × `side` pixels.

    Every labelled pixel of a test block is tested, unless no pixel of its class is left to train
    on: no classifier can name a class it never saw, so such a class is tested nowhere. A pixel of
    a training block is trained on unless a test pixel lies within `guard` of it. With a guard
    wider than a block, blocks drawn at random leave hardly a training pixel; so the assignment is
    found by simulated annealing. It minimises, summed over classes of n pixels of which t are
    trained on and s tested,

        −½ log((t + ½) / n) − ½ log((s + ½) / n),

    which is least when nothing is dropped and half is trained on, and is hit hardest by a class
    that is missing on one side.

    Parameters
    ----------
    labels : Labels
    side : int
        Of a block, in pixels.
    guard : int
        Chebyshev distance within which a training pixel near a test pixel is dropped.
    rng : Generator
        Decides the assignment; the same state, the same split.

    Returns
    -------
    train, test : ndarray (H, W), bool
    unlearnt : int
        Pixels of test blocks whose class has no training pixel, and which are left out.
    """
    blocks = used_blocks(labels, side)
    pixels = _gather(labels, blocks, guard)
    found = [_anneal(pixels, rng) for _ in range(STARTS)]
    cost, in_test = min(found, key=lambda result: result[0])
    log.info("blocks: cost %.3f; the best of %d starts", cost, STARTS)
    held_out = np.zeros(labels.ground_truth.shape, np.bool_)
    for block in np.flatnonzero(in_test).tolist():
        window = blocks.window(block)
        held_out[window] = labels.ground_truth[window] > 0
    return keep_apart(labels, held_out, guard)


def keep_apart(
    labels: Labels, held_out: npt.NDArray[np.bool_], guard: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], int]:
    """Return a split that tests held-out pixels and trains on the others, apart by a guard band.

    Parameters
    ----------
    labels : Labels
    held_out : ndarray (H, W), bool
        Labelled pixels to test, unless no pixel of their class is left to train on.
    guard : int
        Chebyshev distance within which a training pixel near a test pixel is dropped.

    Returns
    -------
    train, test : ndarray (H, W), bool
    unlearnt : int
        Held-out pixels that are not tested.
    """
    learnt = labels.count(outside(labels, held_out, guard)) > 0
    test = labels.marked(learnt)
    test &= held_out
    unlearnt = int(held_out.sum()) - int(test.sum())
    # Fewer test pixels may leave more to train on.
    train = outside(labels, test, guard)
    train &= ~held_out
    return train, test, unlearnt


@dataclass(frozen=True)
class Blocks:
    """The blocks of a scene that hold a labelled pixel, row by row.

    Attributes
    ----------
    side : int
        In pixels.
    shape : tuple of int
        Rows and columns of the scene.
    centres : ndarray (blocks, 2), int64
        Row and column of the blocks, in blocks.
    """

    side: int
    shape: tuple[int, ...]
    centres: npt.NDArray[np.int64]

    def window(self, block: int, reach: int = 0) -> tuple[slice, slice]:
        """Return the rows and columns of a block and of what lies within `reach` of it."""
        low = self.centres[block] * self.side
        first, second = (
            slice(max(int(start) - reach, 0), min(int(start) + self.side + reach, int(end)))
            for start, end in zip(low, self.shape, strict=True)
        )
        return first, second


def used_blocks(labels: Labels, side: int) -> Blocks:
    """Return the blocks of `side` × `side` pixels that hold a labelled pixel."""
    shape = labels.ground_truth.shape
    across = -(-shape[1] // side)
    used = []
    for number in range(-(-shape[0] // side)):
        strip = (labels.ground_truth[number * side : (number + 1) * side] > 0).any(axis=0)
        held = np.logical_or.reduceat(strip, np.arange(0, shape[1], side))
        used += [(number, column) for column in np.flatnonzero(held[:across]).tolist()]
    return Blocks(side, shape, np.array(used, np.int64).reshape(-1, 2))


def outside(labels: Labels, targets: npt.NDArray[np.bool_], guard: int) -> npt.NDArray[np.bool_]:
    """Return the labelled pixels that lie further than `guard` from all targets."""
    distance = chebyshev_distance(targets)
    found = np.empty(targets.shape, np.bool_)
    for rows in labels.strips():
        found[rows] = (labels.ground_truth[rows] > 0) & (distance[rows] > guard)
    return found


def _gather(labels: Labels, blocks: Blocks, guard: int) -> _Pixels:
    count, classes = len(blocks.centres), len(labels.classes)
    of_block = np.zeros((count, classes), np.int64)
    for block in range(count):
        inside = labels.indices[blocks.window(block)]
        of_block[block] = np.bincount(inside[inside >= 0], minlength=classes)
    group, used = _grouped(labels, blocks, guard)
    number = np.cumsum(used > 0) - 1  # of the groups that are left, in their order
    seen_by = [
        number[np.unique(group[window][near])] for window, near in _nearby(labels, blocks, guard)
    ]
    class_of = np.zeros(len(used), np.int64)
    for rows in labels.strips():
        labelled = group[rows] >= 0
        class_of[group[rows][labelled]] = labels.indices[rows][labelled]
    return _Pixels(seen_by, class_of[used > 0], used[used > 0], of_block, blocks.centres)


def _nearby(
    labels: Labels, blocks: Blocks, guard: int
) -> Iterator[tuple[tuple[slice, slice], npt.NDArray[np.bool_]]]:
    """Yield, of each block, a window, and in it the labelled pixels that see the block."""
    for block in range(len(blocks.centres)):
        window, own = blocks.window(block, guard), blocks.window(block)
        labelled = labels.ground_truth[window] > 0
        inside = np.zeros_like(labelled)
        within = tuple(
            slice(part.start - outer.start, part.stop - outer.start)
            for part, outer in zip(own, window, strict=True)
        )
        inside[within] = labelled[within]
        yield window, labelled & maximum_filter(inside, 2 * guard + 1, mode="constant")


def _grouped(
    labels: Labels, blocks: Blocks, guard: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return group numbers: equal for pixels of one class that the same blocks are near.

    Returns
    -------
    group : ndarray (H, W), int32
        −1 where there is no label.
    sizes : ndarray (groups,), int64
        Pixels by group number; 0 for numbers that are no longer used.
    """
    group = labels.indices.astype(np.int32)
    following = len(labels.classes)
    for window, near in _nearby(labels, blocks, guard):
        # A block parts every group into those that see it and those that do not.
        part = group[window]
        found, parts = np.unique(part[near], return_inverse=True)
        if following + len(found) > np.iinfo(np.int32).max:
            raise HsiError(
                f"`how` blocks:{blocks.side}: expected at most 2^31 groups of pixels, found more; "
                "take larger blocks"
            )
        part[near] = following + parts
        following += len(found)
    sizes = np.zeros(following, np.int64)
    for rows in labels.strips():
        inside = group[rows][group[rows] >= 0]
        found, counts = np.unique(inside, return_counts=True)
        sizes[found] += counts
    return group, sizes


def _anneal(pixels: _Pixels, rng: np.random.Generator) -> tuple[float, npt.NDArray[np.bool_]]:
    """Return the least cost found and the blocks to test on, by flipping one block at a time."""
    blocks, count = pixels.of_block.shape
    total = pixels.of_block.sum(axis=0)
    # Start from a half plane in a random direction: neighbours are on the same side already, and
    # only the blocks along its edge lose their training pixels.
    angle = rng.uniform(0, 2 * math.pi)
    across = pixels.centres @ np.array([math.cos(angle), math.sin(angle)])
    in_test = across > np.median(across)
    hostile = np.zeros(len(pixels.sizes), np.int64)  # test blocks that a group sees
    for block in np.flatnonzero(in_test).tolist():
        hostile[pixels.seen_by[block]] += 1
    trained = np.bincount(
        pixels.classes, weights=pixels.sizes * (hostile == 0), minlength=count
    ).astype(np.int64)
    tested = pixels.of_block[in_test].sum(axis=0)

    cost = _cost(trained, tested, total)
    best, best_cost = in_test.copy(), cost
    proposals = SWEEPS * blocks
    order = rng.integers(blocks, size=proposals)
    luck = rng.exponential(size=proposals)
    hottest, coldest = 0.5, 1e-3
    for step in range(proposals):
        block = order[step]
        temperature = hottest * (coldest / hottest) ** (step / proposals)
        groups = pixels.seen_by[block]
        seen = hostile[groups]
        sign = -1 if in_test[block] else 1
        changed = groups[seen == (1 if sign < 0 else 0)]
        gained = np.bincount(
            pixels.classes[changed], weights=pixels.sizes[changed], minlength=count
        ).astype(np.int64)
        new_trained = trained - sign * gained
        new_tested = tested + sign * pixels.of_block[block]
        new_cost = _cost(new_trained, new_tested, total)
        if new_cost - cost > temperature * luck[step]:
            continue
        in_test[block] = not in_test[block]
        hostile[groups] += sign
        trained, tested, cost = new_trained, new_tested, new_cost
        if cost < best_cost:
            best, best_cost = in_test.copy(), cost
    return best_cost, best


def _cost(
    trained: npt.NDArray[np.int64], tested: npt.NDArray[np.int64], total: npt.NDArray[np.int64]
) -> float:
    share = TRAINING_SHARE
    gain = share * np.log((trained + 0.5) / total) + (1 - share) * np.log((tested + 0.5) / total)
    return -float(gain.sum())
