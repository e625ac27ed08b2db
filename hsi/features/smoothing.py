"""Smoothing of class probabilities over neighbouring pixels.

Neighbours are mostly of one class. Every kind here looks no further than its `halo`, so that a
scene smoothed block by block is the same as one smoothed whole. The spectra of all pixels count,
labelled or not, and test pixels too; no label does.

References
----------
.. [1] P. Krähenbühl and V. Koltun, "Efficient Inference in Fully Connected CRFs", NeurIPS 2011, for
   the mean-field update.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.features.box_mean import box_mean
from hsi.features.guided_filter import guided_filter

Floats = npt.NDArray[np.float64]

EXPECTED = "box:R, guided:R, guided:R,EPS, potts:BETA or potts:BETA,ROUNDS, such as guided:6"
FARTHEST = 64  # pixels
GUIDES = 3  # components that guide
EPSILON = 0.01
ROUNDS = 10
LEAST = 1e-6  # a probability that counts as none: a neighbourhood can overrule it


@dataclass(frozen=True)
class Smoothing:
    """A kind of smoothing with its strength.

    Attributes
    ----------
    kind : {'box', 'guided', 'potts'}
        The mean over a box; the guided filter, whose guide is the scene's first three
        noise-whitened components; or the Potts model, a Markov random field of equal neighbours,
        by mean field.
    reach : int
        Half the side of the box in pixels; of the Potts model, the number of rounds.
    strength : float
        Of the guided filter, ε, in units of the components' variance; of the Potts model, β, by
        which a log probability rises if all eight neighbours are of the class.
    """

    kind: str
    reach: int
    strength: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 'box:R', 'guided:R[,EPS]' or 'potts:BETA[,ROUNDS]'.

        Raises
        ------
        HsiError
            Something else, or a number out of range.

        Examples
        --------
        >>> Smoothing.parse("guided:6").halo, str(Smoothing.parse("potts:2"))
        (12, 'potts:2,10')
        """
        kind, _, rest = str(text).partition(":")
        try:
            if kind == "box":
                found = cls(kind, int(rest))
            elif kind == "guided":
                reach, comma, strength = rest.partition(",")
                found = cls(kind, int(reach), float(strength) if comma else EPSILON)
            elif kind == "potts":
                first, comma, rounds = rest.partition(",")
                found = cls(kind, int(rounds) if comma else ROUNDS, float(first))
            else:
                raise ValueError(kind)
        except ValueError as error:
            raise HsiError(f"`smooth` {text}: expected {EXPECTED}") from error
        if not 1 <= found.reach <= FARTHEST:
            what = "ROUNDS" if kind == "potts" else "R"
            raise HsiError(f"`smooth` {text}: expected {what} from 1 to {FARTHEST}")
        if kind != "box" and not 1e-9 <= found.strength <= 1e6:
            raise HsiError(f"`smooth` {text}: expected EPS or BETA from 1e-9 to 1e6")
        return found

    def __str__(self) -> str:
        if self.kind == "box":
            return f"box:{self.reach}"
        if self.kind == "guided":
            return f"guided:{self.reach},{self.strength:.9g}"
        return f"potts:{self.strength:.9g},{self.reach}"

    @property
    def halo(self) -> int:
        """Distance to which it looks around a pixel, in pixels."""
        return self.reach * (2 if self.kind == "guided" else 1)

    @property
    def guides(self) -> int:
        """Components that it is guided by."""
        return GUIDES if self.kind == "guided" else 0

    def working_bytes(self, pixels: int, classes: int) -> int:
        """Return the bytes that `apply` takes for so many pixels, its halo included."""
        channels = classes + self.guides * (1 + self.guides + classes)
        return 8 * pixels * 4 * max(channels, 2 * classes)

    def apply(
        self,
        probabilities: npt.NDArray[np.float32],
        valid: npt.NDArray[np.bool_],
        guide: Floats | None = None,
    ) -> npt.NDArray[np.float32]:
        """Return smoothed probabilities.

        Parameters
        ----------
        probabilities : ndarray (H, W, C), float32
        valid : ndarray (H, W), bool
            Which pixels hold data; the others count nowhere.
        guide : ndarray (H, W, G), float64
            Components that guide, of deviation 1; needed where `guides` is above 0.

        Returns
        -------
        ndarray (H, W, C), float32
            They sum to 1; 0 where a pixel holds no data.
        """
        shares = np.where(valid[..., None], probabilities.astype(np.float64), np.nan)
        if self.kind == "box":
            smoothed = _mean_around(shares, self.reach)
        elif self.kind == "guided":
            assert guide is not None
            held = np.where(valid[..., None], guide, np.nan)
            # Near an edge the fitted functions reach slightly below 0 and above 1.
            smoothed = np.clip(guided_filter(shares, held, self.reach, self.strength), 0, None)
        else:
            smoothed = _mean_field(shares, self.strength, self.reach)
        smoothed = np.where(valid[..., None], smoothed, 0.0)
        total = smoothed.sum(axis=-1, keepdims=True)
        return np.asarray(smoothed / np.where(total > 0, total, 1.0), np.float32)


def _mean_around(shares: Floats, radius: int) -> Floats:
    frame = (radius, radius)
    return box_mean(np.pad(shares, (frame, frame, (0, 0)), constant_values=np.nan), 2 * radius + 1)


def _mean_field(shares: Floats, beta: float, rounds: int) -> Floats:
    """Return the mean-field marginals of a Potts model of eight neighbours after some rounds.

    All pixels are updated together from the last round's marginals [1]_.
    """
    valid = ~np.isnan(shares[..., :1])
    known = np.log(np.maximum(np.where(valid, shares, 1.0), LEAST))
    around = np.maximum(_counted(valid), 1)  # neighbours that hold data
    current = np.where(valid, shares, 0.0)
    for _ in range(rounds):
        log = known + beta * _counted(current) / around
        log -= log.max(axis=-1, keepdims=True)
        current = np.exp(log)
        current = np.where(valid, current / current.sum(axis=-1, keepdims=True), 0.0)
    return current


def _counted(values: npt.NDArray[np.generic]) -> Floats:
    """Return the sums of values (H, W, C) over the eight neighbours of each pixel."""
    height, width = values.shape[:2]
    framed = np.pad(values.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    found = np.zeros(values.shape)
    for row in range(3):
        for column in range(3):
            if (row, column) != (1, 1):
                found += framed[row : row + height, column : column + width]
    return found
