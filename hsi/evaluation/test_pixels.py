"""Checks of a map on test pixels: valid classes, and none that its classifier learned from."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.evaluation.metrics import check_numbers, parts
from hsi.scenes.labels import Labels
from hsi.splits.split import Split

log = logging.getLogger(__name__)


def classes_on_test_pixels(
    name: str,
    numbers: npt.NDArray[Any],
    labels: Labels,
    split: Split,
    *,
    abstains: bool = False,
) -> npt.NDArray[np.signedinteger[Any]]:
    """Return the class numbers of a map on the test pixels, (n,), row by row of the scene.

    Parameters
    ----------
    name : str
        Name of the map in messages.
    numbers : ndarray (H, W)
        Whole numbers, of any type.
    labels, split
        Of one another.
    abstains : bool
        Whether 0 stands for a pixel that is left open, and is accepted.

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
    if found.dtype.kind == "f":
        for part in parts(len(found)):
            wrong = found[part][~np.isfinite(found[part]) | (found[part] != np.rint(found[part]))]
            if wrong.size:
                raise HsiError(
                    f"{name}: expected class numbers, found {wrong[0]:g}; give a map of classes"
                )
    allowed = np.append(0, labels.classes) if abstains else labels.classes
    check_numbers(name, found, allowed)
    return found.astype(truth.dtype)


def check_unseen(
    name: str, trained: Mapping[str, Any] | None, labels: Labels, split: Split
) -> None:
    """Raise HsiError where a map's classifier learned from another split of the labels.

    Parameters
    ----------
    name : str
        Name of the map in messages.
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
    if trained["labels_checksum"] != split.labels_checksum:
        log.warning(
            "%s: its classifier learned from other labels than %s: see that no test pixel is among "
            "its training pixels",
            name,
            labels.name,
        )
        return
    if trained.get("train_sha256") not in (None, split.describe()["train_sha256"]):
        raise HsiError(
            f"{name}: its classifier learned from other training pixels ({trained['how']}, seed "
            f"{trained['seed']}) than those of {split.how}, seed {split.seed}: test pixels may be "
            "among them; take the split that it learned from"
        )
