"""Splits from published masks."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.registry import locate, read
from hsi.scenes.labels import Labels

log = logging.getLogger(__name__)

Mask = npt.NDArray[np.bool_]

# Names under which published masks keep their two sides.
MASK_KEYS = (("train", "test"), ("train_disjoint", "test_disjoint"))


def mask_split(
    labels: Labels, value: str, window: int, rng: np.random.Generator
) -> tuple[Mask, Mask, dict[str, Any]]:
    """Return both sides of a split from a file.

    Parameters
    ----------
    labels : Labels
    value : str
        A file with `train` and `test`, or `train_disjoint` and `test_disjoint`, not zero where a
        pixel belongs; 'FILE:TRAIN,TEST' names other variables. A file with a single plane, or
        'FILE:TRAIN', is the training side, and all other labelled pixels are tested. The labels
        decide the class of a pixel; where a mask holds class numbers they may be in another order,
        which is reported.

    Returns
    -------
    train, test : ndarray (H, W), bool
        Labelled pixels.
    notes : dict
        `unlabelled_in_mask`, pixels left out; for a mask of class numbers `class_order`, the class
        of the labels by that of the mask, and `other_class_in_mask`, pixels that do not follow it.

    Raises
    ------
    HsiError
        No such file or variable, another size, or pixels on both sides.
    """
    del window, rng
    file, keys = _source(value)
    numbers = []
    for key in keys:
        mask = np.asarray(read(f"{file}:{key}" if key else file, "labels").array)
        called = f"{file}: {key or 'mask'}"
        if mask.shape != labels.ground_truth.shape:
            raise HsiError(
                f"{called}: expected {labels.ground_truth.shape} pixels as in the labels, "
                f"found {mask.shape}"
            )
        if mask.dtype.kind == "f" and not np.isfinite(mask).all():
            raise HsiError(f"{called}: expected 0 where a pixel does not belong, found nan")
        numbers.append(mask.astype(np.int64))
    train = numbers[0] != 0
    test = numbers[1] != 0 if len(numbers) > 1 else (labels.ground_truth > 0) & ~train
    overlap = int((train & test).sum())
    if overlap:
        raise HsiError(
            f"{file}: {overlap} pixels are in both {' and '.join(keys)}, expected none; "
            "leave each in one of them"
        )
    unlabelled = int(((train | test) & (labels.ground_truth == 0)).sum())
    if unlabelled:
        log.warning("%s: left out %d pixels that the labels leave unlabelled", file, unlabelled)
    labelled = labels.ground_truth > 0
    notes = {"unlabelled_in_mask": unlabelled, **_class_order(labels, np.sum(numbers, axis=0))}
    return train & labelled, test & labelled, notes


def mask_name(value: str) -> str:
    """Return the name of a mask, that of its file without folder and suffix."""
    return locate(_source(value)[0])[0].stem


def _class_order(labels: Labels, numbers: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return, for each class of a mask, the labels' class that most of its pixels have."""
    found = [int(number) for number in np.unique(numbers) if number > 0]
    if len(found) < 2:
        return {}
    order, others = {}, 0
    for number in found:
        truth = labels.ground_truth[(numbers == number) & (labels.ground_truth > 0)]
        if not truth.size:
            continue
        counts = np.bincount(truth)
        order[str(number)] = int(counts.argmax())
        others += int(truth.size - counts.max())
    if any(int(number) != label for number, label in order.items()):
        pairs = ", ".join(f"{number} is {label}" for number, label in order.items())
        log.info("the mask counts the classes in another order: %s", pairs)
    if others:
        log.warning("%d pixels of the mask are of another class in the labels", others)
    return {"class_order": order, "other_class_in_mask": others}


def _source(value: str) -> tuple[str, tuple[str, ...]]:
    """Return the file of a mask and its two variables, or one, '' for a single plane."""
    if not value:
        raise HsiError("`how` mask:: expected a file, such as mask:dase.npz")
    file, colon, named = value.rpartition(":")
    if colon and "," in named and not Path(value).is_file():
        first, _, second = named.partition(",")
        return file, (first, second)
    for keys in MASK_KEYS:
        try:
            for key in keys:
                read(f"{value}:{key}", "labels")
        except HsiError:
            continue
        return value, keys
    locate(value)
    try:
        read(value, "labels")
    except HsiError as error:
        known = " or ".join(" and ".join(keys) for keys in MASK_KEYS)
        raise HsiError(
            f"{value}: expected the masks {known}, or a single one; name others as "
            "mask:FILE:TRAIN,TEST"
        ) from error
    return value, ("",)
