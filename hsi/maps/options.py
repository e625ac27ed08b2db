"""Options of a map, and the strip of rows that one job maps."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from engine.parts import read_part
from hsi.calibration.conformal import check_coverage
from hsi.errors import HsiError
from hsi.features.smoothing import Smoothing

GENERALISING = ("majority", "sieve")
# Rasters beside a map; all but the sets are float32.
LAYERS = ("probabilities", "confidence", "entropy", "margin", "sets")


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
    abstain : float, optional
        Leave a pixel open, 0 in the map, if its highest probability is lower; above 0, below 1.
    entropy, margin : bool
        Write the entropy of the probabilities in bits, and the highest less the second, (H, W)
        float32.
    sets : float, optional
        Write the sets of classes that hold the true one with this probability, (H, W, C) uint8;
        for models of `hsi calibrate`. From 0.5 to 0.99.
    majority : int, optional
        Odd side of the square whose most frequent class each pixel takes, from 3 to 99.
    sieve : int, optional
        Smallest number of pixels of a region; smaller ones take the class of their largest
        neighbour. After the majority.
    smooth : Smoothing, optional
        Smooth the classifier's probabilities over neighbouring pixels, and name the classes by
        those.

    Raises
    ------
    HsiError
        A number is out of range.
    """

    probabilities: bool = False
    confidence: bool = False
    block: int | None = None
    memory: int | None = None
    overwrite: bool = False
    resample_bands: bool = False
    refit_scaling: bool = False
    strip: Strip | None = None
    abstain: float | None = None
    entropy: bool = False
    margin: bool = False
    sets: float | None = None
    majority: int | None = None
    sieve: int | None = None
    smooth: Smoothing | None = None

    def __post_init__(self) -> None:
        if self.abstain is not None and not 0 < self.abstain < 1:
            raise HsiError(
                f"`abstain` {self.abstain:g}: expected a probability above 0 and below 1, such as "
                "0.6"
            )
        if self.sets is not None:
            check_coverage(self.sets)
        if self.majority is not None and (self.majority not in range(3, 100, 2)):
            raise HsiError(f"`majority` {self.majority}: expected an odd number from 3 to 99")
        if self.sieve is not None and self.sieve < 2:
            raise HsiError(f"`sieve` {self.sieve}: expected a number of pixels, at least 2")
        if self.strip is not None and self.generalises:
            raise HsiError(
                f"`{self.generalises[0]}`: looks at the whole map, so that a strip cannot have it; "
                "give it to hsi join"
            )

    @property
    def generalises(self) -> list[str]:
        """Names of the options that change a map when it is whole."""
        return [name for name in GENERALISING if getattr(self, name) is not None]

    @property
    def layers(self) -> list[str]:
        """Names of the rasters that are written beside the map."""
        return [name for name in LAYERS if getattr(self, name) not in (False, None)]

    @property
    def of_probabilities(self) -> list[str]:
        """Names of the options that need probabilities."""
        return self.layers + (["abstain"] if self.abstain is not None else [])

    def describe(self) -> dict[str, Any]:
        """Return the options that decide what is written."""
        chosen = asdict(self)
        return {key: chosen[key] for key in chosen if key not in ("memory", "overwrite")}
