"""One plane of an image on its way: filled, measured, checked, and put back."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from restore.denoising import levels, noise_seen
from restore.denoising.noise_seen import Noise
from restore.denoising.pixels import single_channel
from restore.errors import RestoreError
from restore.images import gaps
from restore.images.gaps import Gaps

# How far a restored value may lie beyond all that came in: in standard deviations of the noise, and
# as a share of white. At sigma 5, 25 and 50 on four photographs the shipped weights went beyond by
# 1.1 standard deviations and 0.012 of white at most. Interpolation takes from thin lines and points
# any part of their contrast, so what brings it back is held to black and white alone.
NOISE, FLOOR = 3.0, 0.02

_Array = npt.NDArray[Any]


@dataclass
class Plane:
    """Grey or colour that is denoised by itself, in place.

    Attributes
    ----------
    values : ndarray (H, W) or (H, W, 3)
        Without gaps; one channel where the three of `target` are equal.
    target : ndarray (H, W) or (H, W, 3)
        Of the picture, where the result belongs; often `values` itself.
    black, white : float
        See `restore.denoising.levels.Levels`.
    sigma : float
        Of the noise on the 0..255 scale; NaN where it cannot be told.
    noise : Noise
        Of what kind it is.
    gaps : Gaps or None
        Pixels without data.
    low, high : ndarray (C,)
        The smallest and largest value of each channel that came in.
    doubt : str
        What speaks against how the values are taken; empty for nothing.
    upscales : bool
        Whether the model brings back what interpolation took.
    """

    values: _Array
    target: _Array
    black: float
    white: float
    sigma: float
    noise: Noise
    gaps: Gaps | None
    low: _Array
    high: _Array
    doubt: str
    upscales: bool = False

    @property
    def channels(self) -> int:
        """Return 1 for grey, 3 for colour."""
        return 1 if self.values.ndim == 2 else 3

    def judge(self) -> None:
        """Add to the doubts where most of the noise is still there."""
        where = None if self.gaps is None else self.gaps.where
        if self.noise.remains(self.values, self.white, where):
            still = "most of the noise is still there; try another `model` or `noise`"
            self.doubt = "; ".join(filter(None, (self.doubt, still)))

    def finish(self) -> None:
        """Check the result, and bring it to where it belongs.

        Raises
        ------
        RestoreError
            A value lies beyond those that came in by more than the noise, or is not finite; of a
            model that upscales, beyond black or white as well.
        """
        low, high = _extremes(self.values)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise RestoreError("expected finite values of the model, found NaN or infinite ones")
        sigma = self.sigma if math.isfinite(self.sigma) else 0.0
        margin = (NOISE * sigma / 255 + FLOOR) * self.white
        least, most = self.low, self.high
        if self.upscales:
            least = np.minimum(least, self.black)
            most = np.maximum(most, self.black + self.white)
        beyond = np.maximum(least - low, high - most)
        worst = int(beyond.argmax())
        if beyond[worst] > margin:
            channel = f" in channel {worst + 1}" if self.channels > 1 else ""
            raise RestoreError(
                f"expected a result within {least[worst]:g}..{most[worst]:g} and the "
                f"noise{channel}, found {low[worst]:g}..{high[worst]:g}; this model does not suit "
                "the image"
            )
        if self.target is not self.values:
            self.target[...] = self.values[..., None]
        if self.gaps is not None:
            self.gaps.restore(self.target)


def prepare(
    target: _Array,
    *,
    white: float | None,
    no_data: float | None,
    sigma: float | None,
    alpha: _Array | None = None,
) -> Plane:
    """Prepare one array of a picture.

    Parameters
    ----------
    target : ndarray (H, W) or (H, W, 3)
        Changed in place: pixels without data are filled.
    white, no_data : float or None
        As the file states them.
    sigma : float or None
        The noise level on the 0..255 scale; estimated where it is None.
    alpha : ndarray (H, W), optional
        Where it is 0, the values stay as they are and decide nothing.

    Raises
    ------
    RestoreError
        A value lies above the stated white.
    """
    found = gaps.find(target, no_data)
    if alpha is not None:
        found = gaps.with_hidden(found, target, alpha)
    if found is not None:
        gaps.fill(target, found.where)
        if found.where.all():
            raise RestoreError("expected an image, found no pixel with data in it")
    grey = single_channel(target)
    values = target if grey is None else grey
    low, high = _extremes(values)
    if white is not None and high.max() > white:
        raise RestoreError(
            f"`white` {white:g}: expected no value above it, found {high.max():g}; name a larger "
            "one"
        )
    where = None if found is None else found.where
    told = levels.measure(values, white, sigma, where)
    noise = noise_seen.look(values - told.black if told.black else values, told.white, where)
    doubts = [told.doubt]
    if found is not None and found.guess is not None:
        doubts.append(f"{found.guess:g} was taken for 'no data'")
    doubt = "; ".join(filter(None, doubts))
    return Plane(values, target, told.black, told.white, told.sigma, noise, found, low, high, doubt)


def _extremes(values: _Array) -> tuple[_Array, _Array]:
    """Return the smallest and the largest value of each channel."""
    channels = [values] if values.ndim == 2 else [values[..., c] for c in range(values.shape[2])]
    low, high = ([float(pick(one)) for one in channels] for pick in (np.min, np.max))
    return np.array(low), np.array(high)
