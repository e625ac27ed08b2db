"""Splits with a guard band between training and test pixels, by how they are asked for."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.labels import Labels
from hsi.splits.drawn import parsed
from hsi.splits.folds import fold_split
from hsi.splits.polygons import polygon_split
from hsi.splits.separated import block_split

Mask = npt.NDArray[np.bool_]


def blocks(labels: Labels, value: str, window: int, seed: int) -> tuple[Mask, Mask, dict[str, Any]]:
    """Return a split by whole blocks, 'blocks:N'."""
    side = parsed(value, int)
    longest = max(labels.ground_truth.shape)
    if side is None or not 1 <= side <= longest // 2:
        raise HsiError(
            f"`how` blocks:{value}: expected a whole number of pixels, 1 to {longest // 2}"
        )
    train, test, unlearnt = block_split(labels, side, window // 2, np.random.default_rng(seed))
    dropped = int(labels.count().sum()) - int(train.sum()) - int(test.sum())
    return train, test, {
        "guard": window // 2,
        "dropped": dropped,
        "unlearnt_pixels": unlearnt,
        "block": side,
    }  # fmt: skip


def whole_polygons(
    labels: Labels, value: str, window: int, seed: int
) -> tuple[Mask, Mask, dict[str, Any]]:
    """Return a split by whole polygons, 'polygons:F'."""
    share = parsed(value, float)
    if share is None or not 0 < share < 1:
        raise HsiError(f"`how` polygons:{value}: expected a share between 0 and 1, such as 0.5")
    return polygon_split(labels, share, window // 2, np.random.default_rng(seed))


def block_fold(
    labels: Labels, value: str, window: int, seed: int
) -> tuple[Mask, Mask, dict[str, Any]]:
    """Return one fold of a partition of blocks, 'kfold:K,blocks:N'."""
    given = re.fullmatch(r"(\d+),blocks:(\d+)", value)
    longest = max(labels.ground_truth.shape)
    if given is None or int(given[1]) < 2 or not 1 <= int(given[2]) <= longest // 2:
        raise HsiError(
            f"`how` kfold:{value}: expected at least 2 folds of blocks of 1 to {longest // 2} "
            "pixels, such as kfold:5,blocks:16"
        )
    folds, side = int(given[1]), int(given[2])
    rng = np.random.default_rng(seed // folds)
    train, test = fold_split(labels, folds, seed % folds, side, window // 2, rng)
    dropped = int(labels.count().sum()) - int(train.sum()) - int(test.sum())
    return train, test, {
        "fold": seed % folds,
        "folds": folds,
        "partition": seed // folds,
        "guard": window // 2,
        "dropped": dropped,
        "block": side,
    }  # fmt: skip
