"""Artefacts of sensors, found and mended before noise is estimated.

Stripes are rows or columns of a band with an offset, dead lines hold no signal, impulses are single
wrong values. All of them show in one band and not in the others, so each is measured against what
the other bands predict there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hsi.denoising import robust
from hsi.denoising.options import DenoiseOptions
from hsi.denoising.statistics import Profiles, Statistics
from hsi.denoising.subspace import Subspace

Floats = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

DEAD = 1e-6  # variance along a dead line, as a share of the median of its band
CERTAIN = 6.0  # of the noise in a line's mean
VISIBLE = 0.3  # of the noise of a pixel: a smaller offset is no stripe
AROUND = 9  # lines whose median is what is not seen in other bands, but is no stripe either
ROUNDS = 3
SHARE = 0.01  # of a band's values, beyond those on wrong lines: fewer are no impulses


@dataclass(frozen=True)
class Lines:
    """The rows, or the columns, of a scene that are not as others.

    Attributes
    ----------
    offset : ndarray (lines, B), float32
        Is subtracted.
    dead : ndarray (lines, B), bool
        Without signal.
    """

    offset: Spectra
    dead: Mask


@dataclass(frozen=True)
class Artefacts:
    """What is wrong with a scene beside its noise.

    Attributes
    ----------
    columns, rows : Lines
    impulses : bool
        Single values are compared with what other bands predict.
    model : Subspace
        By which missing values are filled.
    spikes : dict of int to ndarray
        By band: values that stand for an impulse.
    share : ndarray (B,)
        Of each band's values that are single wrong ones.
    """

    columns: Lines
    rows: Lines
    impulses: bool
    model: Subspace
    spikes: Mapping[int, Spectra]
    share: Floats

    def __bool__(self) -> bool:
        return self.impulses or any(
            lines.offset.any() or lines.dead.any() for lines in (self.columns, self.rows)
        )

    def __str__(self) -> str:
        stripes = sum(int((lines.offset != 0).sum()) for lines in (self.columns, self.rows))
        dead = sum(int(lines.dead.sum()) for lines in (self.columns, self.rows))
        found = [f"{stripes} stripes"] * bool(stripes) + [f"{dead} dead lines"] * bool(dead)
        return ", ".join(found + ["impulses"] * self.impulses) or "none seen"

    def filled_variance(self) -> Floats:
        """Return what noise the filled values of each band lack, as a share of all its values."""
        dead = sum(lines.dead.mean(axis=0) for lines in (self.columns, self.rows))
        return np.asarray(np.minimum(self.share + dead, 1) * self.model.sigma**2)

    def mended(self, spectra: Spectra, valid: Mask, rows: slice, columns: slice) -> Spectra:
        """Return spectra (h, w, B) of a part of the scene without artefacts.

        Parameters
        ----------
        spectra : ndarray (h, w, B), float32
        valid : ndarray (h, w), bool
            Which hold data; the others stay.
        rows, columns : slice
            Their place in the scene.
        """
        if not self:
            return spectra
        better = spectra - self.columns.offset[columns] - self.rows.offset[rows][:, None]
        dead = self.columns.dead[columns] | self.rows.dead[rows][:, None]
        chosen, wrong = better[valid], dead[valid]
        if self.impulses:
            for band, values in self.spikes.items():
                wrong[:, band] |= np.isin(spectra[valid, band], values)
            wrong = robust.wrong_values(self.model, chosen, wrong)
        if wrong.any():
            chosen = self.model.filled(chosen, wrong)
        better[valid] = chosen
        return np.asarray(np.where(valid[..., None], better, spectra))


def find(found: Statistics, options: DenoiseOptions) -> Artefacts:
    """Return the artefacts that stand out, or are looked for in any case.

    Impulses move the means of lines, so where there are any, lines are left to `with_lines`.
    """
    model, wrong, spikes = robust.fit(found.sample)
    none = [_none(profiles) for profiles in (found.columns, found.rows)]
    plain = with_lines(
        Artefacts(none[0], none[1], False, model, spikes, np.zeros(len(model.sigma))),
        found,
        options,
    )
    if options.impulses == "off":
        return plain
    # Share of each band's values that lie on wrong lines.
    lines = (plain.columns, plain.rows)
    expected = sum(((one.offset != 0) | one.dead).mean(axis=0) for one in lines)
    if options.impulses == "on" or bool((wrong.mean(axis=0) - expected > SHARE).any()):
        return Artefacts(none[0], none[1], True, model, spikes, wrong.mean(axis=0))
    return plain


def with_lines(seen: Artefacts, found: Statistics, options: DenoiseOptions) -> Artefacts:
    """Return artefacts with the lines that are not as others in statistics without impulses."""
    columns = _lines(found.columns, seen.model, options)
    return replace(seen, columns=columns, rows=_lines(found.rows, seen.model, options))


def _none(profiles: Profiles) -> Lines:
    shape = profiles.sums.shape
    return Lines(np.zeros(shape, np.float32), np.zeros(shape, np.bool_))


def _lines(profiles: Profiles, model: Subspace, options: DenoiseOptions) -> Lines:
    """Return the lines of one direction that are dead or have an offset."""
    counts, none = profiles.counts, _none(profiles)
    dead, offset = none.dead, none.offset
    held = counts > 1
    if held.sum() < AROUND:
        return none
    if options.dead_lines != "off":
        variances = profiles.variances[held]
        dead[held] = variances <= DEAD * np.median(variances, axis=0)
    if options.stripes != "off":
        least = 0.0 if options.stripes == "on" else VISIBLE
        offset[held] = _offsets(profiles.means[held], counts[held], dead[held], model, least)
    return Lines(offset, dead)


def _offsets(
    means: Floats, counts: npt.NDArray[np.int64], dead: Mask, model: Subspace, least: float
) -> Spectra:
    """Return what the means of lines (n, B) have beyond what other bands predict, else zero."""
    from scipy.ndimage import median_filter

    # The mean of a line is a spectrum like any other, of less noise.
    exact = np.median(counts) ** -0.5
    precise = Subspace(model.mean, model.sigma * exact, model.basis, model.power / exact**2)
    spectra, striped = means.astype(np.float32), np.zeros(means.shape, np.bool_)
    difference: Floats = np.zeros(means.shape)
    limit = model.sigma * np.maximum(CERTAIN * counts[:, None] ** -0.5, least)
    for _ in range(ROUNDS):
        missing = striped | dead
        filled = precise.filled(spectra, missing) if missing.any() else spectra
        expected = precise.spectra(robust.shrunk(precise, filled))
        difference = np.subtract(spectra, expected, dtype=np.float64)
        difference = difference - median_filter(
            np.where(dead, 0, difference), (AROUND, 1), mode="nearest"
        )
        striped = (np.abs(difference) > limit) & ~dead
    return np.where(striped, difference, 0).astype(np.float32)
