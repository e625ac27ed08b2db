"""Space on the disk, reserved before work starts."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

from hsi.errors import HsiError


def reserve(path: Path, size: int) -> None:
    """Reserve the whole size of a file on the disk, so that writing to its memory map cannot fail.

    Raises
    ------
    HsiError
        The disk has less space left.
    """
    try:
        with path.open("r+b") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:  # macOS
                _write_zeros(file, size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        path.unlink(missing_ok=True)
        raise HsiError(
            f"{path.parent.parent}: the output needs {size / 2**20:.0f} MiB more than the disk has "
            "left; free some, or write elsewhere"
        ) from None


def _write_zeros(file: BinaryIO, size: int) -> None:
    """Write zeros over the holes of a new file, behind its header."""
    head = file.read(4096)
    file.seek(0)
    written = file.write(head)
    while written < size:
        written += file.write(bytes(min(2**20, size - written)))
    file.flush()
