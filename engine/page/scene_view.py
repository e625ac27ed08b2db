"""What a page shows of a scene: a small file made from the scene, its labels and its maps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic, read_npz
from engine.errors import UserError

MADE_BY = "hsi look SCENE [MAP] --out VIEW.npz"
LEVELS = 254  # of a stored spectrum's values, from a band's smallest to its largest; 0 is no data
_ARRAYS = ("picture", "truth", "spectra", "low", "high", "means", "colours", "description")


@dataclass(frozen=True)
class MapView:
    """A map of a view.

    Attributes
    ----------
    name : str
        Such as 'hybridsn, random:0.1'.
    numbers : ndarray (h, w), int
        Class numbers; 0 is no class.
    confidence : ndarray (h, w), float32, optional
        Probability of the class, from 0 to 1.
    """

    name: str
    numbers: npt.NDArray[np.integer[Any]]
    confidence: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class SceneView:
    """A scene made small.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Rows and columns of the scene (H, W).
    step : int
        One row and column in `step` is in `truth` and the maps: (h, w).
    picture : ndarray (h', w', 3), uint8
        The scene in false colour.
    picture_title : str
        Which bands are shown.
    classes : sequence of int
        Class numbers (C,), ascending.
    class_names : sequence of str
    colours : ndarray (C, 3), uint8
    truth : ndarray (h, w), int
        Ground truth, 0 where unlabelled; (0, 0) without one.
    spectra_step : int
        One row and column in `spectra_step` has its spectrum stored.
    spectra : ndarray (h'', w'', B), uint8
        0 is no data; 1 to 255 are equal steps from `low` to `high` of the band.
    low, high : ndarray (B,), float64
    bands : sequence of int
        Indices of the B bands in the scene.
    wavelengths : sequence of float, optional
        In nanometres (B,).
    means : ndarray (C, B), float64
        Mean spectrum of each class; NaN where no pixel is known.
    mean_pixels : sequence of int
        How many pixels each mean is of.
    means_of : str
        Which pixels those are, in words.
    maps : sequence of MapView
    """

    name: str
    shape: tuple[int, int]
    step: int
    picture: npt.NDArray[np.uint8]
    picture_title: str
    classes: Sequence[int]
    class_names: Sequence[str]
    colours: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.integer[Any]]
    spectra_step: int
    spectra: npt.NDArray[np.uint8]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    bands: Sequence[int]
    wavelengths: Sequence[float] | None
    means: npt.NDArray[np.float64]
    mean_pixels: Sequence[int]
    means_of: str
    maps: Sequence[MapView] = field(default_factory=tuple)

    def save(self, path: Path) -> None:
        """Write the view to one .npz without pickles."""
        described = {
            "name": self.name,
            "shape": list(self.shape),
            "step": self.step,
            "picture_title": self.picture_title,
            "classes": list(self.classes),
            "class_names": list(self.class_names),
            "spectra_step": self.spectra_step,
            "bands": list(self.bands),
            "wavelengths": None if self.wavelengths is None else list(self.wavelengths),
            "mean_pixels": list(self.mean_pixels),
            "means_of": self.means_of,
            "maps": [[view.name, view.confidence is not None] for view in self.maps],
        }
        arrays: dict[str, Any] = {
            "picture": self.picture,
            "truth": self.truth,
            "spectra": self.spectra,
            "low": self.low,
            "high": self.high,
            "means": self.means,
            "colours": self.colours,
            "description": np.array(json.dumps(described)),
        }
        for index, view in enumerate(self.maps):
            arrays[f"map{index}"] = view.numbers
            if view.confidence is not None:
                arrays[f"confidence{index}"] = view.confidence
        with atomic(path) as part, part.open("wb") as file:
            np.savez_compressed(file, **arrays)


def load_view(path: Path) -> SceneView:
    """Return the view that `SceneView.save` wrote.

    Raises
    ------
    UserError
        The file is missing, or is no view.
    """
    arrays = read_npz(path, _ARRAYS, MADE_BY)
    try:
        described: Mapping[str, Any] = json.loads(str(arrays["description"]))
        count = len(described["bands"])
        maps = []
        for index, (name, sure) in enumerate(described["maps"]):
            keys = (f"map{index}", f"confidence{index}")[: 1 + bool(sure)]
            found = read_npz(path, keys, MADE_BY)
            maps.append(MapView(str(name), found[keys[0]], found.get(f"confidence{index}")))
        classes = [int(number) for number in described["classes"]]
        view = SceneView(
            name=str(described["name"]),
            shape=(int(described["shape"][0]), int(described["shape"][1])),
            step=int(described["step"]),
            picture=arrays["picture"],
            picture_title=str(described["picture_title"]),
            classes=classes,
            class_names=[str(name) for name in described["class_names"]],
            colours=arrays["colours"],
            truth=arrays["truth"],
            spectra_step=int(described["spectra_step"]),
            spectra=arrays["spectra"],
            low=arrays["low"],
            high=arrays["high"],
            bands=[int(band) for band in described["bands"]],
            wavelengths=described["wavelengths"],
            means=arrays["means"],
            mean_pixels=[int(pixels) for pixels in described["mean_pixels"]],
            means_of=str(described["means_of"]),
            maps=maps,
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UserError(
            f"{path}: expected a view of a scene, found another .npz ({error}); make it with "
            f"{MADE_BY}"
        ) from error
    fits = (
        view.spectra.ndim == 3
        and view.spectra.shape[2] == count == len(view.low) == len(view.high)
        and view.means.shape == (len(classes), count)
        and view.colours.shape == (len(classes), 3)
        and len(view.class_names) == len(view.mean_pixels) == len(classes)
        and view.picture.ndim == 3
        and view.picture.dtype == view.spectra.dtype == np.uint8
        and view.step >= 1
        and view.spectra_step >= 1
    )
    if not fits:
        raise UserError(
            f"{path}: expected a view of a scene, found arrays that do not fit one another; make "
            f"it with {MADE_BY}"
        )
    return view
