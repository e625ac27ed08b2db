"""Options of a map, and the strip of rows that one job maps."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from engine.parts import read_part
from hsi.errors import HsiError
from hsi.features.smoothing import Smoothing


@dataclass(frozen=True)
class Strip:
    """The K-th of N strips of as many rows as can be, counted from 1.

    Attributes
    ----------
    number, count : int
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 'K/N', K from 1 to N.

        Raises
        ------
        HsiError
            Something else.
        """
        return cls(*read_part(text, "strip", HsiError))

    def rows(self, height: int) -> slice:
        """Return the strip's rows of a scene.

        Raises
        ------
        HsiError
            The scene has fewer rows than there are strips.
        """
        if height < self.count:
            raise HsiError(
                f"`strip` {self.number}/{self.count}: expected at most {height} strips, one per "
                "row of the scene"
            )
        start, stop = ((height * n) // self.count for n in (self.number - 1, self.number))
        return slice(start, stop)


@dataclass(frozen=True)
class MapOptions:
    """Options of a map: how it is made, and what is written.

    Attributes
    ----------
    probabilities : bool
        Write those of all classes, (H, W, C) float32.
    confidence : bool
        Write the highest of them, (H, W) float32.
    block : int, optional
        Side of the blocks that are classified at once, in pixels; by default by memory.
    memory : int, optional
        Bytes that the process may hold; by default half of what is free.
    overwrite : bool
        Replace files that exist.
    resample_bands : bool
        Interpolate between the scene's bands where it lacks the model's.
    refit_scaling : bool
        Use mean and standard deviation of this scene instead of those of the training.
    strip : Strip, optional
        Map only these rows; `hsi.maps.join` joins the strips.
    smooth : Smoothing, optional
        Smooth the classifier's probabilities over neighbouring pixels, and name the classes by
        those.
    """

    probabilities: bool = False
    confidence: bool = False
    block: int | None = None
    memory: int | None = None
    overwrite: bool = False
    resample_bands: bool = False
    refit_scaling: bool = False
    strip: Strip | None = None
    smooth: Smoothing | None = None

    def describe(self) -> dict[str, Any]:
        """Return the options that decide what is written."""
        chosen = asdict(self)
        return {key: chosen[key] for key in chosen if key not in ("memory", "overwrite")}
