"""What kind of noise an image has, told from the image alone: from its calm blocks.

White noise has as much power at all frequencies, in each channel its own. The noise of photographs,
scans and film has not: demosaicing, smoothing, resizing and JPEG take the fine part, and make the
channels alike. Texture is mostly coarse, and alike between channels. So the spectrum is looked at
where an image is calm, and in colour images in the differences of the channels, which hold least
texture.

A block's spectrum is its discrete cosine transform, whose coefficients have the noise's own
variance [1]_; the calm blocks are those with the least power at middle frequencies [2]_.

References
----------
.. [1] N. N. Ponomarenko, V. V. Lukin, M. S. Zriakhov, A. Kaarna, J. Astola, "An automatic approach
       to lossy compression of AVIRIS images", IGARSS 2007.
.. [2] M. Colom, A. Buades, "Analysis and Extension of the Ponomarenko et al. Method, Estimating a
       Noise Curve from a Single Image", IPOL 3, 2013. :doi:`10.5201/ipol.2013.45`
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.denoising import clipping
from restore.denoising.noise_level import windows

SIDE = 16  # of a block, in pixels
CALM = 0.06  # share of the blocks that counts
FEWEST = 12  # blocks
# Blocks of an image, up to which they overlap by half: among more places some are calmer, and in a
# small image the calm ones hold texture else.
OVERLAP = 400
CUT = 0.01  # share of black or white pixels above which a block is left out
QUIET = 0.35  # noise of a block that has none: rounding to 8 bit gives 0.29 where values vary
DARK = 16  # brightness below which photographs lose their noise to black
FLAT = 0.25  # share of quiet blocks, among those that are not dark, from which an image is clean
PLAIN = 0.6  # share of neighbours of a small image that are equal, from which it is clean
NEAR, STRAY = 8 / 255, 0.01  # of pure black or white; share of pixels that are only near it
WHITE = 2.0  # coarse over fine noise, at most
SURE, EVEN, FINE = 6.0, 4.0, 0.5  # what is sure to be noise: level, at most this even and fine
MOST = 0.6  # share of it that is most
# Correlation of neighbours, at most, by the level of the noise. Detail of the image counts as a
# part of it, and the less the stronger the noise is.
LEVELS, JOINED = (21.0, 23.0, 45.0), (0.24, 0.19, 0.12)
ALIKE = 0.24  # correlation of the channels' noise, at most
APART = 40  # levels of brightness between the quarters that are compared
GROWTH = 2.0  # noise of the brightest over that of the darkest quarter, at most


def _transform() -> NDArray[np.float32]:
    """Return the orthonormal DCT-II of a line, (SIDE, SIDE)."""
    k = np.arange(SIDE)
    matrix = np.sqrt(2 / SIDE) * np.cos(np.pi * (2 * k + 1) * k[:, None] / (2 * SIDE))
    matrix[0] /= math.sqrt(2)
    return np.asarray(matrix, np.float32)


_DCT = _transform()
_U, _V = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
_RADIUS = np.hypot(_U, _V)
_ALL = _RADIUS >= 2  # without shading
_COARSE = _ALL & (_RADIUS < 4)
_MIDDLE = (_RADIUS >= 4) & (_RADIUS < 8)
_INNER = _ALL & (_U >= 1) & (_V >= 1)  # without ramps
_FINE = np.minimum(_U, _V) >= SIDE // 2  # the diagonal half, as `noise_level` looks at


@dataclass(frozen=True)
class Noise:
    """What is seen of an image's noise; NaN for what cannot be told.

    Attributes
    ----------
    level : float
        Standard deviation in calm blocks, of all frequencies, on the 0..255 scale; texture counts.
    between : float
        Correlation of the channels' noise at fine scale, 0 (independent) to 1; 1 for grey.
    neighbours : float
        Correlation between neighbouring pixels, 0 for white noise.
    growth : float
        Fine noise of the calm among the brightest quarter of blocks over that of the darkest.
    coarse : float
        Noise at coarse scale over that at fine scale: 1 for white noise.
    even : float
        Power of the median block over that of the calm ones: near 1 where all is noise.
    clean : bool
        There is nothing to remove, as in drawings and screenshots.
    """

    level: float
    between: float
    neighbours: float
    growth: float
    coarse: float
    even: float
    clean: bool

    @property
    def white(self) -> bool:
        """Return whether it is as the models for Gaussian noise know it; true where not known."""
        alike = ALIKE < self.between < 1
        return not (self.is_coarse or alike or self.growth > GROWTH)

    @property
    def is_coarse(self) -> bool:
        """Return whether it is coarser than white noise, or joins neighbours; detail counts too."""
        joined = np.interp(self.level, LEVELS, JOINED)
        return bool(self.coarse > WHITE or self.neighbours > joined)

    def remains(
        self, pixels: NDArray[Any], white: float, gaps: NDArray[np.bool_] | None = None
    ) -> bool:
        """Return whether most of this noise is still there in a result; parameters as `look`.

        False where it may have been texture: only noise that is strong, nearly the same in all of
        an image and fine is sure to be noise.
        """
        if not (self.level >= SURE and self.even < EVEN and self.neighbours < FINE):
            return False
        return look(pixels, white, gaps).level > MOST * self.level

    def recorded(self) -> dict[str, float | None]:
        """Return what a journal holds of it."""
        values = {
            name: getattr(self, name) for name in ("level", "between", "neighbours", "growth")
        }
        return {
            name: round(value, 3) if math.isfinite(value) else None
            for name, value in values.items()
        }


_NAN = math.nan
UNKNOWN = Noise(_NAN, _NAN, _NAN, _NAN, _NAN, _NAN, clean=False)


def look(pixels: NDArray[Any], white: float, gaps: NDArray[np.bool_] | None = None) -> Noise:
    """Look at the noise of an image.

    Parameters
    ----------
    pixels : ndarray (H, W) or (H, W, 3)
        Any real dtype.
    white : float
        The value of white; pixels at 0 or `white` are taken for cut off.
    gaps : ndarray (H, W) of bool, optional
        Pixels that hold no noise, as they were filled.

    Returns
    -------
    Noise
        Unknown for an image of fewer than 12 blocks of 16×16 pixels, but whether it is clean.
    """
    parts = [part for part in windows(pixels) if min(part.shape[:2]) >= SIDE]
    count = sum((len(part) // SIDE) * (part.shape[1] // SIDE) for part in parts)
    if count < FEWEST:
        return replace(UNKNOWN, clean=_is_plain(pixels, white))
    step = SIDE // 2 if count <= OVERLAP else SIDE
    stored = np.concatenate([_blocks(part, step) for part in parts])
    cut = np.zeros(len(stored))
    if clipping.ends(pixels, white):
        cut = ((stored == 0) | (stored == white)).mean(axis=(2, 3)).max(axis=1)
    if gaps is not None:
        filled = [part for part in windows(gaps) if min(part.shape[:2]) >= SIDE]
        shares = [_blocks(part, step).mean((1, 2, 3)) for part in filled]
        cut = np.maximum(cut, np.concatenate(shares))
    seen = stored[cut <= max(CUT, float(np.sort(cut)[FEWEST - 1]))]
    blocks: NDArray[np.float32] = seen.astype(np.float32) * np.float32(255 / white)
    spectra = np.asarray(_DCT @ blocks @ _DCT.T, np.float32)  # (N, C, SIDE, SIDE)
    mean = spectra.mean(axis=1)
    power = np.square(mean[:, _MIDDLE]).mean(axis=1)
    order = np.argsort(power, kind="stable")
    calm: NDArray[np.intp] = order[: max(FEWEST, round(CALM * len(order)))]
    colour = spectra.shape[1] == 3
    # One value a coefficient and block: of the differences of the channels where there are some.
    # For independent channels of variance 1, that of the mean is 1/3, of a difference from it 2/3.
    differences = (spectra - mean[:, None])[calm] * math.sqrt(1.5)
    told = differences if colour else mean[calm][:, None]
    # Differences of channels hold little texture, brightness at coarse scale much.
    coarse = _rms(told[:, :, _COARSE if colour else _MIDDLE])
    fine = _rms(told[:, :, _FINE])
    common = _rms(mean[calm][:, _FINE]) ** 2 * 3
    own = fine**2
    level = _rms(spectra[calm][:, :, _ALL])
    return Noise(
        level=level,
        between=max(0.0, (common - own) / max(common + 2 * own, 1e-9)) if colour else 1.0,
        neighbours=_neighbours(spectra[calm]),
        growth=_growth(blocks, spectra, power),
        coarse=coarse / max(fine, 1e-3),
        even=float(np.median(power) / max(power[calm].mean(), 1e-9)),
        clean=_is_flat(blocks, spectra) or _is_drawn(stored, white) or _is_even(pixels),
    )


def _blocks(part: NDArray[Any], step: int) -> NDArray[Any]:
    """Cut (H, W[, C]) into (N, C, SIDE, SIDE), one every so many pixels."""
    planes = part.reshape(*part.shape[:2], -1)
    blocks = np.lib.stride_tricks.sliding_window_view(planes, (SIDE, SIDE), axis=(0, 1))
    chosen = blocks[::step, ::step]  # (rows, columns, C, SIDE, SIDE)
    return chosen.reshape(-1, *chosen.shape[2:])


def _rms(values: NDArray[Any]) -> float:
    return float(np.sqrt(np.square(values).mean())) if values.size else math.nan


def _neighbours(spectra: NDArray[np.float32]) -> float:
    """Return the correlation between neighbours that a mean power spectrum means."""
    power = np.square(spectra).mean(axis=(0, 1)) * _ALL
    shift = (np.cos(np.pi * _U / SIDE) + np.cos(np.pi * _V / SIDE)) / 2
    flat = (shift * _ALL).sum() / _ALL.sum()  # what white noise gives without its coarsest part
    return float((power * shift).sum() / max(power.sum(), 1e-9) - flat)


def _is_flat(blocks: NDArray[np.float32], spectra: NDArray[np.float32]) -> bool:
    """Return whether much of what is not dark has no noise."""
    bright = blocks.mean(axis=(1, 2, 3)) >= DARK
    power = np.square(spectra[bright][:, :, _INNER]).mean(axis=(1, 2))
    return len(power) >= FEWEST and float(np.quantile(power, FLAT)) < QUIET**2


def _is_drawn(stored: NDArray[Any], white: float) -> bool:
    """Return whether much is pure black or white, and next to nothing nearly so, as in text."""
    if stored.dtype.kind == "f":
        return False
    near = white * NEAR
    pure = nearly = 0
    for extreme, other in ((0, near), (white, white - near)):
        at = (stored == extreme).all(axis=1)
        around = (stored >= min(extreme, other)) & (stored <= max(extreme, other))
        pure += int(at.sum())
        nearly += int(around.all(axis=1).sum() - at.sum())
    return pure >= FLAT * stored.size / stored.shape[1] and nearly <= STRAY * pure


def _is_even(pixels: NDArray[Any]) -> bool:
    """Return whether each channel has one value."""
    return bool((pixels == pixels[:1, :1]).all())


def _is_plain(pixels: NDArray[Any], white: float) -> bool:
    """Return whether most neighbours of a small image are equal, as in icons.

    At sigma 1, rounded to whole numbers, 28 of a hundred are. Pure black and white count only where
    next to nothing is nearly so: noise may be cut off there.
    """
    image = pixels.reshape(*pixels.shape[:2], -1)
    if image.shape[:2] == (1, 1):
        return True
    equal, pure = [], []
    for axis in (0, 1):
        one, other = np.moveaxis(image, axis, 0)[:-1], np.moveaxis(image, axis, 0)[1:]
        equal.append((one == other).all(axis=2).ravel())
        pure.append(((one == 0) | (one == white)).all(axis=2).ravel())
    same, extreme = np.concatenate(equal), np.concatenate(pure)
    if pixels.dtype.kind == "f" or _is_drawn(image.transpose(2, 0, 1)[None], white):
        extreme[:] = False
    between = same[~extreme]
    return between.size <= STRAY * same.size or bool(between.mean() >= PLAIN)


def _growth(
    blocks: NDArray[np.float32], spectra: NDArray[np.float32], power: NDArray[np.float32]
) -> float:
    """Return the fine noise of the calm bright blocks over that of the calm dark ones."""
    brightness = blocks.mean(axis=(1, 2, 3))
    order = np.argsort(brightness, kind="stable")
    quarter = len(order) // 4
    dark, bright = order[:quarter], order[-quarter:]
    if quarter < FEWEST or brightness[bright].mean() - brightness[dark].mean() < APART:
        return math.nan
    found = []
    for part in (dark, bright):
        calm = part[np.argsort(power[part], kind="stable")[: max(FEWEST // 2, quarter // 10)]]
        planes = spectra[calm]
        if planes.shape[1] == 3:
            planes = planes - planes.mean(axis=1, keepdims=True)
        found.append(_rms(planes[:, :, _FINE]))
    return found[1] / max(found[0], 1e-3)


def combined(noises: Sequence[Noise]) -> Noise:
    """Return the mean of what is seen of several images; clean where all are."""
    values = {
        field.name: _mean([getattr(noise, field.name) for noise in noises])
        for field in fields(Noise)
        if field.name != "clean"
    }
    return Noise(**values, clean=all(noise.clean for noise in noises))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
