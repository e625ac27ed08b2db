"""What stands where nothing was measured: the words of all formats for it, and masks.

Files tell it as an attribute (`_FillValue`, `Data_Ignore_Value`, …), as a number, a list or a text,
often shortened (`-3.40282e+38` for float32's lowest number), as HDF5's fill value, or as a mask.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

# Names of attributes, without case, spaces, dashes and underscores; the first counts most.
WORDS = (
    "fillvalue", "dataignorevalue", "nodatavalue", "nodata", "ignorevalue", "missingvalue",
    "missing", "nullvalue", "nodatavalues", "backgroundvalue", "invalidvalue",
)  # fmt: skip
NOTHING = ("", "none", "null", "n/a", "na", "unknown", "undefined", "not set")
# Larger numbers are never measured; text shortens them, so that they need not be equal.
SENTINEL = 1e30
SHORTENED = 1e-5  # relative, of six digits
# What class 0 is called where it is no class.
UNLABELLED = (
    "unclassified", "unlabelled", "unlabeled", "background", "none", "nodata", "no data",
    "undefined", "unknown", "ignore", "void", "",
)  # fmt: skip


class Mask(Protocol):
    """Which pixels hold data: an array, or a file that is read when sliced."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        ...

    def __getitem__(self, key: Any, /) -> Any: ...


def stated(attributes: Mapping[str, Any], where: str) -> tuple[float, ...]:
    """Return the values that attributes state for no data, the most usual word's first.

    Parameters
    ----------
    attributes : mapping
        Numbers, arrays, texts, by names in any case and spelling.
    where : str
        The file, for messages.

    Returns
    -------
    tuple of float
        Each value once; NaN among them. Empty if nothing is stated.
    """
    by_word: dict[str, list[float]] = {}
    for key, value in attributes.items():
        if tells(key):
            by_word.setdefault(_word(key), []).extend(values(value, f"{where}: {key}"))
    found = [value for word in WORDS for value in by_word.get(word, [])]
    return tuple({repr(value): value for value in found}.values())


def tells(name: str) -> bool:
    """Return whether an attribute or variable of this name states what stands for no data."""
    return _word(name) in WORDS


def values(value: Any, where: str) -> tuple[float, ...]:
    """Return the numbers in what a file states for no data: a number, an array or a text.

    A text that is no number is logged and left out.
    """
    found: list[float] = []
    for part in np.ravel(np.asarray(value, dtype=object)):
        if isinstance(part, bytes):
            part = part.decode(errors="replace")
        if isinstance(part, np.ndarray):
            found.extend(values(part, where))
        elif isinstance(part, str):
            for text in re.split(r"[,;\s]+", part.strip(" \n\t{}[]()\"'\0")):
                number = _number(text)
                if number is not None:
                    found.append(number)
                elif text.lower() not in NOTHING:
                    log.warning("%s: expected a number, found '%s'; left out", where, text)
        elif isinstance(part, (int, np.integer)):
            found.append(int(part))
        elif isinstance(part, (float, np.floating)):
            found.append(float(part))
    return tuple(found)


def equals(array: npt.NDArray[Any], value: float) -> npt.NDArray[np.bool_]:
    """Return where an array has a value that stands for no data; NaN equals NaN.

    The value is taken as the array's type would hold it. Beyond 1e30, five digits decide, as texts
    shorten such numbers.
    """
    nowhere: npt.NDArray[np.bool_] = np.zeros(array.shape, np.bool_)
    if array.dtype.kind != "f":
        held = held_as(value, array.dtype)
        return nowhere if held is None else np.asarray(array == held, np.bool_)
    if np.isnan(value):
        return np.asarray(np.isnan(array), np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):
        if SENTINEL <= abs(value) < np.inf:
            near = np.abs(array - array.dtype.type(value)) <= abs(value) * SHORTENED
            return np.asarray(near | (array == array.dtype.type(value)), np.bool_)
        return np.asarray(array == array.dtype.type(value), np.bool_)


def held_as(value: float, dtype: np.dtype[Any]) -> Any:
    """Return a value as a type, or None where the type cannot hold it."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(value)
    if not np.isfinite(value) or value != int(value):
        return None
    limits = np.iinfo(dtype)
    return dtype.type(int(value)) if limits.min <= int(value) <= limits.max else None


class IgnoredValues:
    """A mask of the pixels of a cube that have one of several values for no data.

    Parameters
    ----------
    cube : Cube (H, W, B)
        Read when the mask is sliced.
    ignored : iterable of float
    good : ndarray (B,), bool, optional
        Bands that count.
    """

    def __init__(
        self, cube: Any, ignored: Iterable[float], good: npt.NDArray[np.bool_] | None = None
    ) -> None:
        self.cube, self.ignored, self.good = cube, tuple(ignored), good
        self.shape: tuple[int, ...] = tuple(cube.shape[:2])

    def __getitem__(self, key: Any) -> npt.NDArray[np.bool_]:
        spectra = np.asarray(self.cube[key])
        spectra = spectra if self.good is None else spectra[..., self.good]
        empty = np.zeros(spectra.shape[:-1], np.bool_)
        for value in self.ignored:
            found = equals(spectra, value)
            empty |= found.all(axis=-1) if value == 0 else found.any(axis=-1)
        return ~empty


def first_and_mask(
    ignored: tuple[float, ...],
    cube: Any,
    mask: Mask | None = None,
    bad_bands: npt.NDArray[np.bool_] | None = None,
) -> tuple[float | None, Mask | None]:
    """Return what a scene keeps of several values: the first one, and a mask of all others.

    Values that the cube's type cannot hold are left out if others remain.
    """
    possible = tuple(value for value in ignored if held_as(value, cube.dtype) is not None)
    ignored = possible or ignored[:1]
    if len(ignored) < 2 or mask is not None:
        return (ignored[0] if ignored else None), mask
    return ignored[0], IgnoredValues(cube, ignored, None if bad_bands is None else ~bad_bands)


def unlabelled(
    path: Any,
    array: npt.NDArray[Any],
    ignored: Iterable[float],
    *,
    mask: npt.NDArray[np.bool_] | None = None,
    background: str | None = None,
) -> npt.NDArray[Any]:
    """Return class numbers with 0 where a file says that there is no data.

    A file that states another number for no data may use 0 for a class: that is logged, with what
    to do.

    Parameters
    ----------
    path : Path
        For messages.
    array : ndarray (H, W)
        Class numbers.
    ignored : iterable of float
        Values that stand for no data.
    mask : ndarray (H, W), bool, optional
        True where there is data.
    background : str, optional
        What the file calls class 0.
    """
    empty = np.zeros(array.shape, np.bool_) if mask is None else ~mask
    others = [value for value in ignored if value != 0]
    for value in others:
        empty |= equals(array, value)
    zeros = int(((array == 0) & ~empty).sum())
    if zeros and empty.any() and (background or "no name").strip().lower() not in UNLABELLED:
        how = f"{others[0]:g} stands for no data" if others else "a mask tells what has no data"
        log.warning(
            "%s: %s, so 0 may be a class; class 0 counts as unlabelled here (%d pixels); if it is "
            "a class, add 1 to every class number",
            path, how, zeros,
        )  # fmt: skip
    return np.where(empty, array.dtype.type(0), array) if empty.any() else array


def _word(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name.lower())


def _number(text: str) -> float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None
