"""Figures: scenes, maps, splits, errors, confusion matrices and training curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic
from hsi.errors import HsiError, expect_kind
from hsi.scenes.false_colour import choose_bands, false_colour, in_words, thinned
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Colours = npt.NDArray[np.uint8]

LEGEND, PANEL = 2.2, 3.6  # inches
DPI = 150
RIGHT, WRONG = (170, 170, 170), (220, 30, 30)
TRAIN, TEST, DROPPED = (31, 119, 180), (255, 127, 14), (90, 90, 90)


def paint(
    numbers: npt.NDArray[np.integer], classes: npt.NDArray[np.int64], colours: Colours
) -> Colours:
    """Return class numbers (H, W) in colours (H, W, 3); numbers not in `classes` are black."""
    index = np.searchsorted(classes, numbers).clip(0, len(classes) - 1)
    known = classes[index] == numbers
    return np.where(known[..., None], colours[index], 0).astype(np.uint8)


class Legend(Protocol):
    """Names and colours of classes: `Labels`, or a trained `Model`."""

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Class numbers (C,), ascending."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the C classes."""

    @property
    def colours(self) -> Colours:
        """Colours (C, 3), uint8."""


def save_map(
    path: Path | str, numbers: npt.NDArray[np.integer], legend: Legend, title: str = ""
) -> None:
    """Draw a map with a legend of all classes.

    Parameters
    ----------
    path : Path or str
        Picture to write (.png); a file of this name is replaced.
    numbers : ndarray (H, W), int
        Class numbers; pixels of no class in `legend`, such as 0, are black.
    legend : Labels or Model
        Names and colours of the classes.
    title : str
        Above the map.

    Raises
    ------
    HsiError
        `path` does not end with .png, or `numbers` are no class numbers (H, W).

    Examples
    --------
    >>> import hsi, os, tempfile
    >>> labels = hsi.open_labels("IndianPines")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hsi.save_map(f"{folder}/truth.png", labels.ground_truth, labels, "ground truth")
    ...     os.listdir(folder)
    ['truth.png']
    """
    if Path(path).suffix.lower() != ".png":
        raise HsiError(f"{path}: expected a name that ends with .png")
    expect_kind(numbers, np.ndarray, "numbers", "convert it with numpy.asarray")
    if numbers.ndim != 2 or numbers.dtype.kind not in "iu" or not numbers.size:
        raise HsiError(
            f"{path}: `numbers`: expected class numbers, found {numbers.dtype} {numbers.shape}"
        )
    figure = blank_figure(*_panel_size(numbers.shape, 1))
    axes = figure.subplots()
    _show(axes, paint(numbers, legend.classes, legend.colours), title)
    _legend(figure, legend.class_names, legend.colours)
    save_figure(figure, Path(path))


def save_picture(path: Path, picture: Colours, title: str) -> None:
    """Draw a picture (H, W, 3) without a legend."""
    width, height = _panel_size(picture.shape, 1)
    figure = blank_figure(width - LEGEND, height)
    _show(figure.subplots(), picture, title)
    save_figure(figure, path)


def save_comparison(
    path: Path, numbers: npt.NDArray[Any], labels: Labels, split: Split, title: str, wrong: int
) -> None:
    """Draw ground truth, the map on labelled pixels, the whole map, and its `wrong` test pixels."""
    figure = blank_figure(*_panel_size(numbers.shape, 4))
    truth, masked, mapped, errors = figure.subplots(1, 4)
    known, test = thinned(labels.ground_truth), thinned(split.test)
    numbers = np.nan_to_num(thinned(numbers)).astype(np.int64)
    _show(truth, paint(known, labels.classes, labels.colours), "ground truth")
    right = (numbers == known)[..., None]
    known = np.where(known > 0, numbers, 0)
    _show(masked, paint(known, labels.classes, labels.colours), f"{title}, labelled pixels")
    _show(mapped, paint(numbers, labels.classes, labels.colours), f"{title}, whole scene")
    marks = np.where(right, np.array(RIGHT, np.uint8), np.array(WRONG, np.uint8))
    _show(errors, marks * test[..., None], f"{wrong} errors in {int(split.test.sum())} test pixels")
    _legend(figure, labels.class_names, labels.colours)
    save_figure(figure, path)


def save_split(path: Path, labels: Labels, split: Split) -> None:
    """Draw training, test and left-out pixels."""
    figure = blank_figure(*_panel_size(labels.ground_truth.shape, 1))
    sides = (thinned(labels.ground_truth) > 0, thinned(split.train), thinned(split.test))
    picture = np.zeros((*sides[0].shape, 3), np.uint8)
    colours = np.array([DROPPED, TRAIN, TEST], np.uint8)
    for side, colour in zip(sides, colours, strict=True):
        picture[side] = colour
    counts = [int(side.sum()) for side in (split.train, split.test)]
    counts.insert(0, int(labels.count().sum()) - sum(counts))
    sides_named = zip(("left out", "training", "test"), counts, strict=True)
    names = [f"{name}: {count}" for name, count in sides_named]
    _show(figure.subplots(), picture, f"{labels.name} {split.how} seed {split.seed}")
    _legend(figure, names, colours)
    save_figure(figure, path)


def save_confusion(
    path: Path, confusion: npt.NDArray[np.int64], class_names: Sequence[str], title: str
) -> None:
    """Draw a confusion matrix, rows true and columns predicted, coloured by share of the row."""
    count = len(class_names)
    figure = blank_figure(0.42 * count + 3.2, 0.42 * count + 2.2)
    axes = figure.subplots()
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(confusion > 0):
        colour = "white" if share[row, column] > 0.6 else "black"
        axes.text(
            column, row, str(confusion[row, column]),
            ha="center", va="center", fontsize=6, color=colour,
        )  # fmt: skip
    names = [_plain(name) for name in class_names]
    axes.set_xticks(range(count), names, rotation=90, fontsize=7)
    axes.set_yticks(range(count), names, fontsize=7)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(_plain(title), fontsize=9)
    save_figure(figure, path)


def save_classes(
    path: Path,
    recall: npt.NDArray[np.float64],
    precision: npt.NDArray[np.float64],
    support: npt.NDArray[np.int64],
    labels: Labels,
    title: str,
) -> None:
    """Draw recall (bars) and precision (points) of each class, in per cent, with its test pixels.

    Parameters
    ----------
    recall, precision : ndarray (C,)
        In per cent; NaN for a class without test pixels, which is marked as absent.
    support : ndarray (C,), int
        Test pixels.
    """
    places = np.arange(len(support))
    figure = blank_figure(6.4, 0.26 * len(support) + 1.3)
    axes = figure.subplots()
    colours = [tuple(colour / 255) for colour in labels.colours.astype(float)]
    axes.barh(places, np.nan_to_num(recall), color=colours, edgecolor="0.4", lw=0.6)
    axes.plot(precision, places, "kD", ms=3.5, clip_on=False)
    for place, value in enumerate(recall):
        text = "absent from test" if np.isnan(value) else f"{value:.1f}"
        axes.text(102, place, text, va="center", fontsize=7)
    names = [_plain(f"{n} ({count})") for n, count in zip(labels.class_names, support, strict=True)]
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="recall (bars) and precision (points), %")
    axes.set_title(_plain(title), fontsize=9)
    save_figure(figure, path)


def save_curve(path: Path, history: Path, title: str) -> None:
    """Draw the loss of a training from its CSV."""
    rows = np.genfromtxt(history, delimiter=",", names=True, ndmin=1)
    figure = blank_figure(5.0, 3.2)
    axes = figure.subplots()
    axes.plot(rows["step"], rows["loss"], lw=1.2)
    axes.set(xlabel="step", ylabel="cross-entropy", yscale="log")
    axes.set_title(_plain(title), fontsize=9)
    axes.grid(alpha=0.3)
    save_figure(figure, path)


def save_restoration(
    path: Path,
    cubes: Mapping[str, npt.NDArray[np.floating]],
    levels: Mapping[str, npt.NDArray[np.floating]],
    title: str,
) -> None:
    """Draw the noisiest band of those that vary, three spectra of cubes, and noise per band.

    Cubes (H, W, B), the clean one last, and levels (B,) go by what the legend calls them.
    """
    clean, added = list(cubes.values())[-1], next(iter(levels.values()))
    band = int(np.where((seen := clean.std((0, 1))) >= np.median(seen), added, 0).argmax())
    count = max(len(cubes), 3)
    figure = blank_figure(3.2 * count, 8.0)
    grid = figure.subplots(3, count, squeeze=False)
    low, high = np.quantile(clean[..., band], (0.005, 0.995))
    for axes in grid.ravel():
        axes.set_axis_off()
    for axes, (name, cube) in zip(grid[0], cubes.items(), strict=False):
        axes.imshow(cube[..., band], cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(f"{name}, band {band + 1}", fontsize=9)
    places = [tuple(size * part // 4 for size in clean.shape[:2]) for part in (1, 2, 3)]
    curves = {f"row {r + 1}, column {c + 1}": (r, c) for r, c in places}
    lines = [{name: cube[place] for name, cube in cubes.items()} for place in curves.values()]
    for axes, drawn, heading in zip(
        [*grid[1][:3], grid[2][0]], [*lines, levels], [*curves, "noise per band"], strict=True
    ):
        axes.set_axis_on()
        axes.set_title(heading, fontsize=9)
        for name, values in drawn.items():
            axes.plot(values, lw=0.8, label=name)
    grid[1][0].legend(fontsize=7)
    grid[2][0].legend(fontsize=7)
    figure.suptitle(_plain(title), fontsize=10)
    save_figure(figure, path)


def _plain(text: str) -> str:
    """Return a text whose dollar signs matplotlib does not read as mathematics."""
    return text.replace("$", r"\$")


def blank_figure(width: float, height: float) -> "Figure":
    """Return a figure, in inches, that leaves pyplot, and with it any display, alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _panel_size(shape: tuple[int, ...], panels: int) -> tuple[float, float]:
    """Return width and height, in inches, of some maps side by side and a legend."""
    height, width = shape[:2]
    tall = float(np.clip(PANEL * height / width, 1.5, 9.0))
    return PANEL * panels + LEGEND, max(tall, 3.4)


def _show(axes: "Axes", picture: Colours, title: str) -> None:
    """Draw a picture in a panel, without pixels that the panel has no room for.

    Matplotlib takes 20 bytes for each.
    """
    step = max(1, int(picture.shape[1] / (PANEL * DPI)))
    axes.imshow(picture[::step, ::step], interpolation="nearest")
    axes.set_title(_plain(title), fontsize=9)
    axes.set_axis_off()


def _legend(figure: "Figure", names: Sequence[str], colours: Colours) -> None:
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=tuple(colour / 255), edgecolor="0.4", label=_plain(name))
        for name, colour in zip(names, colours.astype(float), strict=True)
    ]
    figure.legend(handles=patches, loc="outside right center", fontsize=7, frameon=False)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure as a PNG without metadata: the same picture is the same file."""
    with atomic(path) as part:
        figure.savefig(part, dpi=DPI, metadata={"Software": None})


def save_scene(path: Path, scene: Scene) -> None:
    """Draw a scene in false colour, with the bands in its title."""
    bands = choose_bands(scene)
    save_picture(path, false_colour(scene, bands), f"{scene.name}: {in_words(scene, bands)}")
