"""Leakage: how much of the test set a window classifier has seen while training."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

LEAKAGE = (
    "test_in_training_window",
    "test_window_holds_training",
    "nearest_train_min",
    "nearest_train_median",
    "nearest_train_max",
)


def chebyshev_distance(targets: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the distance of every pixel to the nearest True pixel of `targets`, (H, W), in pixels.

    The Chebyshev distance, max(|Δrow|, |Δcolumn|): a square window of side w around a pixel holds
    exactly the pixels at distance w // 2 or less. Infinite without a target.
    """
    from scipy.ndimage import distance_transform_cdt

    if not targets.any():
        return np.full(targets.shape, np.inf)
    distance: npt.NDArray[np.float64] = distance_transform_cdt(
        ~targets, metric="chessboard"
    ).astype(np.float64)
    return distance


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
    if train.dtype != bool or test.dtype != bool or train.shape != test.shape:
        raise HsiError(
            f"`train` and `test`: expected masks of bool and of one shape, found {train.dtype} "
            f"{train.shape} and {test.dtype} {test.shape}"
        )
    if window < 1 or window % 2 == 0:
        raise HsiError(f"`window` {window}: expected an odd number of pixels, such as 25")
    distance = chebyshev_distance(train)[test]
    if not distance.size or not np.isfinite(distance).all():
        return dict.fromkeys(LEAKAGE)
    share = round(100 * float((distance <= window // 2).mean()), 4)
    return {
        "test_in_training_window": share,
        "test_window_holds_training": share,
        "nearest_train_min": int(distance.min()),
        "nearest_train_median": float(np.median(distance)),
        "nearest_train_max": int(distance.max()),
    }
