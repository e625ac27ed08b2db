"""The bytes of a MATLAB file up to v7, read as they lie or unpacked on the way."""

import mmap
import zlib
from contextlib import suppress
from typing import Protocol

LONGEST_TEXT = 2**20  # of names
_STEP = 2**20


class Damaged(ValueError):
    """An element of no known type, or one that does not fit."""


class NotPlain(Exception):
    """The walk does not know what it met; SciPy may."""


class Stream(Protocol):
    """What is read from one end to the other."""

    def read(self, count: int) -> bytes:
        """Return the next bytes."""

    def skip(self, count: int) -> None:
        """Pass over the next bytes."""

    def pad(self, count: int) -> None:
        """Pass over bytes that may be missing at the end."""


class Plain:
    """Bytes of a file, from a place to another."""

    def __init__(self, data: "mmap.mmap", start: int, end: int) -> None:
        self.data, self.at, self.end = data, start, end

    def read(self, count: int) -> bytes:
        """Return the next bytes."""
        self.skip(count)
        return self.data[self.at - count : self.at]

    def skip(self, count: int) -> None:
        """Pass over the next bytes."""
        if self.at + count > self.end:
            raise Damaged("an element reaches beyond the end of what holds it")
        self.at += count

    def pad(self, count: int) -> None:
        """Pass over bytes that may be missing at the end."""
        self.at = min(self.at + count, self.end)  # some writers leave out the last


class Packed:
    """Bytes that are unpacked as far as they are read."""

    def __init__(self, data: bytes) -> None:
        self.unpacker, self.packed, self.ready = zlib.decompressobj(), data, b""

    def read(self, count: int) -> bytes:
        """Return the next bytes."""
        if count > LONGEST_TEXT:
            raise NotPlain
        while len(self.ready) < count:
            self.ready += self._more()
        found, self.ready = self.ready[:count], self.ready[count:]
        return found

    def skip(self, count: int) -> None:
        """Pass over the next bytes."""
        while len(self.ready) < count:
            count -= len(self.ready)
            self.ready = self._more()
        self.ready = self.ready[count:]

    def pad(self, count: int) -> None:
        """Pass over bytes that may be missing at the end."""
        with suppress(Damaged):
            self.skip(count)

    def _more(self) -> bytes:
        try:
            found = self.unpacker.decompress(self.packed, _STEP)
        except zlib.error as error:
            raise Damaged(f"packed data are damaged ({error})") from error
        self.packed = self.unpacker.unconsumed_tail
        if not found:
            raise Damaged("packed data are cut short")
        return found
