"""Splits from published masks."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.registry import locate, read
from hsi.scenes.grid import Grid
from hsi.scenes.labels import Labels

log = logging.getLogger(__name__)

Mask = npt.NDArray[np.bool_]

# Names under which published masks keep their two sides.
MASK_KEYS = (("train", "test"), ("train_disjoint", "test_disjoint"))
LABELS_OF = ("ground-truth", "mask")
# Pixels of each class on both sides of a named mask; of any other mask, none are known.
# Houston 2013: C. Debes et al., "Hyperspectral and LiDAR data fusion: outcome of the 2013 GRSS data
# fusion contest", IEEE JSTARS 7(6), 2014; 2,832 and 12,197 pixels, passed on as two label rasters.
MASKS: dict[str, tuple[tuple[int, ...], ...]] = {
    "mask": (),
    "houston2013": (
        (198, 190, 192, 188, 186, 182, 196, 191, 193, 191, 181, 192, 184, 181, 187),
        (1053, 1064, 505, 1056, 1056, 143, 1072, 1053, 1059, 1036, 1054, 1041, 285, 247, 473),
    ),
}


def mask_split(
    labels: Labels, kind: str, value: str, labels_of: str = "ground-truth"
) -> tuple[Mask, Mask, dict[str, Any], npt.NDArray[np.int32] | None]:
    """Return both sides of a split from a file, or from two.

    Parameters
    ----------
    labels : Labels
    kind : {'mask', 'houston2013'}
        Of `MASKS`; a named one must hold the published pixels of each class.
    value : str
        A file with `train` and `test`, or `train_disjoint` and `test_disjoint`, not zero where a
        pixel belongs; 'FILE:TRAIN,TEST' names other variables, 'FILE,FILE' two files, the training
        side first. A file with a single plane, or 'FILE:TRAIN', is the training side, and all other
        labelled pixels are tested. A mask that holds class numbers may count them in another order
        than the labels, which is found and reported.
    labels_of : {'ground-truth', 'mask'}
        Whether the labels or the mask decide the class of its pixels, and whether those count that
        the labels leave unlabelled.

    Returns
    -------
    train, test : ndarray (H, W), bool
    notes : dict
        `labels_of`; `unlabelled_in_mask`, the mask's pixels that the labels leave unlabelled, and
        by side `unlabelled_in_train` and `unlabelled_in_test`; for a mask of class numbers
        `class_order`, the class of the labels by that of the mask, and `other_class_in_mask`,
        pixels that do not follow it.
    classes : ndarray (H, W), int32, or None
        With `labels_of` 'mask': the class of each pixel in the numbers of the labels, the mask's
        own where it has one, else that of the labels.

    Raises
    ------
    HsiError
        No such file or variable, another size, pixels on both sides, other than the published
        pixels; with `labels_of` 'mask', class numbers that are not there or cannot be matched.
    """
    published = MASKS[kind]
    sources = _sources(value)
    if published and len(sources) < 2:
        raise HsiError(f"`how` {kind}:{value}: expected both sides, {kind}:TRAIN.mat,TEST.mat")
    numbers = [read_side(source, labels) for source in sources]
    if published:
        _expect_published(kind, sources, numbers)
    train, test = np.zeros((2, *labels.ground_truth.shape), np.bool_)
    own = labels_of == "mask"
    overlap = 0
    unlabelled = [0, 0]
    pairs: Counter[tuple[int, int]] = Counter()
    for rows in labels.strips():
        truth, known = labels.ground_truth[rows], labels.ground_truth[rows] > 0
        sides = [mask[rows].astype(np.int64) for mask in numbers]
        one = sides[0] != 0
        two = sides[1] != 0 if len(sides) > 1 else known & ~one
        overlap += int((one & two).sum())
        for side, pixels in enumerate((one, two)):
            unlabelled[side] += int((pixels & ~known).sum())
        train[rows], test[rows] = one & (known | own), two & (known | own)
        number = np.sum(sides, axis=0)
        both = np.stack([number[known & (number > 0)], truth[known & (number > 0)]], axis=1)
        for pair, count in zip(*np.unique(both, axis=0, return_counts=True), strict=True):
            pairs[(int(pair[0]), int(pair[1]))] += int(count)
    named = " and ".join(sources)
    if overlap:
        raise HsiError(
            f"{named}: {overlap} pixels are in both, expected none; leave each in one of them"
        )
    if sum(unlabelled) and not own:
        log.warning("%s: left out %d pixels that the labels leave unlabelled; `labels_of` mask "
                    "takes the mask's own classes", named, sum(unlabelled))  # fmt: skip
    found = {int(n) for mask in numbers for rows in labels.strips() for n in np.unique(mask[rows])}
    several = sum(number > 0 for number in found) > 1
    notes = {
        "labels_of": labels_of,
        "unlabelled_in_mask": sum(unlabelled),
        "unlabelled_in_train": unlabelled[0],
        "unlabelled_in_test": unlabelled[1],
        **(_class_order(pairs) if several else {}),
    }
    if not own:
        return train, test, notes, None
    if not several:
        raise HsiError(f"{named}: expected class numbers for `labels_of` mask, found one; leave it")
    return train, test, notes, _own_classes(labels, numbers, notes["class_order"], named)


def read_side(source: str, labels: Labels) -> npt.NDArray[Any]:
    """Return one side of a mask, (H, W), checked against size and place of the labels."""
    contents = read(source, "labels")
    mask = np.asarray(contents.array)
    if mask.shape != labels.ground_truth.shape:
        raise HsiError(
            f"{source}: expected {labels.ground_truth.shape} pixels as in the labels, "
            f"found {mask.shape}"
        )
    rows, columns = mask.shape
    grid = Grid(f"the labels {labels.name}", (rows, columns), labels.georeference)
    grid.expect_here(source, contents.georeference)
    if mask.dtype.kind == "f" and not all(
        np.isfinite(mask[rows]).all() for rows in labels.strips()
    ):
        raise HsiError(f"{source}: expected 0 where a pixel does not belong, found nan")
    return mask


def _own_classes(
    labels: Labels,
    numbers: Sequence[npt.NDArray[Any]],
    order: Mapping[str, int],
    named: str,
) -> npt.NDArray[np.int32]:
    """Return the mask's classes in the numbers of the labels, and elsewhere those of the labels."""
    twice = [label for label, count in Counter(order.values()).items() if count > 1]
    if twice:
        listed = " and ".join(number for number, label in order.items() if label == twice[0])
        raise HsiError(
            f"{named}: expected each class of the mask to be one of {labels.name}, found {listed} "
            f"to be mostly its class {twice[0]}; leave out `labels_of`"
        )
    classes = labels.ground_truth.astype(np.int32)
    for mask in numbers:
        for rows in labels.strips():
            part = mask[rows]
            for number in np.unique(part[part > 0]):
                if str(int(number)) not in order:
                    raise HsiError(
                        f"{named}: expected pixels that {labels.name} labels in every class of the "
                        f"mask, found none in its class {number:g}; leave out `labels_of`"
                    )
                classes[rows][part == number] = order[str(int(number))]
    return classes


def _expect_published(
    kind: str, sources: Sequence[str], numbers: Sequence[npt.NDArray[Any]]
) -> None:
    """Raise HsiError where the two sides of a named split do not hold the published pixels."""
    for source, mask, wanted in zip(sources, numbers, MASKS[kind], strict=True):
        found = np.bincount(mask[mask > 0].astype(np.int64), minlength=len(wanted) + 1)[1:]
        if int(found.sum()) != sum(wanted):
            raise HsiError(
                f"{source}: expected the {sum(wanted):,} pixels of {kind}, found {found.sum():,}; "
                f"give the published masks as {kind}:TRAIN,TEST"
            )
        wrong = [n for n, count in enumerate(wanted, 1) if len(found) < n or found[n - 1] != count]
        if wrong:
            place = wrong[0] - 1
            raise HsiError(
                f"{source}: expected {wanted[place]} pixels of class {wrong[0]} as published of "
                f"{kind}, found {found[place]}; take mask:TRAIN,TEST for another order of classes"
            )


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


def _sources(value: str) -> tuple[str, ...]:
    """Return the sources of both sides of a mask, or of the training side alone."""
    if (both := both_named(value)) is not None:
        return both
    for keys in MASK_KEYS:
        try:
            for key in keys:
                read(f"{value}:{key}", "labels")
        except HsiError:
            continue
        return f"{value}:{keys[0]}", f"{value}:{keys[1]}"
    locate(value)
    try:
        read(value, "labels")
    except HsiError as error:
        known = " or ".join(" and ".join(keys) for keys in MASK_KEYS)
        raise HsiError(
            f"{value}: expected the masks {known}, or a single one; name others as "
            "mask:FILE:TRAIN,TEST"
        ) from error
    return (value,)


def both_named(value: str) -> tuple[str, str] | None:
    """Return the sources of both sides where two files or variables are named, without a look."""
    if not value:
        raise HsiError("`how` mask:: expected a file, such as mask:dase.npz")
    first, comma, second = value.partition(",")
    if not comma or Path(value).is_file():
        return None
    file, colon, _ = first.rpartition(":")
    if colon and not _is_there(second):
        return first, f"{file}:{second}"
    for source in (first, second):
        locate(source)
    return first, second


def _is_there(source: str) -> bool:
    """Return whether a source names a file."""
    try:
        locate(source)
    except HsiError:
        return False
    return True
