"""A reader to fuzz."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.mutations import Mutation

Seeds = Iterator[tuple[bytes, str]]


@dataclass(frozen=True)
class Reader:
    """A reader to fuzz.

    Attributes
    ----------
    seeds : callable
        Makes the files to start from, given a folder to work in: their content and suffix.
    mutate : callable
        Damages one of them.
    read : callable
        Reads a file, and uses all that was read.
    """

    seeds: Callable[[Path], Seeds]
    mutate: Mutation
    read: Callable[[Path], object]
