"""Views of scenes as data for scripts: class maps, probabilities and spectra, packed to a size."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.page.pictures import data_uri
from engine.page.scene_view import SceneView

# Largest side of a map in pixels, and most pixels of stored spectra, in the order they are tried.
SIDES = (1024, 768, 512, 384, 256, 192, 128, 96, 64, 32, 16, 8)
SPECTRA_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
MISSING, TRAIN, TEST = 0, 1, 2


@dataclass
class Run:
    """A map among the layers of a scene.

    Attributes
    ----------
    title : str
    truth : ndarray (h, w), int, optional
        The classes that the run is scored on, where they are not the scene's ground truth.
    facts : mapping
        What the page says of it: `split`, `classifier`, `seed`, `oa`, `recall` by class number.
    numbers : ndarray (h, w), int
        Class numbers, on the view's grid.
    confidence : ndarray (h, w), float, optional
    split : ndarray (h, w), uint8, optional
        1 for training and 2 for test pixels.
    """

    title: str
    numbers: npt.NDArray[np.integer[Any]]
    confidence: npt.NDArray[np.floating[Any]] | None = None
    split: npt.NDArray[np.uint8] | None = None
    truth: npt.NDArray[np.integer[Any]] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def scenes(
    views: Sequence[tuple[SceneView, Sequence[Run]]], most: int, most_spectra: int
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return scenes with their runs as data for the page.

    Parameters
    ----------
    views : sequence of (SceneView, sequence of Run)
    most : int
        Characters that class maps and probabilities may take together, of all scenes.
    most_spectra : int
        Characters that spectra may take, of all scenes.

    Returns
    -------
    data : list of dict
        One for each scene, JSON-serialisable.
    said : list of str
        What was left out so that it fits, a sentence each.
    """
    made: list[dict[str, Any]] = []
    said: list[str] = []
    for side in SIDES:
        made = [_scene(view, runs, side) for view, runs in views]
        if sum(scene["size"] for scene in made) <= most:
            break
    else:
        said.append("The maps do not fit the page; those of the first runs are shown.")
        room = most // max(len(made), 1)
        for scene in made:
            while scene["runs"] and scene["size"] > room:
                scene["size"] -= scene["runs"].pop()["size"]
    if any(scene["step"] > 1 for scene in made):
        steps = sorted({scene["step"] for scene in made if scene["step"] > 1})
        every = " or ".join(map(str, steps))
        said.append(f"Of large or many maps, one row and column in {every} is shown.")
    share = most_spectra // max(len(views), 1)
    for scene, (view, _) in zip(made, views, strict=True):
        scene["spectra"] = _spectra(view, share)
    return made, said


def _scene(view: SceneView, runs: Sequence[Run], side: int) -> dict[str, Any]:
    """Return a scene without its spectra, its maps at most `side` pixels each way."""
    thin = -(-max(-(-length // view.step) for length in view.shape) // side)
    classes = np.asarray(view.classes, np.int64)
    truth = _packed(_positions(view.truth[::thin, ::thin], classes)) if view.truth.size else None
    splits: dict[str, Any] = {}
    made = []
    for run in runs:
        key = f"{run.facts.get('split', '')} {run.facts.get('seed', '')}"
        if run.split is not None and key not in splits:
            splits[key] = _packed(run.split[::thin, ::thin])
        numbers = _packed(_positions(run.numbers[::thin, ::thin], classes))
        sure = None
        if run.confidence is not None:
            shares = np.nan_to_num(run.confidence[::thin, ::thin]).clip(0, 1)
            sure = _packed(np.rint(shares * 200).astype(np.uint8))
        own = None
        if run.truth is not None:
            own = _packed(_positions(run.truth[::thin, ::thin], classes))
        size = sum(len(packed["data"]) for packed in (numbers, sure, own) if packed is not None)
        made.append(
            {
                "title": run.title,
                **run.facts,
                "map": numbers,
                "confidence": sure,
                "truth": own,
                "split_key": key if run.split is not None else None,
                "size": size,
            }
        )
    shrink = -(-max(view.picture.shape[:2]) // max(side, 128))
    picture = data_uri(view.picture[::shrink, ::shrink], 90 if shrink > 1 else None)
    size = len(picture) + (len(truth["data"]) if truth else 0)
    size += sum(len(split["data"]) for split in splits.values()) + sum(m["size"] for m in made)
    return {
        "name": view.name,
        "rows": view.shape[0],
        "columns": view.shape[1],
        "step": view.step * thin,
        "picture": picture,
        "picture_title": view.picture_title,
        "classes": [
            {"number": int(number), "name": name, "colour": [int(part) for part in colour]}
            for number, name, colour in zip(
                view.classes, view.class_names, view.colours, strict=True
            )
        ],
        "truth": truth,
        "splits": splits,
        "runs": made,
        "size": size,
    }


def _spectra(view: SceneView, most: int) -> dict[str, Any] | None:
    """Return the spectra of a scene in at most so many characters; None where there is no room."""
    for step in SPECTRA_STEPS:
        values = view.spectra[::step, ::step]
        if values.size * 0.2 > most:  # hopeless, whatever it is packed to
            continue
        packed = _packed(values)
        if len(packed["data"]) <= most:
            means = np.where(np.isfinite(view.means), view.means, 0).tolist()
            return {
                **packed,
                "step": view.spectra_step * step,
                "low": view.low.tolist(),
                "high": view.high.tolist(),
                "bands": list(view.bands),
                "wavelengths": None if view.wavelengths is None else list(view.wavelengths),
                "means": [[float(f"{value:.6g}") for value in mean] for mean in means],
                "mean_pixels": list(view.mean_pixels),
                "means_of": view.means_of,
            }
    return None


def _positions(
    numbers: npt.NDArray[np.integer[Any]], classes: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    """Return each pixel's place in `classes`, counted from 1; 0 is none of them."""
    kind = np.uint8 if len(classes) < 255 else np.uint16
    index = np.searchsorted(classes, numbers).clip(0, max(len(classes) - 1, 0))
    known = classes[index] == numbers if len(classes) else np.zeros(numbers.shape, bool)
    return np.where(known, index + 1, MISSING).astype(kind)


def _packed(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Return an array as text: its rows, columns, bytes per value, and zlib's output as base64."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "bytes": values.dtype.itemsize,
        "data": base64.b64encode(zlib.compress(little.tobytes(), 9)).decode(),
    }
