"""Ground truth: the class of each labelled pixel, with names and colours."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import sha256_arrays
from hsi.errors import HsiError
from hsi.formats.contents import Contents
from hsi.formats.registry import read
from hsi.scenes.embedded import EMBEDDED, embedded_file
from hsi.scenes.scene import Scene

# By class number, from 1.
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "IndianPines": (
        "Alfalfa",
        "Corn-notill",
        "Corn-mintill",
        "Corn",
        "Grass-pasture",
        "Grass-trees",
        "Grass-pasture-mowed",
        "Hay-windrowed",
        "Oats",
        "Soybean-notill",
        "Soybean-mintill",
        "Soybean-clean",
        "Wheat",
        "Woods",
        "Buildings-Grass-Trees-Drives",
        "Stone-Steel-Towers",
    ),
    "PaviaU": (
        "Asphalt",
        "Meadows",
        "Gravel",
        "Trees",
        "Painted metal sheets",
        "Bare Soil",
        "Bitumen",
        "Self-Blocking Bricks",
        "Shadows",
    ),
    "Salinas": (
        "Brocoli_green_weeds_1",
        "Brocoli_green_weeds_2",
        "Fallow",
        "Fallow_rough_plow",
        "Fallow_smooth",
        "Stubble",
        "Celery",
        "Grapes_untrained",
        "Soil_vinyard_develop",
        "Corn_senesced_green_weeds",
        "Lettuce_romaine_4wk",
        "Lettuce_romaine_5wk",
        "Lettuce_romaine_6wk",
        "Lettuce_romaine_7wk",
        "Vinyard_untrained",
        "Vinyard_vertical_trellis",
    ),
}


LARGEST = 2**20  # class number: there are names and colours for all up to the highest


@dataclass(frozen=True)
class Labels:
    """Ground truth with names and colours.

    Attributes
    ----------
    name : str
        Of the scene.
    ground_truth : ndarray (H, W), int64
        Class numbers; 0 is unlabelled.
    class_names : tuple of str
        One for each of `classes`, in their order.
    colours : ndarray (C, 3), uint8
        One for each of `classes`, in their order.

    Raises
    ------
    HsiError
        Fewer than two classes, or not as many names or colours as classes.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    >>> labels = hsi.Labels("tiny", np.array([[1, 0], [4, 4]]), ("field", "wood"), colours)
    >>> labels.classes.tolist(), labels.indices.tolist()
    ([1, 4], [[0, -1], [1, 1]])
    """

    name: str
    ground_truth: npt.NDArray[np.int64]
    class_names: tuple[str, ...]
    colours: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            found = "none" if not len(self.classes) else f"class {self.classes[0]} alone"
            raise HsiError(f"{self.name}: labels: expected at least two classes, found {found}")
        if len(self.class_names) != len(self.classes) or len(self.colours) != len(self.classes):
            raise HsiError(
                f"{self.name}: expected {len(self.classes)} class names and colours, found "
                f"{len(self.class_names)} and {len(self.colours)}"
            )

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """The class numbers that occur, ascending; they may have gaps."""
        numbers = np.unique(self.ground_truth)
        return numbers[numbers > 0]

    @cached_property
    def indices(self) -> npt.NDArray[np.int64]:
        """Position of each pixel's class in `classes`, (H, W); −1 where unlabelled."""
        found = np.searchsorted(self.classes, self.ground_truth)
        return np.where(self.ground_truth > 0, found, -1).astype(np.int64)

    def checksum(self) -> str:
        """Return the SHA-256 of the class numbers."""
        return sha256_arrays(self.ground_truth)

    def check_fits(self, scene: Scene) -> None:
        """Raise HsiError if the labels are not of the scene's size."""
        if self.ground_truth.shape != scene.shape:
            raise HsiError(
                f"labels {self.name}: expected {scene.shape[0]} × {scene.shape[1]} pixels as scene "
                f"{scene.name} has, found {' × '.join(map(str, self.ground_truth.shape))}; "
                "give the labels of this scene"
            )


def open_labels(source: str | Path) -> Labels:
    """Open the ground truth of a scene.

    Parameters
    ----------
    source : str or Path
        A file of a known format with one plane of class numbers, where 'FILE:variable' names a
        variable inside; or 'IndianPines', the ground truth that comes with tensorly.

    Returns
    -------
    Labels
        Names and colours are those of the file, those of a known scene, or made up.

    Raises
    ------
    HsiError
        There is no such file, it holds no plane of whole numbers from 0 up, or fewer than two
        classes.

    Examples
    --------
    >>> import hsi
    >>> labels = hsi.open_labels("IndianPines")
    >>> labels.ground_truth.shape, len(labels.classes), labels.class_names[1]
    ((145, 145), 16, 'Corn-notill')
    """
    if str(source) == EMBEDDED:
        array = np.load(embedded_file("Indian_pines_gt.npy"), allow_pickle=False)
        return make_labels(EMBEDDED, array)
    found = read(source, "labels")
    return make_labels(found.path.stem, found.array, _listed_names(found), found.colours)


def make_labels(
    name: str,
    array: npt.NDArray[Any],
    names: Sequence[str] | None = None,
    colours: npt.NDArray[np.uint8] | None = None,
) -> Labels:
    """Return labels of checked class numbers, with names and colours.

    Parameters
    ----------
    name : str
        Of the scene; that of a known scene brings its class names.
    array : ndarray (H, W)
        Whole numbers from 0 (unlabelled, as NaN is) up, of any type.
    names : sequence of str, optional
        By class number, background first. Equal ones get their numbers.
    colours : ndarray (C + 1, 3), uint8, optional
        By class number, background first; else those of `spectral`.
    """
    if array.ndim != 2:
        raise HsiError(f"{name}: labels: expected (rows, columns), found shape {array.shape}")
    numbers = _whole(name, array)
    classes = [int(c) for c in np.unique(numbers) if c > 0]
    top = max(classes, default=0)
    if names is None or len(names) <= top:
        names = ["", *_known_names(name, top)]
    twice = {name for name, count in Counter(names[c] for c in classes).items() if count > 1}
    palette = spectral_colours(top) if colours is None or len(colours) <= top else colours
    return Labels(
        name,
        numbers,
        tuple(f"{names[c]} ({c})" if names[c] in twice else names[c] for c in classes),
        np.asarray(palette, np.uint8)[classes].reshape(-1, 3),
    )


def spectral_colours(top: int) -> npt.NDArray[np.uint8]:
    """Return the field's usual colours for the classes 0 to `top`, (top + 1, 3); 0 is black."""
    from spectral import spy_colors

    wheel = np.asarray(spy_colors, np.uint8)
    return np.array([wheel[0], *(wheel[1:][(c - 1) % (len(wheel) - 1)] for c in range(1, top + 1))])


def _whole(name: str, array: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if array.dtype.kind not in "biuf":
        raise HsiError(f"{name}: labels: expected whole numbers, found {array.dtype}")
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), 0, array)
        wrong = ~np.isfinite(array) | (array != np.round(array))
        if wrong.any():
            raise HsiError(
                f"{name}: labels: expected whole numbers, found {array[wrong][0]} at "
                f"{int(wrong.sum())} pixels; give class numbers, 0 for unlabelled"
            )
    numbers = np.asarray(array).astype(np.int64)
    if (numbers < 0).any():
        raise HsiError(f"{name}: labels: expected 0 or more, found {numbers.min()}; use 0 for none")
    if numbers.max(initial=0) > LARGEST:
        raise HsiError(
            f"{name}: labels: expected class numbers up to {LARGEST}, found {numbers.max()}; use 0 "
            "for unlabelled pixels"
        )
    return numbers


def _known_names(name: str, top: int) -> list[str]:
    plain = name.lower().replace("_", "").removesuffix("gt").removesuffix("corrected")
    plain = "salinas" if plain == "salinasa" else plain  # a part of it, with the same numbers
    for known, names in CLASS_NAMES.items():
        if plain == known.lower() and top <= len(names):
            return list(names)
    return [f"class {number}" for number in range(1, top + 1)]


def _listed_names(found: Contents) -> list[str] | None:
    return None if found.class_names is None else [str(name) for name in found.class_names]
