"""Areas of classes with confidence intervals, by the stratified estimator [1]_.

The pixels that a map calls a class are a stratum. Of each, the test pixels are taken as a random
sample: what they truly are tells how much of the stratum belongs to which class.

References
----------
.. [1] P. Olofsson, G. M. Foody, M. Herold, S. V. Stehman, C. E. Woodcock, M. A. Wulder, "Good
   practices for estimating area and assessing accuracy of land change", Remote Sensing of
   Environment 148, 2014, equations 1 to 11.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.artifacts import write_json
from engine.tables import write_csv
from hsi.errors import HsiError
from hsi.evaluation.metrics import scores_of
from hsi.evaluation.test_pixels import classes_on_test_pixels
from hsi.scenes.labels import Labels
from hsi.splits.split import Split

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

Z95 = 1.96  # of a two-sided interval of 95 %, as the source has it
FEWEST = 2  # test pixels of a stratum from which its variance can be estimated
COLUMNS = (
    "class_id",
    "class_name",
    "mapped_pixels",
    "test_pixels_mapped",
    "test_pixels_true",
    "unit",
    "mapped_area",
    "area",
    "area_ci95",
    "share_percent",
    "share_ci95",
    "users_accuracy",
    "users_ci95",
    "producers_accuracy",
    "producers_ci95",
)


@dataclass(frozen=True)
class AreaEstimate:
    """Areas and accuracies with half the width of their 95 % intervals, as shares from 0 to 1.

    Attributes
    ----------
    proportions : ndarray (C, C)
        Error matrix as shares of the mapped area: row, the map's class; column, the true class.
    area, area_ci95 : ndarray (C,)
        Share of the mapped area that truly is of each class.
    users, users_ci95 : ndarray (C,)
        Share of what the map calls a class that is of it. NaN for a class that is nowhere mapped.
    producers, producers_ci95 : ndarray (C,)
        Share of a class that the map finds. NaN for a class without true test pixels.
    overall, overall_ci95 : float
    """

    proportions: Floats
    area: Floats
    area_ci95: Floats
    users: Floats
    users_ci95: Floats
    producers: Floats
    producers_ci95: Floats
    overall: float
    overall_ci95: float


def estimate_area(counts: npt.NDArray[np.integer[Any]], mapped: npt.NDArray[Any]) -> AreaEstimate:
    """Return areas and accuracies from test pixels and a map's areas.

    Parameters
    ----------
    counts : ndarray (C, C), int
        Test pixels. Row: the map's class. Column: the true class.
    mapped : ndarray (C,)
        Area of each class in the map, in any unit.

    Returns
    -------
    AreaEstimate

    Raises
    ------
    HsiError
        A class that is mapped has fewer than two test pixels, so that nothing can be said of it.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[97, 0, 3], [3, 279, 18], [2, 1, 97]])
    >>> found = estimate_area(counts, np.array([22353, 1122543, 610228]))
    >>> found.area.round(4).tolist(), round(found.overall, 4)
    ([0.0257, 0.5985, 0.3758], 0.9444)
    """
    weight = np.asarray(mapped, np.float64) / float(np.sum(mapped))
    sample = counts.sum(axis=1)
    short = (weight > 0) & (sample < FEWEST)
    if short.any():
        first = int(np.flatnonzero(short)[0])
        raise HsiError(
            f"expected at least {FEWEST} test pixels in every class of the map, found "
            f"{int(sample[first])} in the class at place {first + 1}, {100 * weight[first]:.2f} % "
            "of the map; label more pixels there"
        )
    used = weight > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(used[:, None], counts / np.maximum(sample, 1)[:, None], 0.0)
        spread = np.where(
            used[:, None], share * (1 - share) / np.maximum(sample - 1, 1)[:, None], 0.0
        )
        proportions = weight[:, None] * share
        area = proportions.sum(axis=0)
        users = np.where(used, np.diag(share), np.nan)
        producers = np.where(area > 0, np.diag(proportions) / area, np.nan)
        users_variance = np.where(used, np.diag(spread), np.nan)
        weighed = weight[:, None] ** 2 * spread
        own = np.diag(weighed)
        others = weighed.sum(axis=0) - own
        producers_variance = ((1 - producers) ** 2 * own + producers**2 * others) / area**2
    return AreaEstimate(
        proportions,
        area,
        Z95 * np.sqrt(weighed.sum(axis=0)),
        users,
        Z95 * np.sqrt(users_variance),
        producers,
        Z95 * np.sqrt(producers_variance),
        float(np.trace(proportions)),
        Z95 * float(np.sqrt(own.sum())),
    )


def area_table(
    numbers: npt.NDArray[Any],
    labels: Labels,
    split: Split,
    *,
    hectares_per_pixel: float | None = None,
) -> tuple[AreaEstimate, pd.DataFrame, pd.DataFrame]:
    """Return the areas of a map's classes, corrected by its errors on the test pixels.

    Parameters
    ----------
    numbers : ndarray (H, W)
        Class numbers of the map; 0 is no data, and no part of the area.
    labels, split
        The test pixels are taken as a random sample of each class of the map.
    hectares_per_pixel : float, optional
        Else areas are in pixels.

    Returns
    -------
    AreaEstimate, DataFrame, DataFrame
        The second has `COLUMNS`, areas in hectares or pixels and accuracies in per cent; the third
        is the error matrix in shares of the area, in per cent.

    Raises
    ------
    HsiError
        Map, labels and split do not belong together; the map holds a class that the labels lack,
        or one with fewer than two test pixels.
    """
    labels = split.own_labels(labels)
    predicted = classes_on_test_pixels("map", numbers, labels, split)
    counts = scores_of(labels.ground_truth[split.test], predicted, labels.classes).confusion.T
    mapped = np.zeros(len(labels.classes), np.int64)
    for rows in labels.strips():
        found, size = np.unique(np.nan_to_num(numbers[rows]), return_counts=True)
        strange = np.setdiff1d(found, np.append(0, labels.classes))
        if strange.size:
            raise HsiError(
                f"map: expected the classes of the labels, found {strange[0]:g}, of which no test "
                "pixel can be; label some, or take the labels that the map was made of"
            )
        places = np.searchsorted(labels.classes, found[found > 0])
        np.add.at(mapped, places, size[found > 0])
    sample = counts.sum(axis=1)
    for place in np.flatnonzero((mapped > 0) & (sample < FEWEST)).tolist():
        raise HsiError(
            f"map: expected at least {FEWEST} test pixels in every class of the map, found "
            f"{sample[place]} in {labels.class_names[place]} ({mapped[place]} pixels); label more "
            "pixels there, or make another split"
        )
    made = estimate_area(counts, mapped)
    total, unit = float(mapped.sum()), "pixels"
    if hectares_per_pixel is not None:
        total, unit = total * hectares_per_pixel, "ha"
    rows_ = []
    for i, (number, name) in enumerate(zip(labels.classes, labels.class_names, strict=True)):
        rows_.append(
            {
                "class_id": int(number),
                "class_name": name,
                "mapped_pixels": int(mapped[i]),
                "test_pixels_mapped": int(sample[i]),
                "test_pixels_true": int(counts[:, i].sum()),
                "unit": unit,
                "mapped_area": _text(total * mapped[i] / mapped.sum()),
                "area": _text(total * made.area[i]),
                "area_ci95": _text(total * made.area_ci95[i]),
                "share_percent": _text(100 * made.area[i]),
                "share_ci95": _text(100 * made.area_ci95[i]),
                "users_accuracy": _text(100 * made.users[i]),
                "users_ci95": _text(100 * made.users_ci95[i]),
                "producers_accuracy": _text(100 * made.producers[i]),
                "producers_ci95": _text(100 * made.producers_ci95[i]),
            }
        )
    matrix = {"mapped \\ true": list(labels.class_names)}
    for name, column in zip(labels.class_names, made.proportions.T, strict=True):
        matrix[name] = [_text(100 * value) for value in column]
    return made, pd.DataFrame(rows_), pd.DataFrame(matrix)


def write_area(
    numbers: npt.NDArray[Any],
    labels: Labels,
    split: Split,
    out: Path,
    *,
    hectares_per_pixel: float | None = None,
) -> AreaEstimate:
    """Write `area.csv`, `error_matrix.csv` and `area.json`; see `area_table`."""
    made, table, matrix = area_table(numbers, labels, split, hectares_per_pixel=hectares_per_pixel)
    write_csv(table, out / "area.csv", COLUMNS)
    write_csv(matrix, out / "error_matrix.csv", list(matrix.columns))
    write_json(
        out / "area.json",
        {
            "split": split.how,
            "split_seed": split.seed,
            "test_pixels": int(split.test.sum()),
            "hectares_per_pixel": hectares_per_pixel,
            "overall_accuracy": round(100 * made.overall, 4),
            "overall_ci95": round(100 * made.overall_ci95, 4),
            "assumes": "test pixels are a random sample of the pixels of each mapped class",
        },
    )
    kind = split.how.partition(":")[0]
    if kind not in ("random", "count"):
        log.warning(
            "%s: the intervals take the test pixels as drawn at random and independent; pixels of "
            "the same polygons or blocks are alike, so that the true intervals are wider",
            split.how,
        )
    return made


def _text(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"
