"""Spatially separated splits: whole blocks to train or test, and a guard band between them."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

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
    labelled = labels.ground_truth > 0
    rows, columns = np.indices(labelled.shape) // side
    block_of = rows * (columns.max() + 1) + columns
    used, block_of_labelled = np.unique(block_of[labelled], return_inverse=True)
    pixels = _gather(labels, block_of, used, block_of_labelled, guard, side)
    found = [_anneal(pixels, rng) for _ in range(STARTS)]
    cost, in_test = min(found, key=lambda result: result[0])
    log.info("blocks: cost %.3f; the best of %d starts", cost, STARTS)
    held_out = labelled.copy()
    held_out[labelled] = in_test[block_of_labelled]
    train = labelled & ~held_out & (chebyshev_distance(held_out) > guard)
    learnt = np.unique(labels.ground_truth[train])
    test = held_out & np.isin(labels.ground_truth, learnt)
    # Fewer test pixels may leave more to train on.
    train = labelled & ~held_out & (chebyshev_distance(test) > guard)
    return train, test, int((held_out & ~test).sum())


def _gather(
    labels: Labels,
    block_of: npt.NDArray[np.int64],
    used: npt.NDArray[np.int64],
    block_of_labelled: npt.NDArray[np.int64],
    guard: int,
    side: int,
) -> _Pixels:
    labelled = labels.ground_truth > 0
    classes = labels.indices[labelled]
    number = np.full(labelled.shape, -1)  # of a labelled pixel among all of them
    number[labelled] = np.arange(len(classes))
    across = -(-labelled.shape[1] // side)
    centres = np.stack(np.divmod(used, across), axis=1)
    near = []  # by block, the pixels that see it
    for block, centre in zip(used, centres, strict=True):
        window = tuple(
            slice(max(place * side - guard, 0), (place + 1) * side + guard) for place in centre
        )
        inside = labelled[window] & (block_of[window] == block)
        reached = maximum_filter(inside, 2 * guard + 1, mode="constant")
        near.append(number[window][labelled[window] & reached])
    _, first, group, sizes = np.unique(
        _grouped(classes, near), return_index=True, return_inverse=True, return_counts=True
    )
    of_block = np.zeros((len(used), len(labels.classes)), np.int64)
    np.add.at(of_block, (block_of_labelled, classes), 1)
    seen_by = [np.unique(group[seeing]) for seeing in near]
    return _Pixels(seen_by, classes[first], sizes.astype(np.int64), of_block, centres)


def _grouped(
    classes: npt.NDArray[np.integer[Any]], near: Sequence[npt.NDArray[np.int64]]
) -> npt.NDArray[np.int64]:
    """Return group numbers: equal for pixels of one class that the same blocks are near."""
    group = classes.astype(np.int64)
    following = int(group.max()) + 1
    for seeing in near:  # a block parts every group into those that see it and those that do not
        _, parts = np.unique(group[seeing], return_inverse=True)
        group[seeing] = following + parts
        following += int(parts.max()) + 1
    return group


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
