"""How far probabilities hold on test pixels: calibration error, and accuracy against coverage."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

BINS = 15
COLUMNS = ("coverage", "least_probability", "accuracy")


def calibration_error(
    confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_], bins: int = BINS
) -> float:
    """Return the expected calibration error in percent [1]_.

    The pixels are sorted into bins of equal width by their highest probability; the error is the
    mean difference of accuracy and mean probability in a bin, weighted by its pixels.

    Parameters
    ----------
    confidence : ndarray (n,), float
        Highest probability of each pixel, from 0 to 1.
    right : ndarray (n,), bool
        Whether its class is the true one.
    bins : int

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
       Bayesian binning", AAAI 2015.

    Examples
    --------
    >>> import numpy as np
    >>> round(calibration_error(np.full(10, 0.9), np.arange(10) < 7), 1)
    20.0
    """
    confidence = confidence.astype(np.float64)
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(100 * np.abs(gap).sum() / len(right))


def coverage_curve(
    confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Return the accuracy on the most certain pixels, for 1 to 100 % of them.

    Parameters
    ----------
    confidence : ndarray (n,), float
        Highest probability of each pixel.
    right : ndarray (n,), bool
        Whether its class is the true one.

    Returns
    -------
    DataFrame
        With `COLUMNS`: percentage of the pixels that are answered, the lowest of their highest
        probabilities, and the percentage of them that is right. Pixels of one probability are
        answered together, so that coverages may exceed whole percents; each is listed once.
    """
    order = np.argsort(-confidence, kind="stable")
    levels, hits = confidence[order], np.cumsum(right[order])
    last = np.append(np.flatnonzero(np.diff(levels)), len(levels) - 1)  # of each level
    wanted = np.ceil(np.arange(1, 101) * len(levels) / 100).astype(np.int64) - 1
    ends = np.unique(last[np.searchsorted(last, wanted)])
    return pd.DataFrame(
        {
            "coverage": 100 * (ends + 1) / len(levels),
            "least_probability": levels[ends].astype(np.float64),
            "accuracy": 100 * hits[ends] / (ends + 1),
        }
    )
