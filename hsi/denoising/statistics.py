"""Mean and covariances of a scene's spectra, gathered in one pass over its rows.

Two covariances are gathered: that of the spectra, and that between a spectrum and the mean of its
surroundings. White noise enters the second with the weight of the window's centre alone, so what
is alike among neighbours stands out in it far below the noise.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.scene import Scene

Floats = npt.NDArray[np.float64]

KERNEL = np.array([1, 4, 6, 4, 1]) / 16  # binomial: close to a Gaussian of deviation 1
REACH = len(KERNEL) // 2
CENTRE = float(KERNEL[REACH] ** 2)  # what white noise keeps of its variance in the second
# Variance of the noise in a mean of 5 × 5 pixels: so much less is the second disturbed by it.
QUIET = float((KERNEL**2).sum() ** 2)
SAMPLE = 20_000  # spectra kept in memory, spread evenly over the scene
PART_BYTES = 16 * 2**20

# Rows with their neighbours (h, W, B) float32, and which pixels hold data (h, W).
Read = Callable[[slice], tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]


@dataclass(frozen=True)
class Statistics:
    """What is known of the spectra of a scene.

    Attributes
    ----------
    pixels : int
        Spectra that hold data.
    mean : ndarray (B,)
    covariance : ndarray (B, B)
    smoothed : ndarray (B, B)
        Between spectra and the weighted mean of 5 × 5 pixels around; symmetric.
    sample : ndarray (n, B), float32
        At most `SAMPLE` spectra.
    columns, rows : Profiles
        Means along each column and each row.
    """

    pixels: int
    mean: Floats
    covariance: Floats
    smoothed: Floats
    sample: npt.NDArray[np.float32]
    columns: "Profiles"
    rows: "Profiles"

    def of(self, bands: npt.NDArray[Any]) -> "Statistics":
        """Return the statistics of some bands, given by their indices or a mask."""
        square = np.ix_(bands, bands)
        return Statistics(
            self.pixels,
            self.mean[bands],
            self.covariance[square],
            self.smoothed[square],
            self.sample[:, bands],
            self.columns.of(bands),
            self.rows.of(bands),
        )


@dataclass
class Profiles:
    """Sums of each band along the lines of one direction, to find lines that are not like others.

    Attributes
    ----------
    sums, squares : ndarray (lines, B)
    counts : ndarray (lines,)
        Pixels with data.
    """

    sums: Floats
    squares: Floats
    counts: npt.NDArray[np.int64] = field(repr=False)

    @classmethod
    def empty(cls, lines: int, bands: int) -> "Profiles":
        """Return profiles of no pixel."""
        return cls(np.zeros((lines, bands)), np.zeros((lines, bands)), np.zeros(lines, np.int64))

    def of(self, bands: npt.NDArray[Any]) -> "Profiles":
        """Return the profiles of some bands."""
        return Profiles(self.sums[:, bands], self.squares[:, bands], self.counts)

    @property
    def means(self) -> Floats:
        """Return the mean of each line and band; NaN for lines without data."""
        counts = np.where(self.counts, self.counts, np.nan)[:, None]
        return np.asarray(self.sums / counts)

    @property
    def variances(self) -> Floats:
        """Return the variance along each line of each band; NaN for lines without data."""
        counts = np.where(self.counts, self.counts, np.nan)[:, None]
        return np.asarray(np.maximum(self.squares / counts - (self.sums / counts) ** 2, 0))


def parts(scene: Scene, bands: int) -> Iterator[slice]:
    """Yield rows whose spectra in float32, or whose lines in the file, take about 16 MiB."""
    height, width = scene.shape
    stored = scene.cube.shape[2] * scene.cube.dtype.itemsize
    step = max(1, PART_BYTES // (width * max(stored, bands * 4)))
    for start in range(0, height, step):
        yield slice(start, min(start + step, height))


def gather(scene: Scene, bands: int, read: Read) -> Statistics:
    """Gather the statistics of a scene.

    Parameters
    ----------
    scene : Scene
    bands : int
        Bands that `read` returns.
    read : callable
        Returns rows of the scene.

    Raises
    ------
    HsiError
        The scene is smaller than 5 × 5 pixels, or holds too little data.
    """
    height, width = scene.shape
    if min(height, width) < len(KERNEL):
        raise HsiError(
            f"{scene.name}: expected at least {len(KERNEL)} rows and columns, found {height} × "
            f"{width}; noise and signal are told apart by neighbouring pixels"
        )
    sums = _Sums(bands)
    columns, lines = Profiles.empty(width, bands), Profiles.empty(height, bands)
    kept: list[npt.NDArray[np.float32]] = []
    step = max(1, height * width // SAMPLE)
    while math.gcd(step, width) > 1:  # or the sample would come from a few columns alone
        step += 1
    pivot: npt.NDArray[np.float32] | None = None
    for part in parts(scene, bands):
        around = slice(max(part.start - REACH, 0), min(part.stop + REACH, height))
        spectra, valid = read(around)
        inner = slice(part.start - around.start, part.stop - around.start)
        if pivot is None and valid.any():
            pivot = spectra[valid].mean(axis=0, dtype=np.float64).astype(np.float32)
        if pivot is None:
            continue
        numbers = np.arange(part.start * width, part.stop * width).reshape(-1, width)
        chosen = (numbers % step == 0) & valid[inner]
        kept.append(spectra[inner][chosen])  # to the last bit: values that repeat are looked for
        # Sums of squares of what is near zero stay exact.
        spectra = np.where(valid[..., None], spectra - pivot, np.float32(0))
        sums.add(spectra, valid, inner)
        _along(columns, lines, spectra[inner], valid[inner], part)
    if pivot is None:
        raise HsiError(
            f"{scene.name}: expected pixels with data, found none: each is all zero, or has NaN or "
            "the ignore value in some band; mark such bands as bad (bbl in an ENVI header)"
        )
    if sums.pixels < 2 * bands:
        raise HsiError(
            f"{scene.name}: expected at least {2 * bands} pixels with data, two per band, found "
            f"{sums.pixels}"
        )
    for profiles in (columns, lines):
        profiles.squares += (
            2 * pivot * profiles.sums + profiles.counts[:, None] * pivot.astype(np.float64) ** 2
        )
        profiles.sums += profiles.counts[:, None] * pivot.astype(np.float64)
    return sums.statistics(pivot.astype(np.float64), np.concatenate(kept), columns, lines)


def _along(
    columns: Profiles,
    lines: Profiles,
    spectra: npt.NDArray[np.float32],
    valid: npt.NDArray[np.bool_],
    part: slice,
) -> None:
    """Add rows to the sums along columns and rows."""
    squares = np.square(spectra, dtype=np.float64)
    columns.sums += spectra.sum(axis=0, dtype=np.float64)
    columns.squares += squares.sum(axis=0)
    columns.counts += valid.sum(axis=0)
    lines.sums[part] = spectra.sum(axis=1, dtype=np.float64)
    lines.squares[part] = squares.sum(axis=1)
    lines.counts[part] = valid.sum(axis=1)


class _Sums:
    """Sums of products of spectra near zero."""

    def __init__(self, bands: int) -> None:
        self.pixels = self.whole = 0
        self.first = np.zeros(bands)
        self.second = np.zeros((bands, bands))
        # Over the pixels whose whole window holds data.
        self.own, self.around = np.zeros(bands), np.zeros(bands)
        self.across = np.zeros((bands, bands))

    def add(
        self, spectra: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_], inner: slice
    ) -> None:
        """Add the inner rows; missing spectra are zero."""
        chosen = spectra[inner][valid[inner]].astype(np.float64)
        self.pixels += len(chosen)
        self.first += chosen.sum(axis=0)
        self.second += chosen.T @ chosen
        height = spectra.shape[0]
        rows = slice(max(inner.start, REACH), min(inner.stop, height - REACH))
        if rows.stop <= rows.start or spectra.shape[1] < len(KERNEL):
            return
        full = np.lib.stride_tricks.sliding_window_view(valid, (len(KERNEL),) * 2)
        whole = full[rows.start - REACH : rows.stop - REACH].all(axis=(2, 3))
        near = spectra[rows.start - REACH : rows.stop + REACH]
        count = rows.stop - rows.start
        tall = sum(
            np.float32(weight) * near[shift : shift + count] for shift, weight in enumerate(KERNEL)
        )
        assert not isinstance(tall, int)
        wide = tall.shape[1] - 2 * REACH
        mean = sum(
            np.float32(weight) * tall[:, shift : shift + wide]
            for shift, weight in enumerate(KERNEL)
        )
        assert not isinstance(mean, int)
        own = spectra[rows, REACH : REACH + wide][whole].astype(np.float64)
        mean = mean[whole].astype(np.float64)
        self.whole += len(own)
        self.own += own.sum(axis=0)
        self.around += mean.sum(axis=0)
        self.across += own.T @ mean

    def statistics(
        self,
        pivot: Floats,
        sample: npt.NDArray[np.float32],
        columns: Profiles,
        rows: Profiles,
    ) -> Statistics:
        """Return means and covariances; where no window is whole, the second says no more."""
        mean = self.first / self.pixels
        covariance = self.second / self.pixels - np.outer(mean, mean)
        if self.whole < len(mean):
            smoothed = covariance * CENTRE
        else:
            smoothed = self.across / self.whole
            smoothed -= np.outer(self.own / self.whole, self.around / self.whole)
            smoothed = (smoothed + smoothed.T) / 2
        return Statistics(self.pixels, mean + pivot, covariance, smoothed, sample, columns, rows)
