"""The spectra of a part of a scene, read in bounded memory, and which of them hold data."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from engine.memory import release
from hsi.errors import HsiError
from hsi.formats.no_data import equals
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene

# Of spectra in float64 that are worked on at once, and of a file's rows that are mapped for it.
READ_BYTES = 16 * 2**20
# Raw, converted, and an intermediate result; masks; the pages of the file.
PEAK_BYTES = 5 * READ_BYTES

Prepare = Callable[[npt.NDArray[Any], npt.NDArray[np.bool_]], npt.NDArray[Any]]


def refuse_without_data(scene: Scene) -> NoReturn:
    """Raise an HsiError that says that no pixel of the scene holds data, or which bands do not."""
    refuse_empty_bands(scene)
    raise HsiError(f"{scene.name}: expected pixels with data, found none: all zero or missing")


def refuse_empty_bands(scene: Scene) -> None:
    """Raise an HsiError that names the bands without data at any pixel, if other bands have some.

    One such band is enough that no pixel can be classified. Reads the whole cube.
    """
    empty = []
    for band in scene.good_bands:
        values = np.asarray(scene.cube[..., band])
        missing = np.zeros(values.shape, np.bool_)
        if values.dtype.kind == "f":
            missing |= ~np.isfinite(values)
        if scene.ignore_value is not None and scene.ignore_value != 0:
            missing |= equals(values, scene.ignore_value)
        if missing.all():
            empty.append(int(band) + 1)
    if empty and len(empty) < len(scene.good_bands):
        named = ", ".join(map(str, empty[:8])) + (" and more" if len(empty) > 8 else "")
        raise HsiError(
            f"{scene.name}: expected data in every band, found only the ignore value or NaN in "
            f"{len(empty)} of {len(scene.good_bands)} bands ({named}, counted from 1); mark them "
            "as bad (bbl in an ENVI header)"
        )


def strips(scene: Scene, rows: slice, columns: slice, bands: Bands) -> Iterator[slice]:
    """Yield rows in parts so small that 16 MiB hold their spectra, or the file's lines."""
    cube = scene.cube
    wide = columns.stop - columns.start
    # In files that store band by band, or line by line, whole lines are mapped.
    of_file = cube.shape[1] * cube.shape[2] * cube.dtype.itemsize
    converted = wide * max(len(bands), 1) * 8
    step = max(1, READ_BYTES // max(of_file, converted))
    for start in range(rows.start, rows.stop, step):
        yield slice(start, min(start + step, rows.stop))


def read(
    scene: Scene, rows: slice, columns: slice, bands: Bands
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return spectra (h, w, B), and which of them hold data (h, w); see `Scene.without_data`."""
    raw = np.asarray(scene.cube[rows, columns])
    spectra = bands.take(raw)
    if np.may_share_memory(spectra, raw):  # the pages of the file are given back
        spectra = spectra.copy()
    valid = ~scene.without_data(spectra, rows, columns)
    del raw
    release(scene.cube)
    return spectra, valid


def prepared(
    scene: Scene, rows: slice, columns: slice, bands: Bands, prepare: Prepare
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return the features that `prepare` makes of spectra, which are read a few rows at a time.

    Parameters
    ----------
    scene : Scene
    rows, columns : slice
    bands : Bands
    prepare : callable
        From spectra (h, w, B) and which of them hold data (h, w) to features (h, w, F).

    Returns
    -------
    features : ndarray (H, W, F)
    valid : ndarray (H, W), bool
    """
    height, width = rows.stop - rows.start, columns.stop - columns.start
    valid = np.empty((height, width), np.bool_)
    features: npt.NDArray[Any] | None = None
    for part in strips(scene, rows, columns, bands):
        here = slice(part.start - rows.start, part.stop - rows.start)
        spectra, valid[here] = read(scene, part, columns, bands)
        made = prepare(spectra, valid[here])
        if features is None:
            features = np.empty((height, width, *made.shape[2:]), made.dtype)
        features[here] = made
    assert features is not None
    return features, valid
