"""Splits from published masks."""

import logging
from collections import Counter
from collections.abc import Mapping
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
    labels: Labels, value: str, window: int, seed: int
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
    del window, seed
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
        if mask.dtype.kind == "f" and not all(
            np.isfinite(mask[rows]).all() for rows in labels.strips()
        ):
            raise HsiError(f"{called}: expected 0 where a pixel does not belong, found nan")
        numbers.append(mask)
    train, test = np.zeros((2, *labels.ground_truth.shape), np.bool_)
    overlap = unlabelled = 0
    pairs: Counter[tuple[int, int]] = Counter()
    for rows in labels.strips():
        truth, known = labels.ground_truth[rows], labels.ground_truth[rows] > 0
        sides = [mask[rows].astype(np.int64) for mask in numbers]
        one = sides[0] != 0
        two = sides[1] != 0 if len(sides) > 1 else known & ~one
        overlap += int((one & two).sum())
        unlabelled += int(((one | two) & ~known).sum())
        train[rows], test[rows] = one & known, two & known
        number = np.sum(sides, axis=0)
        both = np.stack([number[known & (number > 0)], truth[known & (number > 0)]], axis=1)
        for pair, count in zip(*np.unique(both, axis=0, return_counts=True), strict=True):
            pairs[(int(pair[0]), int(pair[1]))] += int(count)
    if overlap:
        raise HsiError(
            f"{file}: {overlap} pixels are in both {' and '.join(keys)}, expected none; "
            "leave each in one of them"
        )
    if unlabelled:
        log.warning("%s: left out %d pixels that the labels leave unlabelled", file, unlabelled)
    found = {int(n) for mask in numbers for rows in labels.strips() for n in np.unique(mask[rows])}
    several = sum(number > 0 for number in found) > 1
    notes = {"unlabelled_in_mask": unlabelled, **(_class_order(pairs) if several else {})}
    return train, test, notes


def mask_name(value: str) -> str:
    """Return the name of a mask, that of its file without folder and suffix."""
    return locate(_source(value)[0])[0].stem


def _class_order(pairs: Mapping[tuple[int, int], int]) -> dict[str, Any]:
    """Return, for each class of a mask, the labels' class that most of its pixels have.

    Parameters
    ----------
    pairs : mapping
        Pixels by their class in the mask and in the labels.
    """
    order, others = {}, 0
    for number in sorted({number for number, _ in pairs}):
        counts = {label: count for (own, label), count in sorted(pairs.items()) if own == number}
        most = max(counts, key=lambda label: counts[label])
        order[str(number)] = most
        others += sum(counts.values()) - counts[most]
    if any(int(number) != label for number, label in order.items()):
        listed = ", ".join(f"{number} is {label}" for number, label in order.items())
        log.info("the mask counts the classes in another order: %s", listed)
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
