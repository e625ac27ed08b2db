"""What a PNG says beside its pixels, kept byte for byte: texts, EXIF, and what its colours mean.

PNG specification, third edition (W3C 2025), sections 5.3, 11.3.2 and 11.3.3.
"""

import re
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from engine.untrusted import png

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Texts = tuple[tuple[bytes, bytes], ...]
_NAMES = (b"tEXt", b"zTXt", b"iTXt")
# Kept where a PNG becomes a PNG. sRGB and iCCP may be there both; iCCP is kept as the profile.
_COLOUR = (
    b"cICP", b"mDCV", b"cLLI", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"sCAL", b"oFFs",
    b"pCAL",
)  # fmt: skip
_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>))[2-8]")


def read(file: BinaryIO) -> Texts:
    """Collect the text chunks of a file, wherever in it they are.

    Parameters
    ----------
    file : binary file
        Open for reading, at its start; left anywhere.

    Returns
    -------
    tuple of (bytes, bytes)
        Names and contents, in order; empty where the file is no PNG. Damaged ones are left out.
    """
    return _chunks(file, _NAMES)


def read_exif(file: BinaryIO) -> bytes | None:
    """Find the EXIF block of a file, which may lie behind the pixels; as for `read`."""
    return next((content for _, content in _chunks(file, (b"eXIf",))), None)


def read_colour(file: BinaryIO) -> Texts:
    """Collect the chunks that say what the colours of a file mean; as for `read`.

    The background of a palette is left out, as it is an index into it.
    """
    header = file.read(26)
    file.seek(0)
    found = dict(_chunks(file, (*_COLOUR, b"pHYs")))
    if header[25:26] == b"\x03" or header[24:25] not in (b"\x08", b"\x10"):
        found.pop(b"bKGD", None)
    if found.get(b"pHYs", b"\1")[-1:] == b"\1":  # a resolution in metres, which Pillow reads
        found.pop(b"pHYs", None)
    return tuple(found.items())


def read_key(file: BinaryIO) -> tuple[int, ...] | None:
    """Return the transparent colour of a grey or RGB PNG on its own scale; None for none.

    Up to 4 bits are spread over 0..255, as the pixels are.
    """
    header = file.read(26)
    file.seek(0)
    key = next((content for _, content in _chunks(file, (b"tRNS",))), b"")
    kind, depth = header[25:26], header[24] if len(header) > 24 else 0
    count = {b"\0": 1, b"\2": 3}.get(kind)
    if count is None or len(key) != 2 * count:
        return None
    values = struct.unpack(f">{count}H", key)
    if depth < 8:
        return tuple((value & (2**depth - 1)) * 255 // (2**depth - 1) for value in values)
    return tuple(value & (2**depth - 1) for value in values)


def _chunks(file: BinaryIO, names: tuple[bytes, ...]) -> Texts:
    if file.read(8) != SIGNATURE:
        return ()
    found = []
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        if name not in names:
            file.seek(size + 4, 1)
            continue
        content, check = file.read(size), file.read(4)
        if check == struct.pack(">I", zlib.crc32(content, zlib.crc32(name))):
            found.append((name, content))
    return tuple(found)


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk as it lies in a file."""
    check = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def colour(chunks: Texts, channels: int, depth: int) -> bytes:
    """Return the chunks of `read_colour` as they lie in a file of so many channels.

    Alpha that a transparent colour became counts as wholly significant in sBIT.
    """
    parts = []
    for name, content in chunks:
        if name == b"sBIT" and len(content) != channels:
            if len(content) != channels - 1 or channels not in (2, 4):
                continue
            content += bytes([depth])
        parts.append(chunk(name, content))
    return b"".join(parts)


def insert(path: Path, chunks: Texts) -> None:
    """Put chunks of `read_colour` into a PNG file, right behind its header, where they may be."""
    data = path.read_bytes()
    added = colour(chunks, 3 if data[25] == 3 else png.SAMPLES[data[25]], data[24])
    with path.open("wb") as file:
        file.write(data[:33] + added)
        file.write(memoryview(data)[33:])


def contents(texts: Texts) -> dict[bytes, bytes]:
    """Return the texts by their names, unpacked; damaged ones are left out."""
    found: dict[bytes, bytes] = {}
    for kind, content in texts:
        name, _, rest = content.partition(b"\0")
        try:
            if kind == b"zTXt":
                rest = zlib.decompress(rest[1:])
            elif kind == b"iTXt":
                squeezed = rest[:1] == b"\1"
                rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
                rest = zlib.decompress(rest) if squeezed else rest
        except zlib.error:
            continue
        found.setdefault(name, rest)
    return found


def packed(name: bytes, content: bytes) -> bytes:
    """Return the content of a zTXt chunk."""
    return name + b"\0\0" + zlib.compress(content)


def text(name: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Return a text chunk: iTXt where the text is UTF-8 beyond ASCII, else tEXt."""
    content = content.replace(b"\0", b"")
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return b"tEXt", name + b"\0" + content
        return b"iTXt", name + bytes(5) + content
    return b"tEXt", name + b"\0" + content


def upright(texts: Texts) -> Texts:
    """Return the same texts with an orientation of 1 where XMP names another one."""
    return tuple((name, _ORIENTATION.sub(rb"\g<1>1", content)) for name, content in texts)


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """Return an XMP packet with an orientation of 1."""
    return None if xmp is None else _ORIENTATION.sub(rb"\g<1>1", xmp)
