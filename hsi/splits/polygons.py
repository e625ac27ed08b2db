"""Splits by whole polygons: no polygon has pixels on both sides."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.labels import Labels
from hsi.splits.separated import keep_apart


def regions(labels: Labels) -> npt.NDArray[np.int32]:
    """Return the polygon of each labelled pixel, (H, W), counted from 1; 0 where unlabelled.

    Where the labels are a raster, a polygon is what one class covers without a break (pixels that
    share an edge).
    """
    if labels.polygons is not None:
        return labels.polygons
    from scipy.ndimage import label

    found = np.zeros(labels.ground_truth.shape, np.int32)
    count = 0
    for number in labels.classes.tolist():
        own = np.empty_like(found)
        size = label(labels.ground_truth == number, output=own)
        own[own > 0] += count
        found += own
        count += size
    return found


def polygon_split(
    labels: Labels, share: float, guard: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, Any]]:
    """Return a split by whole polygons.

    Of each class, polygons are drawn for training until they hold `share` of its pixels, at least
    one; and at least one is tested where the class has two. Training pixels within `guard` of a
    test pixel are dropped.

    Parameters
    ----------
    labels : Labels
    share : float
        Of each class's pixels, above 0 and below 1.
    guard : int
        In pixels.
    rng : Generator

    Returns
    -------
    train, test : ndarray (H, W), bool
    notes : dict
        `polygons`, the number of them by class, `cannot_be_split`, the classes with a single one,
        which is trained on, `guard`, `dropped` and `unlearnt_pixels`.

    Raises
    ------
    HsiError
        No class has two polygons.
    """
    polygon_of = regions(labels)
    size, class_of = _polygons(labels, polygon_of)
    tested = np.zeros(len(size), np.bool_)
    counts: dict[str, int] = {}
    single = []
    for index, number in enumerate(labels.classes.tolist()):
        own = rng.permutation(np.flatnonzero((class_of == index) & (size > 0)))
        counts[str(number)] = len(own)
        if len(own) < 2:
            single.append(f"{number} {labels.class_names[index]}")
            continue
        below = np.cumsum(size[own]) - size[own] / 2 < share * size[own].sum()
        trained = min(max(int(below.sum()), 1), len(own) - 1)
        tested[own[trained:]] = True
    if not tested.any():
        raise HsiError(
            f"`how` polygons:{share:g}: expected a class of two polygons or more, found one of "
            "each; draw more polygons, or split by blocks:16"
        )
    held_out = np.empty(polygon_of.shape, np.bool_)
    for rows in labels.strips():
        held_out[rows] = tested[polygon_of[rows]]
    train, test, unlearnt = keep_apart(labels, held_out, guard)
    dropped = int(labels.count().sum()) - int(train.sum()) - int(test.sum())
    return train, test, {
        "polygons": counts,
        "cannot_be_split": single,
        "guard": guard,
        "dropped": dropped,
        "unlearnt_pixels": unlearnt,
    }  # fmt: skip


def _polygons(
    labels: Labels, polygon_of: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pixels and the class's position of each polygon, by number; of 0, none."""
    count = int(polygon_of.max(initial=0)) + 1
    size, class_of = np.zeros(count, np.int64), np.full(count, -1)
    for rows in labels.strips():
        inside = (polygon_of[rows] > 0) & (labels.ground_truth[rows] > 0)
        found = polygon_of[rows][inside]
        size += np.bincount(found, minlength=count)
        class_of[found] = labels.indices[rows][inside]
    return size, class_of
