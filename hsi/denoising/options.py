"""Options of a denoising."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from hsi.errors import HsiError

Switch = Literal["auto", "on", "off"]
SWITCHES = ("stripes", "dead_lines", "impulses")


@dataclass(frozen=True)
class DenoiseOptions:
    """How a cube is denoised.

    Attributes
    ----------
    components : int, optional
        Components of the subspace; by default as many as stand out of the noise.
    restore_bad_bands : bool
        Denoise the bands that the scene marks as bad, too.
    stripes, dead_lines, impulses : {'auto', 'on', 'off'}
        Whether lines with an offset, lines without signal, and single wrong values are mended;
        'auto' does it where they are clearly seen.
    block : int, optional
        Side of the blocks, in pixels; by default by memory. It does not change the result.
    memory : int, optional
        Bytes that the process may hold; by default half of what is free.
    overwrite : bool
        Replace files that exist.
    """

    components: int | None = None
    restore_bad_bands: bool = False
    stripes: Switch = "auto"
    dead_lines: Switch = "auto"
    impulses: Switch = "auto"
    block: int | None = None
    memory: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name in SWITCHES:
            if getattr(self, name) not in get_args(Switch):
                raise HsiError(f"`{name}` {getattr(self, name)}: expected auto, on or off")
        if self.block is not None and self.block < 1:
            raise HsiError(f"`block` {self.block}: expected a number of pixels, at least 1")
        if self.components is not None and self.components < 1:
            raise HsiError(f"`components` {self.components}: expected a number, at least 1")

    def describe(self) -> dict[str, Any]:
        """Return the options that decide what is written."""
        chosen = asdict(self)
        return {key: chosen[key] for key in chosen if key not in ("memory", "overwrite", "block")}
