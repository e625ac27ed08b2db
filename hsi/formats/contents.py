"""What a format's reader hands back, whatever the format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

Kind = Literal["cube", "labels"]


@dataclass(frozen=True)
class Contents:
    """An array of a file, and what the file says about it.

    Attributes
    ----------
    path : Path
        The file.
    array : ndarray (H, W, B) or (H, W)
        A cube, bands last, or labels.
    wavelengths : ndarray (B,), float64, optional
        In nanometres.
    bad_bands : ndarray (B,), bool, optional
    georeference : mapping, optional
    class_names : sequence of str, optional
        By class number, background first.
    colours : ndarray (C + 1, 3), uint8, optional
        By class number, background first.
    provenance : mapping
        What the reader understood, in words and numbers.
    """

    path: Path
    array: npt.NDArray[Any]
    wavelengths: npt.NDArray[np.float64] | None = None
    bad_bands: npt.NDArray[np.bool_] | None = None
    georeference: Mapping[str, Any] | None = None
    class_names: Sequence[str] | None = None
    colours: npt.NDArray[np.uint8] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


def choose(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    variable: str | None,
    kind: Kind,
) -> str:
    """Choose the variable of a file that holds a cube or labels.

    Parameters
    ----------
    path : Path
        For messages.
    shapes : mapping of str to shape
        The numeric variables.
    variable : str, optional
        The one the user named.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        The named one is not there; none fits; several fit and none stands out by its name.
    """
    listing = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "nothing numeric"
    if variable is not None:
        if variable not in shapes:
            raise HsiError(f"{path}: no variable '{variable}'; the file holds {listing}")
        return variable
    if kind == "cube":
        fitting = [name for name, shape in shapes.items() if len(shape) == 3]
    else:
        fitting = [name for name, s in shapes.items() if len(s) == 2 and min(s) > 1]
        marked = [name for name in fitting if "gt" in name.lower() or "label" in name.lower()]
        fitting = marked if len(marked) == 1 else fitting
    if len(fitting) != 1:
        wanted = "a cube of three axes" if kind == "cube" else "labels of two axes"
        found = "several" if fitting else "none"
        raise HsiError(
            f"{path}: expected {wanted}, found {found} ({listing}); name one as {path}:VARIABLE"
        )
    return fitting[0]


def bands_last(array: npt.NDArray[Any], name: str) -> tuple[npt.NDArray[Any], str]:
    """Turn a cube so that its bands are the last axis, where the file leaves no doubt.

    Bands come last unless the variable's name says otherwise (`chw`, `bsq`, `bands_first`), or the
    last two axes alone are equal, as in (200, 145, 145).

    Returns
    -------
    cube : ndarray (H, W, B)
        A view.
    layout : {'bands last', 'bands first'}
    """
    words = name.lower()
    named = any(word in words for word in ("chw", "bsq", "bands_first"))
    depth, rows, columns = array.shape
    if named or (rows == columns and depth != rows):
        return np.moveaxis(array, 0, -1), "bands first"
    return array, "bands last"
