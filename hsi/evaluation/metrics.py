"""Accuracies from the confusion matrix of the test pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

Floats = npt.NDArray[np.float64]
PART = 2**20  # pixels that are looked at together
MANY = 20  # test pixels from which a class counts in `aa_min20`


@dataclass(frozen=True)
class Scores:
    """Accuracies in percent; kappa × 100. A class without test pixels has NaN, not 0 or 1.

    Attributes
    ----------
    confusion : ndarray (C, C), int64
        Row: true class. Column: predicted class.
    unanswered : ndarray (C,), int64, optional
        Test pixels of each true class that the map leaves open; they count as wrong.
    """

    confusion: npt.NDArray[np.int64]
    unanswered: npt.NDArray[np.int64] | None = None

    @property
    def support(self) -> npt.NDArray[np.int64]:
        """Number of test pixels of each class, (C,)."""
        answered: npt.NDArray[np.int64] = self.confusion.sum(axis=1)
        return answered if self.unanswered is None else answered + self.unanswered

    @property
    def coverage(self) -> float:
        """Percentage of the test pixels that the map names a class of."""
        return 100 * int(self.confusion.sum()) / int(self.support.sum())

    @property
    def oa_answered(self) -> float:
        """Percentage of them that is right; NaN where the map leaves all open."""
        answered = int(self.confusion.sum())
        return 100 * float(np.trace(self.confusion)) / answered if answered else float("nan")

    @property
    def oa(self) -> float:
        """Overall accuracy: the share of test pixels that are right."""
        return 100 * float(np.trace(self.confusion)) / int(self.support.sum())

    @property
    def aa(self) -> float:
        """Average accuracy: the mean recall over the classes that have test pixels."""
        return float(np.nanmean(self.recall))

    @property
    def aa_min20(self) -> float:
        """Average accuracy over the classes of at least 20 test pixels; NaN without any.

        A class of two test pixels weighs as much as any other in `aa`, and is right by chance.
        """
        many = self.support >= MANY
        return float(self.recall[many].mean()) if many.any() else float("nan")

    @property
    def kappa(self) -> float:
        """Cohen's kappa × 100: agreement beyond what the class frequencies give by chance.

        NaN where chance alone gives full agreement, with a single class.
        """
        total = int(self.support.sum())
        expected = float(self.confusion.sum(axis=0) @ self.support) / total**2
        observed = float(np.trace(self.confusion)) / total
        return 100 * (observed - expected) / (1 - expected) if expected < 1 else float("nan")

    @property
    def recall(self) -> Floats:
        """Percentage of a class's pixels that are found ('producer's accuracy'), (C,)."""
        return _percent(np.diag(self.confusion), self.support)

    @property
    def precision(self) -> Floats:
        """Percentage of the pixels given a class that are right ('user's accuracy'), (C,).

        Zero for a class with test pixels that is never predicted; NaN for one without any.
        """
        predicted = self.confusion.sum(axis=0)
        found = _percent(np.diag(self.confusion), predicted)
        return self._of_tested(np.where(predicted > 0, found, 0.0))

    @property
    def f1(self) -> Floats:
        """Harmonic mean of recall and precision in percent, (C,)."""
        both = self.support + self.confusion.sum(axis=0)
        return self._of_tested(_percent(2 * np.diag(self.confusion), both))

    def _of_tested(self, values: Floats) -> Floats:
        return np.where(self.support > 0, values, np.nan)


def check_numbers(
    name: str, predicted: npt.NDArray[np.integer[Any]], classes: npt.NDArray[np.int64]
) -> None:
    """Raise HsiError if the numbers of a map on test pixels (n,) are not all in `classes`."""
    strangers = np.empty(0, np.int64)
    for part in parts(len(predicted)):
        strangers = np.union1d(strangers, np.setdiff1d(predicted[part], classes))
    if strangers.size and strangers[0] == 0:
        raise HsiError(
            f"{name}: expected a class on every test pixel, found 0, which stands for no data, on "
            f"{len(predicted) - np.count_nonzero(predicted)} of {len(predicted)}; split with "
            "hsi split --scene, which leaves them out, or map without abstaining"
        )
    if strangers.size:
        raise HsiError(
            f"{name}: expected class numbers of the labels ({classes[0]} to {classes[-1]}) on "
            f"every test pixel, found {int(strangers[0])}"
        )


def scores_of(
    truth: npt.NDArray[np.integer[Any]],
    predicted: npt.NDArray[np.integer[Any]],
    classes: npt.NDArray[np.int64],
    *,
    abstains: bool = False,
) -> Scores:
    """Return the scores of test pixels.

    Parameters
    ----------
    truth, predicted : ndarray (n,), whole numbers
        Class numbers of the same pixels.
    classes : ndarray (C,), int64
        The class numbers, ascending.
    abstains : bool
        Whether 0 stands for a pixel that is left open, which then counts as wrong.

    Raises
    ------
    HsiError
        There is no test pixel, or a predicted number is not in `classes`.
    """
    if not truth.size:
        raise HsiError("expected at least one test pixel, found none; make another split")
    if abstains and (open_ := predicted == 0).any():
        answered = scores_of(truth[~open_], predicted[~open_], classes) if not open_.all() else None
        counts = np.bincount(np.searchsorted(classes, truth[open_]), minlength=len(classes))
        none = np.zeros((len(classes), len(classes)), np.int64)
        return Scores(none if answered is None else answered.confusion, counts)
    check_numbers("map", predicted, classes)
    count = len(classes)
    confusion = np.zeros(count * count, np.int64)
    for part in parts(len(truth)):
        row, column = (np.searchsorted(classes, side[part]) for side in (truth, predicted))
        confusion += np.bincount(row * count + column, minlength=count * count)
    return Scores(confusion.reshape(count, count))


def parts(size: int) -> Iterator[slice]:
    """Yield parts of a list of pixels, each of a million at most."""
    for start in range(0, size, PART):
        yield slice(start, min(start + PART, size))


def _percent(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> Floats:
    filled = np.where(whole > 0, whole, 1)
    return np.where(whole > 0, 100 * part / filled, np.nan)
