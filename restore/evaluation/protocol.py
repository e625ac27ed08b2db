"""The choices of the scoring protocol: as the papers made them, or as the user asks."""

from dataclasses import dataclass
from typing import Protocol

from restore.errors import RestoreError

_ALLOWED = {"rounding": ("auto", "on", "off"), "luma": ("auto", "matlab", "full")}

# Of a table of scores: one row per image.
COLUMNS = (
    "model",
    "set",
    "degradation",
    "level",
    "image",
    "psnr_db",
    "ssim",
    "psnr_input_db",
    "ssim_input",
    "seed",
    "weights_sha256",
    "precision",
)


class Tested(Protocol):
    """What a model is tested on: a made degradation, or pairs of real noise."""

    @property
    def kind(self) -> str:
        """Return 'noise', 'jpeg', 'bicubic', 'camera' or 'pairs'."""
        ...

    @property
    def level(self) -> float | str:
        """Return its strength; of pairs, the name of the set."""
        ...


@dataclass(frozen=True)
class Scoring:
    """How a restored image is scored; 'auto' is what the published tables did.

    Parameters
    ----------
    rounding : {'auto', 'on', 'off'}
        Clip and round the output to 8 bit before scoring it; 'auto' does so for noise and JPEG and
        not for super-resolution.
    border : str
        'auto' (as many pixels as the scale for bicubic, else none), or the pixels left out at each
        side.
    luma : {'auto', 'matlab', 'full'}
        The grey that a colour image becomes for a grey model: MATLAB's luma of 16..235, or grey of
        0..255. 'auto' is MATLAB's luma for JPEG and bicubic, the full range for noise. A camera's
        picture has full range always.

    Raises
    ------
    RestoreError
        Another word or a negative border.
    """

    rounding: str = "auto"
    border: str = "auto"
    luma: str = "auto"

    def __post_init__(self) -> None:
        for name, words in _ALLOWED.items():
            if getattr(self, name) not in words:
                expected = f"{', '.join(words[:-1])} or {words[-1]}"
                raise RestoreError(f"`{name}` {getattr(self, name)}: expected {expected}")
        if self.border != "auto" and not (self.border.isascii() and self.border.isdigit()):
            raise RestoreError(f"`border` {self.border}: expected auto or a number of pixels")

    def rounds(self, degradation: Tested) -> bool:
        """Return whether the output is clipped and rounded before it is scored."""
        if self.rounding == "auto":
            return degradation.kind != "bicubic"
        return self.rounding == "on"

    def shaved(self, degradation: Tested) -> int:
        """Return how many pixels are not scored at each side."""
        if self.border == "auto":
            return int(degradation.level) if degradation.kind == "bicubic" else 0
        return int(self.border)

    def matlab_luma(self, degradation: Tested) -> bool:
        """Return whether a colour image becomes MATLAB's luma for a grey model."""
        return (
            degradation.kind in ("jpeg", "bicubic")
            if self.luma == "auto"
            else self.luma == "matlab"
        )

    def departures(self, degradation: Tested, *, colour: bool) -> list[str]:
        """Return the choices that are not those of the published tables.

        Parameters
        ----------
        degradation : Tested
        colour : bool
            The model is for colour, and needs no grey.
        """
        found = []
        if self.rounds(degradation) != PUBLISHED.rounds(degradation):
            found.append(f"rounding {self.rounding}")
        if self.shaved(degradation) != PUBLISHED.shaved(degradation):
            found.append(f"border {self.shaved(degradation)}")
        if not colour and self.matlab_luma(degradation) != PUBLISHED.matlab_luma(degradation):
            found.append(f"luma {self.luma}")
        return found


PUBLISHED = Scoring()
