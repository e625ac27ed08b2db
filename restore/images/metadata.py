"""What metadata an output keeps: one table of what a picture has × the format that is written.

Each writer keeps what the table gives it a place for; `lost` names the rest, so that nothing goes
without a word.
"""

import struct
from collections.abc import Callable

from restore.images import png_chunks
from restore.images.picture import Picture

# What a picture may have -> the formats that hold it, and where.
PLACES: dict[str, dict[str, str]] = {
    "colour profile": {
        "PNG": "iCCP", "JPEG": "APP2", "TIFF": "34675", "WEBP": "ICCP",
    },
    "EXIF": {
        "PNG": "eXIf", "JPEG": "APP1", "TIFF": "34665, 34853", "WEBP": "EXIF",
    },
    "resolution": {"PNG": "pHYs", "JPEG": "APP0", "TIFF": "282, 283", "BMP": "header"},
    "XMP": {"PNG": "iTXt", "JPEG": "APP1", "TIFF": "700", "WEBP": "XMP"},
    "IPTC": {"PNG": "zTXt", "JPEG": "APP13", "TIFF": "33723"},
    "comment": {"PNG": "tEXt", "JPEG": "COM", "TIFF": "270"},
    "texts": {"PNG": "tEXt, zTXt, iTXt"},
    "colour chunks": {"PNG": "cICP, gAMA, cHRM, sRGB, sBIT, ..."},
    "TIFF tags": {"TIFF": "the tags themselves"},
    "mask": {"TIFF": "a page of its own"},
}  # fmt: skip

_IPTC_NAME = b"Raw profile type iptc"
_XMP_NAME = b"XML:com.adobe.xmp"
_COMMENT = b"Comment"
# TIFF tags that reach other formats as EXIF, XMP or IPTC.
_CARRIED = {270, 271, 272, 305, 306, 315, 33432, 700, 33723}


def _names_of_texts(picture: Picture) -> list[str]:
    placed = (_IPTC_NAME, _XMP_NAME, _COMMENT)
    names = (content.partition(b"\0")[0] for _, content in picture.texts)
    return [name.decode("latin-1") for name in names if name not in placed]


_HAS: dict[str, Callable[[Picture], list[str]]] = {
    "colour profile": lambda picture: [""] * bool(picture.icc),
    "EXIF": lambda picture: [""] * bool(picture.exif),
    "resolution": lambda picture: [""] * bool(picture.dpi),
    "XMP": lambda picture: [""] * bool(picture.xmp),
    "IPTC": lambda picture: [""] * bool(picture.iptc),
    "comment": lambda picture: [""] * bool(picture.comment),
    "texts": _names_of_texts,
    "colour chunks": lambda picture: [name.decode("latin-1") for name, _ in picture.colour],
    "TIFF tags": lambda picture: [str(t[0]) for t in picture.tags if t[0] not in _CARRIED],
    "mask": lambda picture: [""] * (picture.mask is not None),
}


def lost(picture: Picture, kind: str) -> list[str]:
    """Return what a picture has that a format has no place for, in words; empty for nothing.

    Parameters
    ----------
    picture : Picture
    kind : str
        The format to write, such as 'JPEG'.
    """
    gone = list(picture.left)
    for what, places in PLACES.items():
        if kind not in places and (names := _HAS[what](picture)):
            gone.append(f"{what} {', '.join(filter(None, names))}".strip())
    return gone


def from_texts(texts: png_chunks.Texts) -> dict[str, bytes | None]:
    """Return XMP, IPTC and comment as the texts of a PNG hold them."""
    found = png_chunks.contents(texts)
    return {
        "xmp": found.get(_XMP_NAME),
        "iptc": _profile(found.get(_IPTC_NAME)),
        "comment": found.get(_COMMENT),
    }


def texts(picture: Picture) -> png_chunks.Texts:
    """Return the text chunks of a PNG: its own, and XMP, IPTC and comment of other formats."""
    there = png_chunks.contents(picture.texts)
    added: list[tuple[bytes, bytes]] = []
    if picture.xmp and _XMP_NAME not in there:
        added.append((b"iTXt", _XMP_NAME + bytes(5) + picture.xmp))
    if picture.iptc and _IPTC_NAME not in there:
        block = resource(picture.iptc)
        lines = block.hex()
        wrapped = "\n".join(lines[at : at + 72] for at in range(0, len(lines), 72))
        profile = f"\niptc\n{len(block):8d}\n{wrapped}\n".encode()
        added.append((b"zTXt", png_chunks.packed(_IPTC_NAME, profile)))
    if picture.comment and _COMMENT not in there:
        added.append(png_chunks.text(_COMMENT, picture.comment))
    return (*picture.texts, *added)


def resource(iptc: bytes) -> bytes:
    """Return IPTC records as the Photoshop resource that JPEG and PNG hold them in."""
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)


def segment(iptc: bytes) -> bytes:
    """Return IPTC records as a segment of a JPEG (APP13)."""
    content = b"Photoshop 3.0\0" + resource(iptc)
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def _profile(text: bytes | None) -> bytes | None:
    """Return the IPTC records of a 'Raw profile type iptc', which are hexadecimal digits."""
    if text is None:
        return None
    try:
        words = text.split()
        block = bytes.fromhex(b"".join(words[2:]).decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return None
    if block[:6] != b"8BIM\x04\x04":
        return block or None
    name = block[6] + 1
    at = 6 + name + name % 2
    (size,) = struct.unpack(">I", block[at : at + 4]) if len(block) >= at + 4 else (0,)
    return block[at + 4 : at + 4 + size] or None
