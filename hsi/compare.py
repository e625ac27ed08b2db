"""Whether two maps differ by more than chance: McNemar's test on the same test pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.labels import Labels
from hsi.splits import Split

FEW = 25  # disagreements below which the binomial distribution is used, not its limit


@dataclass(frozen=True)
class McNemar:
    """Pixels that only one of two classifiers has right, and how likely that is by chance.

    Attributes
    ----------
    both, first, second, neither : int
        Test pixels that both, only the first, only the second, and neither have right.
    statistic : float
        (|first − second| − 1)² / (first + second), chi-squared with one degree of freedom [1]_;
        0 where the classifiers never disagree.
    p_value : float
        Two-sided; exact (binomial) below 25 disagreements. It takes the pixels as independent;
        neighbours are not, so that it is smaller than it should be.

    References
    ----------
    .. [1] A. L. Edwards, "Note on the 'correction for continuity' in testing the significance of
       the difference between correlated proportions", Psychometrika 13, 1948.
    """

    both: int
    first: int
    second: int
    neither: int
    statistic: float
    p_value: float


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> McNemar:
    """Compare two classifiers by the pixels that each has right.

    Parameters
    ----------
    first, second : ndarray (n,), bool
        Whether each classifier has each test pixel right.

    Raises
    ------
    HsiError
        No pixels, or not as many in both.
    """
    from scipy.stats import binom, chi2

    if first.shape != second.shape or not first.size:
        raise HsiError(
            f"expected the same test pixels of both maps, at least one, found {first.size} and "
            f"{second.size}"
        )
    one, two = int((first & ~second).sum()), int((second & ~first).sum())
    apart = one + two
    statistic = (max(abs(one - two) - 1, 0)) ** 2 / apart if apart else 0.0
    if apart < FEW:
        p_value = min(1.0, 2 * float(binom.cdf(min(one, two), apart, 0.5)))
    else:
        p_value = float(chi2.sf(statistic, 1))
    neither = int((~first & ~second).sum())
    return McNemar(int((first & second).sum()), one, two, neither, statistic, p_value)


def compare_maps(
    first: npt.NDArray[np.integer[Any]],
    second: npt.NDArray[np.integer[Any]],
    labels: Labels,
    split: Split,
) -> McNemar:
    """Compare two maps (H, W) of class numbers on the test pixels of a split.

    Raises
    ------
    HsiError
        Maps, labels and split do not belong together.
    """
    split.check_fits(labels)
    truth = labels.ground_truth
    for name, numbers in (("first", first), ("second", second)):
        if numbers.shape != truth.shape:
            raise HsiError(
                f"{name} map: expected {truth.shape} pixels as in the labels {labels.name}, "
                f"found {numbers.shape}"
            )
    test = split.test
    return mcnemar(first[test] == truth[test], second[test] == truth[test])
