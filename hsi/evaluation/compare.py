"""McNemar's test: whether two maps differ by more than chance on the same test pixels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from hsi.errors import HsiError, expect_kind
from hsi.evaluation.test_pixels import classes_on_test_pixels
from hsi.scenes.labels import Labels
from hsi.splits.split import Split

MCNEMAR_COLUMNS = (
    "scene",
    "split",
    "seed",
    "first",
    "second",
    "both_right",
    "only_first_right",
    "only_second_right",
    "neither_right",
    "chi_squared",
    "p_value",
)
FEW = 25  # disagreements below which the binomial distribution is used, not its limit


@dataclass(frozen=True)
class McNemar:
    """Counts of test pixels that two classifiers have right, and McNemar's test of them.

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
    """Test whether two classifiers differ by more than chance.

    Parameters
    ----------
    first : ndarray (n,), bool
        True where the first classifier has a test pixel right.
    second : ndarray (n,), bool
        The same of the second classifier, for the same test pixels.

    Returns
    -------
    McNemar
        Counts of pixels, `statistic` (chi-squared with one degree of freedom) and `p_value`.

    Raises
    ------
    HsiError
        There are no pixels, not as many in both, or values other than bool.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> first = np.array([True] * 90 + [False] * 10)
    >>> second = np.array([True] * 70 + [False] * 30)
    >>> found = hsi.mcnemar(first, second)
    >>> found.first, found.second, f"{found.p_value:.1g}"
    (20, 0, '2e-06')
    """
    from scipy.stats import binom, chi2

    for name, mask in (("first", first), ("second", second)):
        expect_kind(mask, np.ndarray, name, "convert it with numpy.asarray")
    if first.shape != second.shape or not first.size:
        raise HsiError(
            f"expected the same test pixels of both maps, at least one, found {first.size} and "
            f"{second.size}"
        )
    if first.dtype != bool or second.dtype != bool:
        raise HsiError(
            f"`first` and `second`: expected bool, whether each test pixel is right, found "
            f"{first.dtype} and {second.dtype}"
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
    """Return McNemar's test of two maps (H, W) of class numbers on the test pixels of a split.

    Raises
    ------
    HsiError
        Maps, labels and split do not belong together; a map holds other numbers than classes.
    """
    labels = split.own_labels(labels)
    truth = labels.ground_truth[split.test]
    one = classes_on_test_pixels("first map", first, labels, split)
    two = classes_on_test_pixels("second map", second, labels, split)
    return mcnemar(one == truth, two == truth)


def compared(
    runs: Sequence[Mapping[str, Any]], folders: Sequence[Path]
) -> Iterator[dict[str, Any]]:
    """Yield a comparison of any two runs of one scene, split and seed.

    Parameters
    ----------
    runs : sequence of mapping
        Contents of the `scores.json` of each run.
    folders : sequence of Path
        Where `right.npy` of each lies.

    Yields
    ------
    dict
        Of `MCNEMAR_COLUMNS`, and more.

    Raises
    ------
    HsiError
        A folder without `right.npy`.
    """
    shared = ("scene", "split", "seed", "test_sha256")
    groups: dict[tuple[Any, ...], list[tuple[str, Path]]] = {}
    for run, folder in zip(runs, folders, strict=True):
        case = tuple(run.get(key) for key in shared)
        groups.setdefault(case, []).append((run["classifier"], folder))
    for case, group in groups.items():
        for (first, one), (second, two) in combinations(group, 2):
            found = mcnemar(_right(one), _right(two))
            yield {
                **dict(zip(shared, case, strict=True)),
                "first": first,
                "second": second,
                "both_right": found.both,
                "only_first_right": found.first,
                "only_second_right": found.second,
                "neither_right": found.neither,
                "chi_squared": f"{found.statistic:.3f}",
                "p_value": f"{found.p_value:.3g}",
            }


def _right(folder: Path) -> npt.NDArray[np.bool_]:
    path = folder / "right.npy"
    with parsing(path, "expected the test pixels of hsi score", HsiError):
        right: npt.NDArray[np.bool_] = np.load(path, allow_pickle=False)
        if right.ndim != 1 or right.dtype != np.bool_:
            raise HsiError(f"expected one truth value per pixel, found {right.dtype} {right.shape}")
    return right
