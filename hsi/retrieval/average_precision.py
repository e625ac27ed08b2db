"""Mean average precision of answers in the order of their scores, and what chance reaches."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

VALUES_AT_ONCE = 2**21  # scores that are sorted at once


def average_precision(scores: Floats, relevant: Mask) -> npt.NDArray[np.float64]:
    """Return the average precision of each query, over all answers.

    Answers of equal score are taken at once, as scikit-learn's `average_precision_score` does: the
    order of the answers given does not count.

    Parameters
    ----------
    scores : ndarray (Q, N)
        Of N answers to each of Q queries; the highest comes first. −inf leaves an answer out.
    relevant : ndarray (Q, N), bool
        Which answers are right.

    Returns
    -------
    ndarray (Q,), float64
        0 to 1; NaN for a query without a right answer.

    Examples
    --------
    >>> average_precision(np.array([[0.9, 0.8, 0.7]]), np.array([[True, False, True]]))
    array([0.83333333])
    """
    ordered = np.sort(scores, axis=1)
    found = np.full(len(scores), np.nan)
    for query, (values, right) in enumerate(zip(scores, relevant, strict=True)):
        hits = np.sort(values[right])
        hits = hits[np.searchsorted(hits, -np.inf, "right") :]
        if len(hits):
            # How many answers, and how many right ones, score at least as much as each right one.
            all_of = scores.shape[1] - np.searchsorted(ordered[query], hits)
            right_of = len(hits) - np.searchsorted(hits, hits)
            found[query] = np.mean(right_of / all_of)
    return found


@dataclass(frozen=True)
class MeanPrecision:
    """Mean average precision over queries.

    Attributes
    ----------
    everywhere : float
        Per cent, of all answers, the query's own pixel among them, as published.
    apart : float
        Per cent, without answers whose patch holds the query's spectrum, and the reverse; NaN where
        no query has a right answer left, or it is not asked for.
    """

    everywhere: float
    apart: float


def mean_average_precision(
    scores: Callable[[npt.NDArray[np.int64]], Floats],
    classes: npt.NDArray[np.int64],
    positions: npt.NDArray[np.int64],
    half: int | None = None,
    queries: npt.NDArray[np.int64] | None = None,
) -> MeanPrecision:
    """Return the mean average precision where pixels query all N pixels, some at once.

    Parameters
    ----------
    scores : callable
        From some queries (Q,), int64, to scores (Q, N).
    classes : ndarray (N,)
        An answer is right if it is of the query's class.
    positions : ndarray (N, 2)
        Row and column: answers at most `half` rows and columns away share measurements with the
        query.
    half : int, optional
        Half a patch's side; by default no answer is taken for near.
    queries : ndarray (Q,), int64, optional
        Which pixels query; by default all.
    """
    step = max(1, VALUES_AT_ONCE // len(classes))
    everywhere, apart = [], []
    chosen = np.arange(len(classes)) if queries is None else queries
    for start in range(0, len(chosen), step):
        part = chosen[start : start + step]
        values = np.array(scores(part), copy=True)
        right = classes[part, None] == classes
        everywhere.append(average_precision(values, right))
        if half is not None:
            values[np.abs(positions[part, None] - positions).max(axis=2) <= half] = -np.inf
            apart.append(average_precision(values, right))
    return MeanPrecision(_mean(everywhere), _mean(apart))


def _mean(parts: list[npt.NDArray[np.float64]]) -> float:
    """Return the mean in per cent of all values that are known; NaN where none is."""
    values = np.concatenate(parts) if parts else np.empty(0)
    known = values[~np.isnan(values)]
    return 100 * float(known.mean()) if len(known) else float("nan")


def chance(relevant: int, answers: int) -> float:
    """Return the expected average precision of a random order, exactly.

    The answer at place k is right with chance R / N, and then R − 1 of the other N − 1 answers are
    right, of which k − 1 come before it.

    Parameters
    ----------
    relevant, answers : int
        R of N answers are right.

    Examples
    --------
    >>> chance(1, 2), chance(5, 5)
    (0.75, 1.0)
    """
    places = np.arange(1, answers + 1)
    others = (relevant - 1) / max(answers - 1, 1)
    return float(np.mean((1 + (places - 1) * others) / places))
