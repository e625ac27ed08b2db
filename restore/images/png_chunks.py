"""What a PNG says beside its pixels, kept byte for byte: texts (title, author, XMP), and EXIF.

PNG specification, third edition (W3C 2025), sections 5.3, 11.3.2 and 11.3.3.
"""

import re
import struct
import zlib
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Texts = tuple[tuple[bytes, bytes], ...]
_NAMES = (b"tEXt", b"zTXt", b"iTXt")
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


def upright(texts: Texts) -> Texts:
    """Return the same texts with an orientation of 1 where XMP names another one."""
    return tuple((name, _ORIENTATION.sub(rb"\g<1>1", content)) for name, content in texts)
