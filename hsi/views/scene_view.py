"""Make the view of a scene: its picture, its labels and maps thinned, and its spectra in 8 bits."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.memory import release
from engine.page.scene_view import LEVELS, MapView, SceneView
from hsi.errors import HsiError
from hsi.formats.contents import Contents
from hsi.formats.registry import read
from hsi.maps.options import GENERALISING
from hsi.maps.record import layer_beside, read_record
from hsi.scenes.bands import Bands
from hsi.scenes.false_colour import choose_bands, false_colour, in_words
from hsi.scenes.grid import Grid
from hsi.scenes.labels import Labels, spectral_colours
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import read as read_spectra
from hsi.scenes.spectra import strips

LARGEST = 1024  # pixels along a side of maps and pictures
MOST_VALUES = 6_000_000  # of stored spectra


def make_view(
    scene: Scene, labels: Labels | None = None, maps: Sequence[str | Path] = ()
) -> SceneView:
    """Return what a page shows of a scene.

    Parameters
    ----------
    scene : Scene
    labels : Labels, optional
        Ground truth of the scene.
    maps : sequence of str or Path
        Maps of the scene: files of `hsi classify`, or other class numbers (H, W). A folder stands
        for the map in it.

    Returns
    -------
    SceneView
        Of a scene with more than 1024 pixels along a side, every n-th row and column; of its
        spectra, so many that they hold at most 6 million values. Class means are of all labelled
        pixels; without labels, of the stored pixels of the first map.

    Raises
    ------
    HsiError
        Labels or a map are not of the scene's size, or hold no class numbers.

    Examples
    --------
    >>> import hsi
    >>> view = make_view(hsi.open_scene("IndianPines"), hsi.open_labels("IndianPines"))
    >>> view.truth.shape, view.spectra.shape, len(view.class_names)
    ((145, 145), (145, 145, 200), 16)
    """
    if labels is not None:
        labels.check_fits(scene)
    opened = [open_map(source, scene) for source in maps]
    step = -(-max(scene.shape) // LARGEST)
    classes, names, colours = _legend(labels, opened)
    bands = choose_bands(scene)
    picture = false_colour(scene, bands)[::step, ::step]
    truth = np.zeros((0, 0), np.uint8)
    if labels is not None:
        truth = np.array(labels.ground_truth[::step, ::step])
    views = []
    for found in opened:
        sure = _confidence(found, scene)
        views.append(
            MapView(
                _title(found),
                _whole(found.array[::step, ::step]),
                None if sure is None else np.asarray(sure[::step, ::step], np.float32),
            )
        )
    stored = _Spectra(scene)
    if labels is not None:
        means, pixels = _means_of_labels(scene, labels, classes)
        means_of = "all labelled pixels"
    else:
        numbers = _whole(opened[0].array[:: stored.step, :: stored.step]) if opened else None
        means, pixels = stored.means(numbers, classes)
        means_of = "the map's pixels" if stored.step == 1 else "the map's pixels that are stored"
    return SceneView(
        name=scene.name,
        shape=(scene.shape[0], scene.shape[1]),
        step=step,
        picture=picture,
        picture_title=in_words(scene, bands),
        classes=classes.tolist(),
        class_names=names,
        colours=colours,
        truth=truth,
        spectra_step=stored.step,
        spectra=stored.levels,
        low=stored.low,
        high=stored.high,
        bands=scene.good_bands.tolist(),
        wavelengths=None
        if scene.wavelengths is None
        else scene.wavelengths[scene.good_bands].tolist(),
        means=means,
        mean_pixels=pixels.tolist(),
        means_of=means_of,
        maps=views,
    )


def open_map(source: str | Path, scene: Scene) -> Contents:
    """Return a map of a scene, from its file or from the folder that holds it.

    Raises
    ------
    HsiError
        There is no map, or not of the scene's size or place, or no class numbers.
    """
    path = Path(source)
    if path.is_dir():
        inside = [path / f"map{suffix}" for suffix in (".hdr", ".tif", ".npy")]
        there = [file for file in inside if file.is_file()]
        if not there:
            raise HsiError(
                f"{path}: expected a map of hsi classify (map.hdr, map.tif or map.npy), found none"
            )
        path = there[0]
    found = read(str(source) if path == Path(source) else path, "labels")
    if found.array.shape != scene.shape:
        size = " × ".join(map(str, found.array.shape))
        raise HsiError(
            f"{found.path}: expected {scene.shape[0]} × {scene.shape[1]} pixels as scene "
            f"{scene.name} has, found {size}; give a map of this scene"
        )
    Grid(scene.name, scene.shape, scene.georeference).expect_here(
        str(found.path), found.georeference
    )
    return found


class _Spectra:
    """The spectra of every n-th row and column, each band in 254 steps from low to high."""

    def __init__(self, scene: Scene) -> None:
        height, width = scene.shape
        bands = Bands(scene.good_bands)
        self.step = 1
        while -(-height // self.step) * -(-width // self.step) * len(bands) > MOST_VALUES:
            self.step += 1
        columns = slice(0, width)
        parts: Iterable[slice] = strips(scene, slice(0, height), columns, bands)
        if self.step > 1:
            parts = (slice(row, row + 1) for row in range(0, height, self.step))
        rows = []
        for part in parts:
            spectra, valid = read_spectra(scene, part, columns, bands)
            kept = spectra[:, :: self.step].astype(np.float32)
            kept[~valid[:, :: self.step]] = np.nan
            rows.append(kept)
        self.values = np.concatenate(rows)
        known = np.isfinite(self.values)
        self.low = np.where(known, self.values, np.inf).min((0, 1)).astype(np.float64)
        self.high = np.where(known, self.values, -np.inf).max((0, 1)).astype(np.float64)
        empty = ~np.isfinite(self.low)
        self.low[empty] = self.high[empty] = 0
        span = np.maximum(self.high - self.low, np.finfo(np.float64).tiny)
        shares = (np.where(known, self.values, self.low) - self.low) / span
        self.levels = np.where(known, 1 + np.rint(shares * LEVELS), 0).astype(np.uint8)

    def means(
        self, numbers: npt.NDArray[Any] | None, classes: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return the mean of each class's stored spectra (C, B), and of how many each is."""
        means = np.full((len(classes), len(self.low)), np.nan)
        pixels = np.zeros(len(classes), np.int64)
        known = np.isfinite(self.values).all(axis=2)
        for place, number in enumerate(classes if numbers is not None else ()):
            own = self.values[(numbers == number) & known]
            pixels[place] = len(own)
            if len(own):
                means[place] = own.mean(axis=0, dtype=np.float64)
        return means, pixels


def _means_of_labels(
    scene: Scene, labels: Labels, classes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the mean spectrum of each class's labelled pixels (C, B), and of how many each is."""
    bands = Bands(scene.good_bands)
    sums = np.zeros((len(classes), len(bands)))
    pixels = np.zeros(len(classes), np.int64)
    columns = slice(0, scene.shape[1])
    for rows in strips(scene, slice(0, scene.shape[0]), columns, bands):
        truth = labels.ground_truth[rows]
        if not truth.any():
            continue
        spectra, valid = read_spectra(scene, rows, columns, bands)
        for place, number in enumerate(classes):
            own = spectra[(truth == number) & valid]
            pixels[place] += len(own)
            sums[place] += own.sum(axis=0, dtype=np.float64)
        release(scene.cube)
    with np.errstate(invalid="ignore"):
        return sums / np.where(pixels == 0, np.nan, pixels)[:, None], pixels


def _legend(
    labels: Labels | None, maps: Sequence[Contents]
) -> tuple[npt.NDArray[np.int64], list[str], npt.NDArray[np.uint8]]:
    """Return numbers, names and colours of all classes of labels and maps, ascending."""
    known: dict[int, tuple[str, npt.NDArray[np.uint8]]] = {}
    if labels is not None:
        for number, name, colour in zip(
            labels.classes, labels.class_names, labels.colours, strict=True
        ):
            known[int(number)] = name, colour
    for found in maps:
        record = read_record(found.path).get("class_names") or {}
        for number in np.unique(_whole(found.array)).tolist():
            if number <= 0 or number in known:
                continue
            own = found.class_names
            name = record.get(str(number)) or (
                own[number] if own is not None and number < len(own) else f"class {number}"
            )
            colour = None
            if found.colours is not None and number < len(found.colours):
                colour = np.asarray(found.colours[number], np.uint8)
            known[number] = (
                str(name),
                spectral_colours(number)[number] if colour is None else colour,
            )
    numbers = np.array(sorted(known), np.int64)
    colours = np.array([known[n][1] for n in numbers.tolist()], np.uint8).reshape(-1, 3)
    return numbers, [known[n][0] for n in numbers.tolist()], colours


def _whole(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return class numbers; a value that is none is 0."""
    values = np.asarray(numbers)
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values) & (values == np.rint(values)), values, 0)
    return values.astype(np.int64)


def _title(found: Contents) -> str:
    """Return what the page calls a map: its classifier and split where its record states them."""
    record = read_record(found.path)
    said = ", ".join(str(record[key]) for key in ("classifier", "split") if record.get(key))
    return said or found.path.name


def _confidence(found: Contents, scene: Scene) -> npt.NDArray[Any] | None:
    """Return the highest probabilities beside a map, if they are those of the map's classes."""
    record = read_record(found.path)
    if any(record.get(key) is not None for key in ("abstain", *GENERALISING)):
        return None
    path = layer_beside(found.path, record, "confidence")
    if path is None:
        return None
    values = read(path, "labels").array
    return np.asarray(values) if values.shape == scene.shape else None
