"""A map on the test pixels of a split: class numbers, and pixels that it has not learned from."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.labels import Labels
from hsi.metrics import check_numbers
from hsi.splits import Split

log = logging.getLogger(__name__)


def classes_on_test_pixels(
    name: str, numbers: npt.NDArray[Any], labels: Labels, split: Split
) -> npt.NDArray[np.int64]:
    """Take the class numbers of a map on the test pixels, (n,), row by row of the scene.

    Parameters
    ----------
    name : str
        What messages call the map.
    numbers : ndarray (H, W)
        Whole numbers, of any type.
    labels, split
        Of one another.

    Raises
    ------
    HsiError
        Map, labels and split do not belong together, or the map holds something else than classes
        of the labels on a test pixel.
    """
    split.check_fits(labels)
    truth = labels.ground_truth
    if numbers.shape != truth.shape:
        raise HsiError(
            f"{name}: expected {truth.shape} pixels as in the labels {labels.name}, "
            f"found {numbers.shape}"
        )
    found = numbers[split.test]
    wrong = found[~np.isfinite(found) | (found != np.rint(found))]
    if wrong.size:
        raise HsiError(f"{name}: expected class numbers, found {wrong[0]:g}; give a map of classes")
    whole = found.astype(np.int64)
    check_numbers(name, whole, labels.classes)
    return whole


def check_unseen(trained: Mapping[str, Any] | None, labels: Labels, split: Split) -> None:
    """Refuse to score a map on another split of the labels than its classifier learned from.

    Parameters
    ----------
    trained : mapping, optional
        What `Split.describe` returned of the split that the classifier learned from; None where
        that is not known.
    labels, split
        To score on.

    Raises
    ------
    HsiError
        The labels are the same, and the split is another: test pixels may be among those that the
        classifier learned from.
    """
    if trained is None:
        return
    if trained["labels_checksum"] != labels.checksum():
        log.warning(
            "the classifier of the map learned from other labels than %s: see that no test pixel "
            "is among its training pixels",
            labels.name,
        )
        return
    described = json.loads(json.dumps(split.describe()))
    if any(trained[key] != described[key] for key in described if key != "how"):
        raise HsiError(
            f"map: its classifier learned from the split {trained['how']} of seed "
            f"{trained['seed']}, so that test pixels of {split.how} of seed {split.seed} are among "
            "its training pixels; score it on its own split"
        )
