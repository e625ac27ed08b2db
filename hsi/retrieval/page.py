"""A page of retrieval: the table of means, and queries with their first ten answers as pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from engine.artifacts import write_text
from engine.tables import html
from hsi.figures import blank_figure, save_figure
from hsi.retrieval.baselines import Embedded
from hsi.retrieval.losses import cosines
from hsi.retrieval.views import Views
from hsi.scenes.false_colour import false_colour
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ANSWERS = 10
QUERIES = 6  # classes that are shown, those of most pixels
RIGHT, WRONG, ASKED = "tab:green", "tab:red", "0.3"
WAYS = {
    "spectrum_to_patch": "A spectrum asks for patches",
    "patch_to_spectrum": "A patch asks for spectra",
}


@dataclass(frozen=True)
class Drawing:
    """What pictures of pixels are made of.

    Attributes
    ----------
    colours : ndarray (H + 2 h, W + 2 h, 3), uint8
        The scene in false colour, black around.
    scene : Scene
    half : int
        Half a patch's side, h.
    """

    colours: npt.NDArray[np.uint8]
    scene: Scene
    half: int

    @classmethod
    def of(cls, scene: Scene, half: int) -> "Drawing":
        """Return the drawing of a scene."""
        around = ((half, half), (half, half), (0, 0))
        return cls(np.pad(false_colour(scene), around), scene, half)

    def patch(self, axes: "Axes", row: int, column: int) -> None:
        """Draw the patch around a pixel; the pixel itself, which is no part of it, is white."""
        side = 2 * self.half + 1
        crop = self.colours[row : row + side, column : column + side].copy()
        crop[self.half, self.half] = 255
        axes.imshow(crop, interpolation="nearest")

    def spectrum(self, axes: "Axes", row: int, column: int) -> None:
        """Draw the spectrum of a pixel."""
        bands = self.scene.good_bands
        axis = bands if self.scene.wavelengths is None else self.scene.wavelengths[bands]
        values = np.asarray(self.scene.cube[row, column])[bands].astype(float)
        axes.plot(axis, values, lw=0.7, color="0.15")
        axes.set_box_aspect(1)


def first_answers(
    embedded: Embedded, views: Views, way: str, queries: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Return the first ten answers (Q, 10) to some pixels, the nearest by cosine first.

    A query's own pixel is left out: that it is found shows little.
    """
    asking, answers = (torch.from_numpy(v) for v in embedded)
    if way == "patch_to_spectrum":
        asking, answers = answers, asking
    scores = cosines(asking[list(queries)], answers).numpy().copy()
    scores[np.arange(len(queries)), list(queries)] = -np.inf
    shown = min(ANSWERS, len(views) - 1)
    return np.argsort(-scores, axis=1, kind="stable")[:, :shown]


def shown_queries(views: Views, seed: int) -> list[int]:
    """Return a pixel of each of the classes with most pixels, drawn by the seed."""
    counts = np.bincount(views.classes)
    most = [c for c in np.argsort(-counts, kind="stable")[:QUERIES].tolist() if counts[c]]
    rng = np.random.default_rng(seed)
    return [int(rng.choice(np.flatnonzero(views.classes == number))) for number in most]


def save_queries(
    path: Path, drawing: Drawing, views: Views, embedded: Embedded, labels: Labels, way: str,
    queries: Sequence[int],
) -> None:  # fmt: skip
    """Draw queries, each with its first ten answers: right ones framed green, wrong ones red.

    Parameters
    ----------
    path : Path
        Picture to write (.png).
    drawing : Drawing
    views : Views
        Of the test pixels.
    embedded : tuple of 2 ndarray (N, d)
        Their two views in one space.
    labels : Labels
    way : {'spectrum_to_patch', 'patch_to_spectrum'}
    queries : sequence of int
        Positions in `views`.
    """
    found = first_answers(embedded, views, way, queries)
    draw_query, draw_answer = drawing.spectrum, drawing.patch
    if way == "patch_to_spectrum":
        draw_query, draw_answer = draw_answer, draw_query
    figure = blank_figure(1.05 * (found.shape[1] + 1) + 0.4, 1.25 * len(queries) + 0.5)
    grid = figure.subplots(len(queries), found.shape[1] + 1, squeeze=False)
    for line, query, answers in zip(grid, queries, found, strict=True):
        for axes, pixel in zip(line, (query, *answers.tolist()), strict=True):
            draw = draw_query if axes is line[0] else draw_answer
            row, column = views.positions[pixel].tolist()
            draw(axes, row, column)
            right = RIGHT if views.classes[pixel] == views.classes[query] else WRONG
            _frame(axes, ASKED if axes is line[0] else right)
            name = labels.class_names[views.classes[pixel]].replace("$", r"\$")
            axes.set_title(name[:18], fontsize=5.5, pad=2)
    figure.suptitle(f"{WAYS[way]}: the query, and its first answers", fontsize=9)
    save_figure(figure, path)


def _frame(axes: "Axes", colour: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(colour)
        spine.set_linewidth(2)


def write_page(path: Path, means: pd.DataFrame, pictures: Sequence[Path], title: str) -> None:
    """Write a page with the table of means and, below it, pictures that lie beside it."""
    shown: dict[str, Any] = {
        "scene": "scene", "split": "split", "method": "method", "draws": "draws",
        "map_spectrum_to_patch": "spectrum → patch", "map_patch_to_spectrum": "patch → spectrum",
        "map": "mean", "map_from": "from", "map_to": "to", "apart": "apart",
        "beyond_j1": "beyond J1", "beyond_j1_from": "from ", "beyond_j1_to": "to ",
    }  # fmt: skip
    note = (
        "Mean average precision in per cent over draws; from and to bound the 95 % interval of the "
        "mean over draws (Student's t). Apart: without answers whose patch holds the query's "
        "spectrum, or the reverse. Validation pixels inside the training pixels chose encoders and "
        "epochs: retrieval.csv has them for each draw."
    )
    page = html(means[list(shown)].rename(columns=shown), title, note)
    images = "".join(
        f'<p><img src="{picture.name}" alt="{picture.stem}" style="max-width:100%"></p>\n'
        for picture in pictures
    )
    write_text(path, page.replace("</body>", f"{images}</body>"))
