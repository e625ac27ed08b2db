"""Cross-validation by blocks: every labelled pixel is tested once, apart from training pixels."""

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.labels import Labels
from hsi.splits.separated import Blocks, outside, used_blocks

SWEEPS = 60  # changes proposed of each block
MOST = 500_000  # changes proposed of all
APART = 1.0  # weight of neighbours in different folds, beside that of unequal folds


def fold_split(
    labels: Labels, folds: int, fold: int, side: int, guard: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return one fold of a partition of blocks.

    All labelled pixels of the fold's blocks are tested, also those of a class that has no pixel to
    train on; the labelled pixels of all other blocks are trained on unless a test pixel lies within
    `guard` of them.

    Parameters
    ----------
    labels : Labels
    folds : int
        At least 2.
    fold : int
        From 0.
    side : int
        Of a block, in pixels.
    guard : int
        In pixels.
    rng : Generator
        Decides the partition; the same state for all folds of one.

    Returns
    -------
    train, test : ndarray (H, W), bool

    Raises
    ------
    HsiError
        More folds than blocks with a labelled pixel.
    """
    blocks = used_blocks(labels, side)
    if len(blocks.centres) < folds:
        raise HsiError(
            f"`how` kfold:{folds},blocks:{side}: expected at most as many folds as blocks with "
            f"labels, {len(blocks.centres)}; take fewer folds or smaller blocks"
        )
    test = np.zeros(labels.ground_truth.shape, np.bool_)
    for block in np.flatnonzero(partition(labels, blocks, folds, rng) == fold).tolist():
        window = blocks.window(block)
        test[window] = labels.ground_truth[window] > 0
    train = outside(labels, test, guard)
    return train, test


def partition(
    labels: Labels, blocks: Blocks, folds: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return the fold of each block, (blocks,), by simulated annealing.

    It minimises, over the shares of each class in each fold, the mean absolute difference from
    1 / folds, as a share of 1 / folds, plus `APART` times the share of neighbouring blocks that
    are in different folds: their training pixels lie in the guard band.
    """
    count = len(blocks.centres)
    content = np.zeros((count, len(labels.classes)))
    for block in range(count):
        inside = labels.indices[blocks.window(block)]
        content[block] = np.bincount(inside[inside >= 0], minlength=content.shape[1])
    content /= content.sum(axis=0)
    neighbours = _neighbours(blocks)
    pairs = max(1, sum(map(len, neighbours)))
    fold_of = _start(blocks, folds, rng)
    share = np.zeros((folds, content.shape[1]))
    np.add.at(share, fold_of, content)
    proposals = min(SWEEPS * count, MOST)
    order, luck = rng.integers(count, size=proposals), rng.exponential(size=proposals)
    target = rng.integers(1, folds, size=proposals)
    filled = np.bincount(fold_of, minlength=folds)
    scale = folds / (folds * content.shape[1])
    for step in range(proposals):
        block, old = order[step], fold_of[order[step]]
        new = (old + target[step]) % folds
        if filled[old] == 1:
            continue
        before = np.abs(share[[old, new]] - 1 / folds).sum()
        after = np.abs(
            share[[old, new]] + np.stack([-content[block], content[block]]) - 1 / folds
        ).sum()
        near = fold_of[neighbours[block]]
        cut = 2 * (int((near != new).sum()) - int((near != old).sum())) / pairs
        temperature = 0.02 * (1e-3 ** (step / proposals))
        if scale * (after - before) + APART * cut > temperature * luck[step]:
            continue
        share[old] -= content[block]
        share[new] += content[block]
        filled[old] -= 1
        filled[new] += 1
        fold_of[block] = new
    return fold_of


def _start(blocks: Blocks, folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return bands of blocks of equal number, across a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    across = blocks.centres @ np.array([np.cos(angle), np.sin(angle)])
    fold_of = np.empty(len(across), np.int64)
    fold_of[np.argsort(across, kind="stable")] = np.arange(len(across)) * folds // len(across)
    return fold_of


def _neighbours(blocks: Blocks) -> list[npt.NDArray[np.int64]]:
    """Return the blocks around each, up to eight."""
    place = {tuple(centre): number for number, centre in enumerate(blocks.centres.tolist())}
    steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    return [
        np.array([place[at] for i, j in steps if (at := (row + i, column + j)) in place], np.int64)
        for row, column in blocks.centres.tolist()
    ]
