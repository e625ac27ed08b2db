"""Class numbers of a ground truth: checked, counted and stored with little memory."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.lazy import row_blocks

STRIP_BYTES = 64  # per pixel, of all temporary arrays of a strip
LARGEST = 2**20  # class number: there are names and colours for all up to the highest


def occurring(numbers: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Return the different class numbers of an array (H, W), ascending, with little memory."""
    found = np.empty(0, np.int64)
    for rows in row_blocks(numbers.shape, STRIP_BYTES):
        found = np.union1d(found, np.unique(numbers[rows]).astype(np.int64))
    return found


def is_number(text: str) -> bool:
    """Return whether a text is a class number as it is written: '12', not '012' or '1.5'."""
    return text.isdecimal() and len(text) <= len(str(LARGEST)) and str(int(text)) == text


def smallest_signed(largest: int) -> type[np.signedinteger[Any]]:
    """Return the smallest signed type that holds whole numbers up to `largest`."""
    return next(kind for kind in (np.int8, np.int16, np.int32) if largest <= np.iinfo(kind).max)


def whole_numbers(name: str, array: npt.NDArray[Any]) -> npt.NDArray[np.signedinteger[Any]]:
    """Return checked class numbers (H, W) as int16, or int32 where one of them needs it.

    Parameters
    ----------
    name : str
        Of the scene, for messages.
    array : ndarray (H, W)
        Whole numbers of any type from 0 up; NaN is unlabelled, as what a mask hides is.

    Raises
    ------
    HsiError
        It holds something else, or a number above 2^20.
    """
    if isinstance(array, np.ma.MaskedArray):
        array = array.filled(0)
    if array.dtype.kind not in "biuf":
        raise HsiError(f"{name}: labels: expected whole numbers, found {array.dtype}")
    strips = list(row_blocks(array.shape, STRIP_BYTES))
    if array.dtype.kind == "f":
        wrong = [_not_whole(np.asarray(array[rows])) for rows in strips]
        if count := sum(map(len, wrong)):
            first = next(found[0] for found in wrong if len(found))
            raise HsiError(
                f"{name}: labels: expected whole numbers, found {first} at "
                f"{count} pixels; give class numbers, 0 for unlabelled"
            )
    lowest = highest = 0
    for rows in strips:
        found = _ends(np.asarray(array[rows]))
        lowest, highest = min(lowest, found[0]), max(highest, found[1])
    if lowest < 0:
        raise HsiError(f"{name}: labels: expected 0 or more, found {lowest}; use 0 for none")
    if highest > LARGEST:
        raise HsiError(
            f"{name}: labels: expected class numbers up to {LARGEST}, found {highest}; use 0 "
            "for unlabelled pixels"
        )
    kind = np.int16 if highest <= np.iinfo(np.int16).max else np.int32
    numbers = np.empty(array.shape, kind)
    for rows in strips:
        values = np.asarray(array[rows])
        numbers[rows] = (
            np.where(np.isnan(values), 0, values) if values.dtype.kind == "f" else values
        )
    return numbers


def _not_whole(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the values that are neither whole numbers nor NaN."""
    values = values[~np.isnan(values)]
    wrong: npt.NDArray[Any] = values[~np.isfinite(values) | (values != np.round(values))]
    return wrong


def _ends(values: npt.NDArray[Any]) -> tuple[int, int]:
    """Return the lowest and the highest number, no matter what is not one; 0 counts as there."""
    if values.dtype.kind == "f":
        values = values[~np.isnan(values)]
    return int(values.min(initial=0)), int(values.max(initial=0))
