"""Degradations of cubes, as the literature makes them: seeded, and the same for every block size.

Amounts are relative to the range of the scene: a noise of 25 is 25/255 of the distance between its
smallest and its largest value. Results are float32, neither rounded nor clipped.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import expect_seed
from engine.memory import release
from hsi.errors import HsiError, expect_kind
from hsi.formats.lazy import LazyCube, cube_blocks
from hsi.scenes.no_data import without_data
from hsi.scenes.scene import Scene

FORMS = (
    "gaussian:25, bandwise:10-70, stripes:0.05-0.15, deadlines:0.05-0.15, impulse:0.1-0.7, mixed:5"
)
# The defaults of each kind: sigmas on 0..255, shares of a band's columns, shares of its values.
RANGES = {
    "bandwise": (10.0, 70.0),
    "stripes": (0.05, 0.15),
    "deadlines": (0.05, 0.15),
    "impulse": (0.1, 0.7),
}
SIGMA_MOST = 255.0
OFFSET = 0.25  # largest of a stripe, of the scene's range
THIRD = 3  # a third of the bands has stripes, another draw of a third dead lines or impulses


@dataclass(frozen=True)
class Degradation:
    """What is done to a cube.

    Attributes
    ----------
    text : str
        As it was asked for.
    sigmas : tuple of 2 float, optional
        Noise of the bands, drawn between the two, on 0..255.
    stripes, deadlines : tuple of 2 float, optional
        Share of the columns in each of a third of the bands, drawn between the two.
    impulse : tuple of 2 float, optional
        Share of the values in each of a third of the bands that become the scene's smallest or
        largest value.
    """

    text: str
    sigmas: tuple[float, float] | None = None
    stripes: tuple[float, float] | None = None
    deadlines: tuple[float, float] | None = None
    impulse: tuple[float, float] | None = None

    def __str__(self) -> str:
        return self.text


def parse(text: str) -> Degradation:
    """Read a degradation.

    Parameters
    ----------
    text : str
        `gaussian:N`, `bandwise:LOW-HIGH`, `stripes:LOW-HIGH`, `deadlines:LOW-HIGH`,
        `impulse:LOW-HIGH`, or `mixed:1` to `mixed:5`: noise that differs from band to band, alone
        (1), with stripes (2), dead lines (3), impulses (4), or all of these (5) [1]_.

    Raises
    ------
    HsiError
        Another form, or values out of their range.

    References
    ----------
    .. [1] W. He et al., "Total-Variation-Regularized Low-Rank Matrix Factorization for
       Hyperspectral Image Restoration", IEEE TGRS 54(1), 2016; amounts as in K. Wei, Y. Fu and
       H. Huang, "3-D Quasi-Recurrent Neural Network for Hyperspectral Image Denoising", IEEE
       TNNLS 32(1), 2021.
    """
    kind, _, amount = text.partition(":")
    wrong = HsiError(f"`degradation` {text}: expected a form such as {FORMS}")
    if kind == "mixed":
        if not re.fullmatch("[1-5]", amount):
            raise wrong
        case = int(amount)
        return Degradation(
            text,
            RANGES["bandwise"],
            RANGES["stripes"] if case in (2, 5) else None,
            RANGES["deadlines"] if case in (3, 5) else None,
            RANGES["impulse"] if case in (4, 5) else None,
        )
    number = r"(\d+(?:\.\d+)?)"
    found = re.fullmatch(number if kind == "gaussian" else f"{number}-{number}", amount)
    if found is None or kind not in ("gaussian", *RANGES):
        raise wrong
    low, high = float(found[1]), float(found[found.re.groups])
    most = SIGMA_MOST if kind in ("gaussian", "bandwise") else 1.0
    if not 0 <= low <= high <= most or not high:
        raise HsiError(
            f"`degradation` {text}: expected numbers from 0 to {most:g}, the smaller one first, "
            "not both zero"
        )
    name = {"gaussian": "sigmas", "bandwise": "sigmas"}.get(kind, kind)
    return Degradation(text, **{name: (low, high)})


def degrade(scene: Scene, degradation: str, *, seed: int = 0) -> Scene:
    """Return a degraded copy of a scene, which is made row by row when it is read.

    Parameters
    ----------
    scene : Scene
    degradation : str
        `gaussian:25`, `bandwise:10-70`, `stripes:0.05-0.15`, `deadlines:0.05-0.15`,
        `impulse:0.1-0.7`, or `mixed:1` to `mixed:5`, the five cases of the literature; see
        `hsi.degradations.degradation.parse`. Noise levels are on a scale on which the scene fills
        0..255.
    seed : int
        The same seed gives the same scene.

    Returns
    -------
    Scene
        float32, neither clipped nor rounded, with the metadata of the scene. Pixels without data
        and bad bands are as they were.

    Raises
    ------
    HsiError
        Another degradation; a scene without data, or of one value.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> scene = hsi.Scene("tiny", np.linspace(0, 1, 40 * 30 * 8).reshape(40, 30, 8))
    >>> noisy = hsi.degrade(scene, "gaussian:25", seed=0)
    >>> bool(abs(np.std(noisy.cube[:] - scene.cube) * 255 - 25) < 1)
    True
    """
    expect_seed(seed, HsiError)
    expect_kind(scene, Scene, "scene", "open it with hsi.open_scene")
    parsed = parse(degradation)
    low, high = _range(scene)
    origin = {**scene.provenance, "degraded": f"{degradation}, seed {seed}"}
    cube = _Degraded(scene, parsed, seed, low, high)
    return replace(scene, cube=cube, provenance=origin)


class _Degraded(LazyCube):
    """A cube that is degraded when it is read, each row by a generator of its own."""

    def __init__(
        self, scene: Scene, degradation: Degradation, seed: int, low: float, high: float
    ) -> None:
        height, width, bands = scene.cube.shape
        super().__init__((height, width, bands), np.float32, getattr(scene.cube, "stored_rows", 1))
        self.scene, self.seed, self.low, self.extent = scene, seed, low, high - low
        rng = np.random.default_rng([seed, 0])
        self.sigma = np.zeros(bands)
        if degradation.sigmas is not None:
            self.sigma = rng.uniform(*degradation.sigmas, bands) / 255 * self.extent
        self.offset = np.zeros((width, bands))
        for band, columns in _chosen(rng, degradation.stripes, width, scene.good_bands):
            self.offset[columns, band] = rng.uniform(-OFFSET, OFFSET, len(columns)) * self.extent
        self.dead = np.zeros((width, bands), np.bool_)
        for band, columns in _chosen(rng, degradation.deadlines, width, scene.good_bands):
            self.dead[columns, band] = True
        self.impulse = np.zeros(bands)
        if degradation.impulse is not None:
            some = _third(rng, scene.good_bands)
            self.impulse[some] = rng.uniform(*degradation.impulse, len(some))
        self.kept = np.setdiff1d(np.arange(bands), scene.good_bands)

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        values = np.empty((rows.stop - rows.start, *self.shape[1:]), np.float32)
        for index in range(rows.start, rows.stop):
            values[index - rows.start] = self._row(index)
        return values[:, columns, bands]

    def _row(self, index: int) -> npt.NDArray[np.float64]:
        raw = np.asarray(self.scene.cube[index])
        clean = raw.astype(np.float64)
        missing = without_data(raw[:, self.scene.good_bands], self.scene.ignore_value)
        release(self.scene.cube)
        rng = np.random.default_rng([self.seed, 1, index])
        row = clean + rng.standard_normal(clean.shape) * self.sigma + self.offset
        row[self.dead] = self.low
        if self.impulse.any():
            struck = rng.random(clean.shape) < self.impulse
            pepper = rng.random(clean.shape) < 0.5
            row = np.where(struck, np.where(pepper, self.low, self.low + self.extent), row)
        row[missing] = clean[missing]
        row[:, self.kept] = clean[:, self.kept]
        return row


def _third(rng: np.random.Generator, bands: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return rng.permutation(bands)[: max(1, len(bands) // THIRD)]


def _chosen(
    rng: np.random.Generator,
    share: tuple[float, float] | None,
    width: int,
    bands: npt.NDArray[np.int64],
) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """Return columns of a third of the bands: for each at least one."""
    if share is None:
        return []
    return [
        (int(band), rng.permutation(width)[: max(1, round(rng.uniform(*share) * width))])
        for band in _third(rng, bands)
    ]


def _range(scene: Scene) -> tuple[float, float]:
    """Return the smallest and the largest value of the good bands where there are data."""
    low, high = np.inf, -np.inf
    for rows in cube_blocks(scene.cube):
        spectra = np.asarray(scene.cube[rows])[..., scene.good_bands]
        held = spectra[~without_data(spectra, scene.ignore_value)]
        release(scene.cube)
        if held.size:
            low, high = min(low, float(held.min())), max(high, float(held.max()))
    if not high > low:
        found = "no pixel with data" if high < low else f"{low:g} alone"
        raise HsiError(f"{scene.name}: expected a scene with a range of values, found {found}")
    return low, high
