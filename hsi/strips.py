"""Horizontal strips of a scene, mapped by jobs of their own and joined."""

import re
from dataclasses import dataclass
from typing import Self

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
                f"--strip {self.number}/{self.count}: expected at most {height} strips, one a row "
                "of the scene"
            )
        start, stop = ((height * n) // self.count for n in (self.number - 1, self.number))
        return slice(start, stop)
