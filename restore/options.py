"""How images are denoised: settings, checked before any work."""

from dataclasses import dataclass, field
from pathlib import Path

from restore import outputs
from restore.errors import RestoreError
from restore.shards import Shard


@dataclass(frozen=True)
class How:
    """How pixels are restored.

    Attributes
    ----------
    strength : float
        Share of what the network removes that is removed, 0..1.
    self_ensemble : bool
        Average over the eight ways to turn and mirror the image: about 0.1 dB better, eight times
        slower.
    """

    strength: float = 1.0
    self_ensemble: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1:
            raise RestoreError(f"--strength {self.strength:g}: expected more than 0, at most 1")


@dataclass(frozen=True)
class Options:
    """How a folder is denoised.

    Attributes
    ----------
    sigma : str
        'auto' (estimated for each image) or the noise's sigma on the 0..255 scale.
    recursive : bool
        Mirror sub-folders too.
    exclude : tuple of str
        Patterns of files and sub-folders that are left out.
    overwrite : bool
        Replace outputs, whatever made them.
    refresh : bool
        Replace outputs that an earlier run made of another form of the same image or by other
        options, and no others.
    tile : str
        'auto', 'off', or the side of a tile in pixels.
    form : str
        Of the outputs: one of `restore.outputs.FORMATS`.
    strict : bool
        Fail an image that the model does not suit, where otherwise a warning is given.
    how : How
    shard : Shard
        The part of the images that is worked on.
    compare : Path or None
        A before/after sheet to write at the end.
    """

    sigma: str = "auto"
    recursive: bool = False
    exclude: tuple[str, ...] = ()
    overwrite: bool = False
    refresh: bool = False
    tile: str = "auto"
    form: str = "auto"
    strict: bool = False
    how: How = field(default_factory=How)
    shard: Shard = field(default_factory=Shard)
    compare: Path | None = None

    def __post_init__(self) -> None:
        side = self.tile.isascii() and self.tile.isdecimal() and int(self.tile) > 0
        if self.tile not in ("auto", "off") and not side:
            raise RestoreError(f"--tile {self.tile}: expected auto, off or a side in pixels")
        if self.form not in outputs.FORMATS:
            known = ", ".join(outputs.FORMATS)
            raise RestoreError(f"--format {self.form}: expected one of {known}")
        try:
            fine = self.sigma == "auto" or 0 <= float(self.sigma) <= 255
        except ValueError:
            fine = False
        if not fine:
            raise RestoreError(f"--sigma {self.sigma}: expected auto or a number from 0 to 255")

    @property
    def side(self) -> int | None:
        """Side of a tile in pixels, 0 for none, None for what fits in memory."""
        if self.tile == "auto":
            return None
        return 0 if self.tile == "off" else int(self.tile)

    @property
    def known_sigma(self) -> float | None:
        """The noise level that was given, if any."""
        return None if self.sigma == "auto" else float(self.sigma)
