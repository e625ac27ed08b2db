"""Whether the strips or tiles of a TIFF page are whole, for decoders that make do with less."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tifffile

_NONE = 1  # compression: tifffile itself refuses what is too short
# JPEG and JPEG 2000, whose decoders fill what is missing with grey; both end with one marker.
_FILLED = (7, 33003, 33004, 33005, 33007, 34712, 34892)
_END = b"\xff\xd9"
_TAIL = 64  # bytes at the end in which the marker nearly always lies


def check(page: "tifffile.TiffPage") -> None:
    """Refuse a page of which a strip or tile ends beyond the file, or without its last marker.

    Raises
    ------
    ValueError
        The page is not whole.
    """
    packing = int(page.compression)
    if packing == _NONE:
        return
    file = page.parent.filehandle
    parts = [part for part in zip(page.dataoffsets, page.databytecounts, strict=False) if part[1]]
    count = len(parts)
    for index, (offset, size) in enumerate(parts, 1):
        if offset + size > file.size:
            raise ValueError(
                f"part {index} of the {count} of its pixels ends at byte {offset + size}, the "
                f"file at {file.size}"
            )
        if packing in _FILLED and not _is_ended(file, offset, size):
            raise ValueError(f"part {index} of the {count} of its pixels ends before its last row")


def _is_ended(file: "tifffile.FileHandle", offset: int, size: int) -> bool:
    """Return whether the end marker lies in a strip; no other data of it look like that."""
    for length in (min(size, _TAIL), size):
        file.seek(offset + size - length)
        if _END in file.read(length):
            return True
    return False
