"""How images are denoised: settings, checked before any work."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from restore.denoising.choose import NOISES
from restore.denoising.pixels import How
from restore.errors import RestoreError
from restore.folders import naming
from restore.folders.shards import Shard
from restore.images import heads
from restore.networks.engines import ENGINES


@dataclass(frozen=True)
class FolderOptions:
    """How a folder is denoised.

    Attributes
    ----------
    sigma : float or None
        The noise level of all images on the 0..255 scale; None to estimate it for each.
    white : float or None
        The value of white of images that have fewer bits than their type and do not say so.
    noise : str
        What there is to remove, one of `restore.denoising.choose.NOISES`; 'auto' for what is seen.
    recursive : bool
        Mirror sub-folders too.
    exclude : tuple of str
        Patterns of files and sub-folders that are left out.
    overwrite : bool
        Replace any file.
    refresh : bool
        Replace outputs of earlier runs whose input or options changed, and no other files.
    tile : str
        'auto', 'off', or the side of a tile in pixels.
    engine : str
        What runs the networks: one of `restore.networks.engines.ENGINES`.
    form : str
        Of the outputs: one of `restore.folders.naming.FORMATS`.
    strict : bool
        An image that does not suit the model is an error instead of a warning.
    how : How
    shard : Shard
        The part of the images that is worked on.
    compare : Path or None
        A before/after sheet to write at the end.
    """

    sigma: float | None = None
    white: float | None = None
    noise: str = "auto"
    recursive: bool = False
    exclude: tuple[str, ...] = ()
    overwrite: bool = False
    refresh: bool = False
    tile: str = "auto"
    engine: str = "torch"
    form: str = "auto"
    strict: bool = False
    how: How = field(default_factory=How)
    shard: Shard = field(default_factory=Shard)
    compare: Path | None = None

    def __post_init__(self) -> None:
        side = self.tile.isascii() and self.tile.isdecimal() and int(self.tile) > 0
        if self.tile not in ("auto", "off") and not side:
            raise RestoreError(f"`tile` {self.tile}: expected auto, off or a side in pixels")
        if self.engine not in ENGINES:
            known = ", ".join(ENGINES)
            raise RestoreError(f"`engine` {self.engine}: expected one of {known}")
        if self.form not in naming.FORMATS:
            known = ", ".join(naming.FORMATS)
            if self.form == "dng":
                raise RestoreError(f"`form` dng: {heads.NO_DNG}")
            raise RestoreError(f"`form` {self.form}: expected one of {known}")
        if self.noise not in NOISES:
            known = ", ".join(NOISES)
            raise RestoreError(f"`noise` {self.noise}: expected one of {known}")
        if self.sigma is not None and not 0 <= self.sigma <= 255:
            raise RestoreError(f"`sigma` {self.sigma:g}: expected None or a number from 0 to 255")
        if self.white is not None and not 0 < self.white < math.inf:
            raise RestoreError(f"`white` {self.white:g}: expected a number above 0, such as 4095")

    @property
    def side(self) -> int | None:
        """Return the side of a tile in pixels; 0 for none, None for what fits in memory."""
        if self.tile == "auto":
            return None
        return 0 if self.tile == "off" else int(self.tile)
