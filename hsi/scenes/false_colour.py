"""Three bands of a scene as a colour picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError, expect_kind
from hsi.formats.no_data import equals
from hsi.scenes.scene import Scene

# Near infrared, red and green as red, green and blue: vegetation is red. In nanometres.
INFRARED = (860.0, 650.0, 550.0)
FARTHEST = 50.0  # of a band centre from the asked wavelength
LARGEST_PICTURE = 1500  # pixels that are drawn along a side
STRETCH = (2.0, 98.0)  # percentiles that become black and full brightness


def choose_bands(scene: Scene) -> tuple[int, int, int]:
    """Return the bands to show as red, green and blue.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    tuple of 3 int
        Indices of the bands next to 860, 650 and 550 nm where the scene has wavelengths and bands
        within 50 nm of each; without wavelengths those that the file shows by default; else three
        good bands, at five, three and one sixth of them.
    """
    good = scene.good_bands
    if scene.wavelengths is not None:
        centres = scene.wavelengths[good]
        nearest = [int(np.abs(centres - asked).argmin()) for asked in INFRARED]
        if all(abs(centres[n] - a) <= FARTHEST for n, a in zip(nearest, INFRARED, strict=True)):
            red, green, blue = (int(good[index]) for index in nearest)
            return red, green, blue
    elif scene.default_bands is not None and len(scene.default_bands) == 3:
        red, green, blue = scene.default_bands
        return red, green, blue
    red, green, blue = (int(good[len(good) * sixths // 6]) for sixths in (5, 3, 1))
    return red, green, blue


def false_colour(scene: Scene, bands: tuple[int, int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Return three bands of a scene as a picture.

    Each band is stretched so that its 2nd percentile is black and its 98th is full brightness.

    Parameters
    ----------
    scene : Scene
    bands : tuple of 3 int, optional
        Indices of the bands shown as red, green and blue, counted from 0; `choose_bands` chooses
        them unless given.

    Returns
    -------
    ndarray (H, W, 3), uint8
        Values that are not finite, or that stand for no data, are black.

    Raises
    ------
    HsiError
        A band is not in the scene, or holds no finite value.

    Examples
    --------
    >>> import hsi
    >>> picture = hsi.false_colour(hsi.open_scene("IndianPines"))
    >>> picture.shape, picture.dtype.name
    ((145, 145, 3), 'uint8')
    """
    expect_kind(scene, Scene, "scene", "open it with hsi.open_scene")
    bands = bands or choose_bands(scene)
    count = scene.cube.shape[2]
    if len(bands) != 3 or not all(0 <= band < count for band in bands):
        raise HsiError(
            f"{scene.name}: `bands` {bands}: expected three indices from 0 to {count - 1}"
        )
    planes = []
    for band in bands:
        plane = np.asarray(scene.cube[..., band], np.float32)
        finite = np.isfinite(plane)
        if scene.ignore_value is not None:
            finite &= ~equals(plane, scene.ignore_value)
        if scene.mask is not None:
            finite &= np.asarray(scene.mask[:])
        if not finite.any():
            raise HsiError(f"{scene.name}: expected numbers in band {band + 1}, found none")
        low, high = np.percentile(plane[finite], STRETCH)
        shown = (np.where(finite, plane, low) - low) / max(float(high - low), 1e-12)
        planes.append((shown.clip(0, 1) * 255).round().astype(np.uint8))
    return np.stack(planes, axis=2)


def in_words(scene: Scene, bands: Sequence[int]) -> str:
    """Return bands as titles name them: by wavelength where the scene has them, else by number."""
    if scene.wavelengths is None:
        return ", ".join(f"band {band + 1}" for band in bands)
    return ", ".join(f"{scene.wavelengths[band]:.0f} nm" for band in bands)


def thinned(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return every k-th row and column of an array (H, W), so that a picture of it stays small."""
    step = -(-max(array.shape) // LARGEST_PICTURE)
    return array[::step, ::step]
