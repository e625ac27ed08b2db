"""How a scene is mapped: options, and the strip of rows that a job maps."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Self

from hsi.errors import HsiError


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
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise HsiError(f"--strip {text}: expected K/N with K from 1 to N, such as 3/10")
        return cls(int(found[1]), int(found[2]))

    def rows(self, height: int) -> slice:
        """Return the strip's rows of a scene.

        Raises
        ------
        HsiError
            The scene has fewer rows than there are strips.
        """
        if height < self.count:
            raise HsiError(
                f"`strip` {self.number}/{self.count}: expected at most {height} strips, one a row "
                "of the scene"
            )
        start, stop = ((height * n) // self.count for n in (self.number - 1, self.number))
        return slice(start, stop)


@dataclass(frozen=True)
class MapOptions:
    """How a scene is mapped, and what is written.

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
        Interpolate between the scene's bands where it has not the model's.
    refit_scaling : bool
        Take mean and standard deviation from the scene, not from the training.
    strip : Strip, optional
        Map these rows alone, to be joined (`hsi.maps.join`).
    """

    probabilities: bool = False
    confidence: bool = False
    block: int | None = None
    memory: int | None = None
    overwrite: bool = False
    resample_bands: bool = False
    refit_scaling: bool = False
    strip: Strip | None = None

    def describe(self) -> dict[str, Any]:
        """Return all that decides what is written."""
        chosen = asdict(self)
        return {key: chosen[key] for key in chosen if key not in ("memory", "overwrite")}
