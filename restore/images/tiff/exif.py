"""The EXIF and GPS directories of a TIFF, which tifffile reads but does not write.

Between files they are held as an EXIF block as JPEG and PNG have it: a TIFF header, a first
directory with what the camera says, and pointers to the other two. Values keep their types.
(TIFF 6.0, section 2; EXIF 2.32, section 4.6.)
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from restore.errors import RestoreError

EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
# What the writer puts in their place, in the same order: tifffile refuses the codes themselves.
PLACEHOLDERS = {EXIF: EXIF - 1, GPS: GPS - 1}
# Description, make, model, software, date, artist, copyright.
_TEXTS = (270, 271, 272, 305, 306, 315, 33432)
_POINTERS = (EXIF, GPS, INTEROPERABILITY)
# Type -> bytes of a value, and of the numbers in it, which the byte order turns.
_TYPES = {
    1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1), 8: (2, 2),
    9: (4, 4), 10: (8, 4), 11: (4, 4), 12: (8, 8), 13: (4, 4), 16: (8, 8), 17: (8, 8), 18: (8, 8),
}  # fmt: skip
_DEEPEST = 3  # first directory, EXIF, interoperability

Read = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Entry:
    """One tag: its value in little-endian order, or the directory that it points to."""

    code: int
    kind: int
    count: int
    value: bytes
    below: tuple["Entry", ...] = ()


@dataclass(frozen=True)
class _Form:
    """How a file writes directories: its byte order, and whether it is a BigTIFF."""

    order: str
    big: bool

    def number(self, data: bytes, *, small: str, large: str) -> int:
        return int(struct.unpack(self.order + (large if self.big else small), data)[0])


def from_block(block: bytes | None) -> list[Entry]:
    """Read the first directory of an EXIF block, with those below; empty where it is damaged."""
    if not block:
        return []

    def read(at: int, count: int) -> bytes:
        return block[at : at + count]

    try:
        form, first = _header(read)
        return list(_entries(read, form, first))
    except (struct.error, ValueError):
        return []


def to_block(entries: list[Entry]) -> bytes:
    """Make an EXIF block of a first directory."""
    return b"II*\0\x08\0\0\0" + _packed(entries, 8)


def of_page(file: BinaryIO, index: int) -> bytes | None:
    """Return what EXIF has of a TIFF page as a block: texts and directories; None for neither."""
    read = _reader(file)
    try:
        form, offset = _header(read)
        for _ in range(index):
            offset = _next(read, form, offset)
        entries = [e for e in _entries(read, form, offset) if e.below or e.code in _TEXTS]
    except (struct.error, ValueError):  # reading the page will say what is wrong
        return None
    return to_block(entries) if entries else None


def append(file: BinaryIO, blocks: list[bytes | None]) -> None:
    """Add the EXIF and GPS directories of each page to a TIFF that has placeholders for them.

    Parameters
    ----------
    file : binary file
        Little-endian, open for reading and writing.
    blocks : list of bytes or None
        An EXIF block a page.
    """
    read = _reader(file)
    form, offset = _header(read)
    for block in blocks:
        below = {e.code: list(e.below) for e in from_block(block) if e.code in (EXIF, GPS)}
        codes = {PLACEHOLDERS[code]: code for code in below}
        for at, placeholder in list(_places(read, form, offset)):
            if placeholder in codes:
                code = codes[placeholder]
                end = file.seek(0, 2)
                file.write(b"\0" * (end % 2))
                end += end % 2
                file.write(_packed(below[code], end))
                file.seek(at)
                file.write(struct.pack("<H", code))
                file.seek(at + (12 if form.big else 8))
                file.write(struct.pack("<Q" if form.big else "<I", end))
        offset = _next(read, form, offset)


def _reader(file: BinaryIO) -> Read:
    def read(at: int, count: int) -> bytes:
        file.seek(at)
        return file.read(count)

    return read


def _header(read: Read) -> tuple[_Form, int]:
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None:
        raise ValueError("no TIFF header")
    (version,) = struct.unpack(order + "H", head[2:4])
    form = _Form(order, version == 43)
    return form, form.number(head[8:16] if form.big else head[4:8], small="I", large="Q")


def _places(read: Read, form: _Form, offset: int) -> Iterator[tuple[int, int]]:
    """Yield where each entry of a directory lies, and its code."""
    head, size = (8, 20) if form.big else (2, 12)
    count = form.number(read(offset, head), small="H", large="Q")
    if count > 4096:
        raise ValueError("no directory")
    for at in range(offset + head, offset + head + count * size, size):
        yield at, int(struct.unpack(form.order + "H", read(at, 2))[0])


def _next(read: Read, form: _Form, offset: int) -> int:
    head, size = (8, 20) if form.big else (2, 12)
    count = form.number(read(offset, head), small="H", large="Q")
    width = 8 if form.big else 4
    return form.number(read(offset + head + count * size, width), small="I", large="Q")


def _entries(read: Read, form: _Form, offset: int, depth: int = 1) -> Iterator[Entry]:
    """Yield the entries of a directory; those of a type that is not known are left out."""
    width = 8 if form.big else 4
    for at, code in _places(read, form, offset):
        (kind,) = struct.unpack(form.order + "H", read(at + 2, 2))
        count = form.number(read(at + 4, width), small="I", large="Q")
        if kind not in _TYPES or count > 2**26:
            continue
        size, word = _TYPES[kind]
        place = at + 4 + width
        if count * size > width:
            place = form.number(read(place, width), small="I", large="Q")
        value = read(place, count * size)
        if len(value) != count * size:
            continue
        if form.order == ">":
            value = b"".join(value[i : i + word][::-1] for i in range(0, len(value), word))
        below: tuple[Entry, ...] = ()
        if code in _POINTERS and depth < _DEEPEST:
            target = int.from_bytes(value, "little")
            try:
                below = tuple(_entries(read, form, target, depth + 1))
            except (struct.error, ValueError):
                continue
        yield Entry(code, kind, count, value, below)


def _packed(entries: list[Entry], at: int) -> bytes:
    """Lay out a directory that begins at offset `at`, with its values and those below behind it."""
    entries = sorted(entries, key=lambda entry: entry.code)
    behind = at + 2 + 12 * len(entries) + 4
    head, tail = struct.pack("<H", len(entries)), b""
    for entry in entries:
        kind, count, value = entry.kind, entry.count, entry.value
        if entry.below:
            kind, count = 4, 1
            value = struct.pack("<I", behind + len(tail))
            tail += _packed(list(entry.below), behind + len(tail))
        elif len(value) > 4:
            place, content = behind + len(tail), value
            value = struct.pack("<I", place)
            tail += content
        tail += b"\0" * (len(tail) % 2)
        head += struct.pack("<HHI", entry.code, kind, count) + value.ljust(4, b"\0")
    if behind + len(tail) >= 2**32:
        raise RestoreError("EXIF beyond 4 GiB of a TIFF; write a PNG")
    return head + b"\0\0\0\0" + tail
