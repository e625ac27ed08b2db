"""Splits by scenes: one is tested, the others are learnt from."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.class_numbers import occurring, whole_numbers
from hsi.scenes.labels import Labels
from hsi.splits.masks import read_side
from hsi.splits.separated import outside

Mask = npt.NDArray[np.bool_]


def leave_one_out(
    labels: Labels, value: str, window: int, seed: int
) -> tuple[Mask, Mask, dict[str, Any]]:
    """Return a split that tests one scene, 'loso:FILE'.

    Parameters
    ----------
    labels : Labels
    value : str
        A raster of the labels' size with the number of the scene (or field, or flight line) that
        each pixel lies in, as `hsi append` writes it; 0 where there is none.
    window : int
        Training pixels within half of it of a test pixel are dropped: parts of one scene may touch.
    seed : int
        The scene to test, from 0 in ascending order of the numbers.

    Returns
    -------
    train, test : ndarray (H, W), bool
    notes : dict
        `scene`, the number of the one that is tested, `scenes`, how many have labels, `guard`,
        `dropped`, and `outside`, labelled pixels that lie in none.

    Raises
    ------
    HsiError
        No such file, another size, labels in fewer than two scenes, or fewer scenes than `seed`
        asks for.
    """
    if not value:
        raise HsiError("`how` loso:: expected a file of scene numbers, such as loso:scenes.hdr")
    places = whole_numbers(value, read_side(value, labels))
    numbers = occurring(np.where(labels.ground_truth > 0, places, 0))
    numbers = numbers[numbers > 0]
    if len(numbers) < 2:
        raise HsiError(
            f"{value}: expected labels in two scenes or more, found them in {len(numbers)}; hsi "
            "append writes several scenes as one"
        )
    if seed >= len(numbers):
        raise HsiError(
            f"`seed` {seed}: expected 0 to {len(numbers) - 1}, one for each scene of {value}"
        )
    number = int(numbers[seed])
    labelled = labels.ground_truth > 0
    test = labelled & (places == number)
    train = outside(labels, test, window // 2) & (places > 0)
    total = int(labelled.sum())
    return train, test, {
        "scene": number,
        "scenes": len(numbers),
        "guard": window // 2,
        "dropped": total - int(train.sum()) - int(test.sum()),
        "outside": int((labelled & (places <= 0)).sum()),
    }  # fmt: skip
