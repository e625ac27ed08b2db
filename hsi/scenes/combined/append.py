"""Several scenes of one sensor as one: a classifier learns from some, and is tested on others.

They lie one below another, apart by rows without data that no window reaches across.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.lazy import LazyCube
from hsi.formats.no_data import IgnoredValues, Mask
from hsi.formats.registry import files
from hsi.scenes.labels import Labels, make_labels
from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

APART = 49  # rows between scenes: half of the largest window
PHYSICAL = ("scale", "offset")
DEFAULTS = {"scale": 1.0, "offset": 0.0}


class AppendedCube(LazyCube):
    """Cubes of equal bands one below another; zeros between them and beside narrow ones.

    Parameters
    ----------
    parts : sequence of Cube (H, W, B)
    starts : sequence of int
        First row of each part.
    """

    def __init__(self, parts: Sequence[Any], starts: Sequence[int]) -> None:
        height = starts[-1] + parts[-1].shape[0]
        shape = (height, max(part.shape[1] for part in parts), parts[0].shape[2])
        dtype = np.result_type(*(part.dtype for part in parts)).newbyteorder("=")
        super().__init__(shape, dtype, max(getattr(part, "stored_rows", 1) for part in parts))
        self.parts, self.starts = list(parts), list(starts)

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        size = (rows.stop - rows.start, columns.stop - columns.start, bands.stop - bands.start)
        block = np.zeros(size, self.dtype)
        for part, start in zip(self.parts, self.starts, strict=True):
            top, bottom = max(rows.start, start), min(rows.stop, start + part.shape[0])
            right = min(columns.stop, part.shape[1])
            if top < bottom and columns.start < right:
                found = part[top - start : bottom - start, columns.start : right, bands]
                block[top - rows.start : bottom - rows.start, : right - columns.start] = found
        return block


class AppendedMask:
    """Which pixels of appended scenes hold data, read when it is sliced."""

    def __init__(self, parts: Sequence[tuple[int, Scene, Mask | None]], shape: Sequence[int]):
        self.parts, self.shape = list(parts), tuple(shape)

    def __getitem__(self, key: Any) -> npt.NDArray[np.bool_]:
        keys = (*key, slice(None)) if isinstance(key, tuple) else (key, slice(None))
        rows, columns = (
            slice(*part.indices(size)[:2]) for part, size in zip(keys[:2], self.shape, strict=True)
        )
        valid = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
        for start, scene, mask in self.parts:
            top, bottom = max(rows.start, start), min(rows.stop, start + scene.shape[0])
            right = min(columns.stop, scene.shape[1])
            if top < bottom and columns.start < right:
                inside = (slice(top - start, bottom - start), slice(columns.start, right))
                place = (slice(top - rows.start, bottom - rows.start),
                         slice(0, right - columns.start))  # fmt: skip
                valid[place] = True if mask is None else mask[inside]
        return valid


def append(scenes: Sequence[Scene]) -> tuple[Scene, npt.NDArray[np.int32]]:
    """Return scenes of one sensor one below another.

    Parameters
    ----------
    scenes : sequence of Scene
        At least two, of the same bands, scale and offset. A band that is bad in one is bad in all.

    Returns
    -------
    scene : Scene
        Read from the files when it is sliced. It has no georeference: its parts lie elsewhere.
    places : ndarray (H, W), int32
        The scene of each pixel, counted from 1; 0 in the `APART` rows between them and beside
        narrow ones, where there is no data.

    Raises
    ------
    HsiError
        A single scene; other bands, wavelengths, scale or offset than the first one's.
    """
    if len(scenes) < 2:
        raise HsiError(f"`sources`: expected several scenes, found {len(scenes)}")
    first = scenes[0]
    for scene in scenes[1:]:
        _check_alike(first, scene)
    starts = [0]
    for scene in scenes[:-1]:
        starts.append(starts[-1] + scene.shape[0] + APART)
    cube = AppendedCube([scene.cube for scene in scenes], starts)
    places = np.zeros(cube.shape[:2], np.int32)
    for number, (scene, start) in enumerate(zip(scenes, starts, strict=True), 1):
        places[start : start + scene.shape[0], : scene.shape[1]] = number
    bad = [scene.bad_bands for scene in scenes if scene.bad_bands is not None]
    all_bad = np.logical_or.reduce(bad) if bad else None
    told = {repr(scene.ignore_value) for scene in scenes}
    one = first.ignore_value if len(told) == 1 else None
    masks = [_mask_of(scene, all_bad, ignored=one is None) for scene in scenes]
    parts = list(zip(starts, scenes, masks, strict=True))
    if any(scene.georeference for scene in scenes):
        log.info("georeference left out: the scenes lie in different places")
    return Scene(
        "+".join(scene.name for scene in scenes),
        cube,
        first.wavelengths,
        bad_bands=all_bad,
        ignore_value=one,
        fwhm=first.fwhm,
        band_names=first.band_names,
        default_bands=first.default_bands,
        mask=AppendedMask(parts, cube.shape[:2]),
        provenance={
            "format": f"{first.provenance.get('format', '')}, {len(scenes)} scenes",
            "files": [str(file) for scene in scenes for file in _files(scene)],
        },
        **{key: getattr(first, key) for key in PHYSICAL},
    ), places


def append_labels(
    labels: Sequence[Labels], scenes: Sequence[Scene], places: npt.NDArray[np.int32]
) -> Labels:
    """Return the labels of appended scenes, (H, W).

    Classes of one name are one class. It keeps its number if it has the same in all scenes and no
    other name has it; else classes are numbered anew, in the order in which names are met.

    Parameters
    ----------
    labels : sequence of Labels
        One for each of `scenes`.
    scenes : sequence of Scene
    places : ndarray (H, W), int32
        As `append` returns them.

    Raises
    ------
    HsiError
        Not one for each scene, or not of its size.
    """
    if len(labels) != len(scenes):
        raise HsiError(f"`labels`: expected {len(scenes)}, one for each scene, found {len(labels)}")
    numbers: dict[str, set[int]] = {}
    for scene, own in zip(scenes, labels, strict=True):
        own.check_fits(scene)
        for number, name in zip(own.classes.tolist(), own.class_names, strict=True):
            numbers.setdefault(name, set()).add(number)
    kept = [next(iter(found)) for found in numbers.values() if len(found) == 1]
    if len(set(kept)) == len(numbers):
        new = dict(zip(numbers, kept, strict=True))
    else:
        new = {name: number for number, name in enumerate(numbers, 1)}
        listed = ", ".join(f"{number} {name}" for name, number in new.items())
        log.warning("classes have other numbers in other scenes; numbered anew: %s", listed)
    truth = np.zeros(places.shape, np.int32)
    for place, (scene, own) in enumerate(zip(scenes, labels, strict=True), 1):
        top = int(own.classes[-1])
        table = np.zeros(top + 1, np.int32)
        table[own.classes] = [new[name] for name in own.class_names]
        start = int(np.argmax((places == place).any(axis=1)))
        truth[start : start + scene.shape[0], : scene.shape[1]] = table[
            np.maximum(own.ground_truth, 0)
        ]
    for name, number in new.items():
        count = sum(name in own.class_names for own in labels)
        if count < len(labels):
            log.warning(
                "class %d %s: in %d of %d scenes; a scene that alone has it cannot be tested on it",
                number, name, count, len(labels),
            )  # fmt: skip
    names = [""] * (max(new.values()) + 1)
    for name, number in new.items():
        names[number] = name
    return make_labels("+".join(scene.name for scene in scenes), truth, names)


def _check_alike(first: Scene, scene: Scene) -> None:
    """Raise HsiError where a scene has other bands than the first."""
    bands, wanted = scene.cube.shape[2], first.cube.shape[2]
    if bands != wanted:
        raise HsiError(
            f"{scene.name}: expected {wanted} bands as {first.name} has, found {bands}; "
            "give scenes of one sensor"
        )
    if (first.wavelengths is None) != (scene.wavelengths is None):
        which = first if first.wavelengths is None else scene
        log.warning("%s states no wavelengths; bands are taken by their position", which.name)
    elif first.wavelengths is not None and scene.wavelengths is not None:
        away = np.abs(scene.wavelengths - first.wavelengths)
        steps = np.abs(np.diff(first.wavelengths))
        limit = float(np.median(steps)) / 2 if steps.size else 0.5
        worst = int(away.argmax())
        if away[worst] > limit:
            raise HsiError(
                f"{scene.name}: expected band {worst + 1} near {first.wavelengths[worst]:g} nm as "
                f"{first.name} has it, found {scene.wavelengths[worst]:g} nm"
            )
        if away[worst] > 0:
            log.info("%s: its bands are up to %.3g nm beside those of %s",
                     scene.name, away[worst], first.name)  # fmt: skip
    for key in PHYSICAL:
        told = [getattr(each, key) for each in (first, scene)]
        if all(value is None for value in told):
            continue
        wants, has = (np.full(wanted, DEFAULTS[key]) if v is None else v for v in told)
        if not np.array_equal(wants, has):
            raise HsiError(
                f"{scene.name}: expected the {key} of {first.name}, found another; bring both "
                "to one scale first"
            )


def _mask_of(
    scene: Scene, bad_bands: npt.NDArray[np.bool_] | None, *, ignored: bool
) -> Mask | None:
    """Return where a scene holds data, in the bands that are bad in no scene."""
    if scene.mask is not None:
        return scene.mask
    if ignored and scene.ignore_value is not None:
        good = None if bad_bands is None else ~bad_bands
        return IgnoredValues(scene.cube, [scene.ignore_value], good)
    return None


def _files(scene: Scene) -> list[Path]:
    source = scene.provenance.get("source")
    return [] if source is None else list(files(str(source)))
