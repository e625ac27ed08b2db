"""Leakage: how much of the test set a window classifier has seen while training."""

from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError, expect_kind
from hsi.formats.lazy import row_blocks

FAR = np.iinfo(np.uint16).max
LEAKAGE = (
    "test_in_training_window",
    "test_window_holds_training",
    "nearest_train_min",
    "nearest_train_median",
    "nearest_train_max",
)


def chebyshev_distance(targets: npt.NDArray[np.bool_]) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Return the distance of every pixel to the nearest True pixel of `targets`, (H, W), in pixels.

    The Chebyshev distance, max(|Δrow|, |Δcolumn|): a square window of side w around a pixel holds
    exactly the pixels at distance w // 2 or less. The largest number of its type without a target;
    that is uint16 for all but the longest scenes.

    Two passes over the rows, down and up: what lies above is one step further from a row than from
    the row before it, where the row before it is looked at one column to either side [1]_. Beside
    the result, only a row is kept in memory.

    References
    ----------
    .. [1] A. Rosenfeld, J. L. Pfaltz, "Distance functions on digital pictures", Pattern
       Recognition 1, 1968.
    """
    height, width = targets.shape
    kind = np.uint16 if max(height, width) < FAR else np.uint32
    far = np.int64(np.iinfo(kind).max)
    distance = np.empty((height, width), kind)
    columns = np.arange(width, dtype=np.int64)
    reached = np.full(width, far)
    for row in range(height):
        own = np.where(targets[row], 0, far)
        own = np.minimum(
            np.minimum.accumulate(own - columns) + columns,
            (np.minimum.accumulate((own + columns)[::-1]))[::-1] - columns,
        )
        reached = np.minimum(own, _stepped(reached)).clip(max=far)
        distance[row] = reached
    for row in range(height - 2, -1, -1):
        reached = np.minimum(distance[row], _stepped(reached)).clip(max=far)
        distance[row] = reached
    return distance


def _stepped(distance: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the distances of a row as the next one sees them: of three neighbours, one more."""
    nearest = distance.copy()
    np.minimum(nearest[1:], distance[:-1], out=nearest[1:])
    np.minimum(nearest[:-1], distance[1:], out=nearest[:-1])
    return nearest + 1


def leakage_report(
    train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_], window: int
) -> dict[str, Any]:
    """Return how close the test pixels lie to the training pixels.

    Parameters
    ----------
    train : ndarray (H, W), bool
        The training pixels.
    test : ndarray (H, W), bool
        The test pixels.
    window : int
        Odd side of the classifier's window, in pixels.

    Returns
    -------
    dict
        `test_in_training_window`: percentage of test pixels that lie inside the window of some
        training pixel. `test_window_holds_training`: percentage of those whose own window holds a
        training pixel; windows are square and of one size, so it is the same.
        `nearest_train_{min,median,max}`: Chebyshev distance from a test pixel to the nearest
        training pixel, in pixels. All are None without test or training pixels.

    Raises
    ------
    HsiError
        The masks are not of bool or not of one shape; `window` is not odd.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> train, test = np.zeros((1, 9), bool), np.zeros((1, 9), bool)
    >>> train[0, 0], test[0, [1, 8]] = True, True
    >>> report = hsi.leakage_report(train, test, window=5)
    >>> report["test_in_training_window"], report["nearest_train_max"]
    (50.0, 8)
    """
    for name, mask in (("train", train), ("test", test)):
        expect_kind(mask, np.ndarray, name, "convert it with numpy.asarray")
    expect_kind(window, Integral, "window", "give a whole number of pixels")
    if train.dtype != bool or test.dtype != bool or train.shape != test.shape:
        raise HsiError(
            f"`train` and `test`: expected masks of bool and of one shape, found {train.dtype} "
            f"{train.shape} and {test.dtype} {test.shape}"
        )
    if window < 1 or window % 2 == 0:
        raise HsiError(f"`window` {window}: expected an odd number of pixels, such as 25")
    counts = _counted(chebyshev_distance(train), test) if train.any() else np.empty(0, np.int64)
    total = int(counts.sum())
    if not total:
        return dict.fromkeys(LEAKAGE)
    share = round(100 * float(int(counts[: window // 2 + 1].sum()) / total), 4)
    below = np.cumsum(counts)
    middle = [
        int(np.searchsorted(below, place, "right")) for place in ((total - 1) // 2, total // 2)
    ]
    return {
        "test_in_training_window": share,
        "test_window_holds_training": share,
        "nearest_train_min": int(np.flatnonzero(counts)[0]),
        "nearest_train_median": float(np.mean(middle)),
        "nearest_train_max": int(np.flatnonzero(counts)[-1]),
    }


def _counted(
    distance: npt.NDArray[np.unsignedinteger[Any]], test: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Return how many test pixels lie at each distance from 0 up."""
    counts = np.zeros(max(distance.shape), np.int64)
    for rows in row_blocks(distance.shape, distance.itemsize):
        counts += np.bincount(distance[rows][test[rows]], minlength=len(counts))
    return counts
