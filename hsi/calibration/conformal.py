"""Sets of classes that hold the true one with a stated probability: split conformal [1]_.

A class is in the set of a pixel if its probability is at least that which the true classes of the
held-out pixels mostly reach. The coverage holds for pixels that are drawn as the held-out ones
were. Where they are apart, as on separated blocks, it need not.

References
----------
.. [1] M. Sadinle, J. Lei, L. Wasserman, "Least ambiguous set-valued classifiers with bounded error
   levels", Journal of the American Statistical Association 114, 2019.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

PERCENT = range(50, 100)  # coverages for which a model keeps the probability, in percent


def least_probabilities(true: npt.NDArray[np.floating[Any]]) -> list[float]:
    """Return, for each coverage of `PERCENT`, the probability that a class of a set has at least.

    Parameters
    ----------
    true : ndarray (n,), float
        Probability of the true class of each held-out pixel.

    Returns
    -------
    list of float
        0 where there are too few pixels to promise the coverage: all classes are in every set.

    Examples
    --------
    >>> import numpy as np
    >>> found = least_probabilities(np.linspace(0.01, 1, 100))
    >>> round(found[PERCENT.index(90)], 2)
    0.1
    """
    falling = np.sort(true)[::-1]
    count = len(falling)
    places = [math.ceil((count + 1) * percent / 100) for percent in PERCENT]
    return [float(falling[place - 1]) if place <= count else 0.0 for place in places]


def check_coverage(coverage: float) -> int:
    """Return a coverage in percent.

    Raises
    ------
    HsiError
        It is not one of 0.50, 0.51, … 0.99.
    """
    percent = round(100 * coverage) if math.isfinite(coverage) else 0
    if percent not in PERCENT or not math.isclose(percent, 100 * coverage, abs_tol=1e-6):
        raise HsiError(
            f"`sets` {coverage:g}: expected a coverage from 0.5 to 0.99 in steps of 0.01"
        )
    return percent


def least_for(kept: Sequence[float], coverage: float) -> np.float32:
    """Return the probability from which a class is in the sets of a coverage.

    Parameters
    ----------
    kept : sequence of float
        Of `least_probabilities`.
    coverage : float
        From 0.5 to 0.99.
    """
    return np.float32(kept[PERCENT.index(check_coverage(coverage))])


def class_sets(probabilities: npt.NDArray[np.float32], least: np.float32) -> npt.NDArray[np.uint8]:
    """Return the sets of pixels: 1 for a class that is in it, else 0, (..., C).

    The most probable class is in every set. Pixels without data, all of whose probabilities are 0,
    have an empty one.

    Parameters
    ----------
    probabilities : ndarray (..., C), float32
    least : float
        Of `least_for`.
    """
    top = probabilities.max(axis=-1, keepdims=True)
    inside: npt.NDArray[np.bool_] = (probabilities >= np.minimum(least, top)) & (top > 0)
    return inside.astype(np.uint8)
