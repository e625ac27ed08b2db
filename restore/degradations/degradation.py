"""The degradations by name, and the protocol that makes a scored pair of images from one image.

The protocol is the one behind the published tables (DnCNN: K. Zhang et al., "Beyond a Gaussian
denoiser", IEEE Trans. Image Processing 26(7), 3142-3155, 2017): its choices are in `pair` and in
`restore.evaluation.protocol`.
"""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from restore.degradations import camera
from restore.errors import RestoreError

Kind = Literal["noise", "jpeg", "bicubic", "camera"]
_EXPECTED = (
    "expected noise:SIGMA (0..255), jpeg:QUALITY (1..100), bicubic:SCALE (2, 3 or 4) or "
    "camera:ISO (25..102400)"
)


@dataclass(frozen=True)
class Degradation:
    """What was done to an image.

    Parameters
    ----------
    kind : {'noise', 'jpeg', 'bicubic', 'camera'}
    level : float
        The noise's sigma on the 0..255 scale, the JPEG quality (1..100, whole), the factor of the
        bicubic shrinking (2, 3 or 4), or the ISO of a camera
        (see `restore.degradations.camera.of_iso`).

    Raises
    ------
    RestoreError
        If the level is out of its range.
    """

    kind: Kind
    level: float

    def __post_init__(self) -> None:
        level, whole = self.level, float(self.level).is_integer()
        if self.kind not in get_args(Kind):
            raise RestoreError(f"unknown degradation {self.kind!r}: {_EXPECTED}")
        if self.kind == "noise" and not 0 <= level <= 255:
            raise RestoreError(f"noise sigma must be from 0 to 255, not {level:g}")
        if self.kind == "jpeg" and not (whole and 1 <= level <= 100):
            raise RestoreError(f"JPEG quality must be a whole number from 1 to 100, not {level:g}")
        if self.kind == "bicubic" and not (whole and 2 <= level <= 4):
            raise RestoreError(f"bicubic scale must be 2, 3 or 4, not {level:g}")
        low, high = camera.ISO
        if self.kind == "camera" and not low <= level <= high:
            raise RestoreError(f"camera ISO must be from {low:g} to {high:g}, not {level:g}")

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        return f"{self.kind}:{float(self.level)!r}".removesuffix(".0")


def parse(text: str) -> Degradation:
    """Read a degradation as it is written on the command line.

    Parameters
    ----------
    text : str
        ``noise:25``, ``jpeg:10``, ``bicubic:3``, ``camera:1600``.

    Returns
    -------
    Degradation
        Its `str` is `text` again, in the shortest form.

    Raises
    ------
    RestoreError
        If the form or the level is wrong.

    Examples
    --------
    >>> parse("noise:25.0")
    Degradation(kind='noise', level=25.0)
    >>> str(parse("noise:25.0"))
    'noise:25'
    """
    kind, _, level = text.partition(":")
    try:
        value = float(level)
    except ValueError:
        raise RestoreError(f"degradation {text!r} not understood: {_EXPECTED}") from None
    return Degradation(cast(Kind, kind), value)
