"""Files that are written whole or not at all; a full disk is reported in one line."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.artifacts import part_prefix
from engine.errors import FULL, UserError, why
from hsi.errors import HsiError


@contextmanager
def new_files(path: Path, size: int = 0) -> Iterator[Path]:
    """Yield a path in a new folder beside `path`; what lies there afterwards is moved into place.

    Parameters
    ----------
    path : Path
        The file that others belong to; it is moved last. Missing folders are made.
    size : int
        Bytes that will be written, where they are known.

    Raises
    ------
    HsiError
        The disk is full, or would be; nothing is left half written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
        if free < size:
            raise HsiError(
                f"{path}: expected {size} bytes free on the disk, found {free}; free some, or "
                "write elsewhere. Nothing was written"
            )
        with tempfile.TemporaryDirectory(
            prefix=part_prefix(path.parent), dir=path.parent
        ) as folder:
            part = Path(folder) / path.name
            yield part
            written = sorted(part.parent.iterdir(), key=lambda file: file == part)
            # A mask or metadata of the file that is replaced would be taken for the new one's.
            for stale in sidecars(path):
                if stale.name not in [file.name for file in written]:
                    stale.unlink(missing_ok=True)
            for file in written:
                with file.open("rb") as whole:
                    os.fsync(whole.fileno())
                file.replace(path.parent / file.name)
    except (UserError, MemoryError):
        raise
    except Exception as error:  # GDAL's own types, too
        # GDAL reports a full disk without its number.
        number = getattr(error, "errno", None)
        if number in FULL or (number is None and _is_full(path)):
            raise HsiError(
                f"{path}: the disk is full; free some of it, or write elsewhere. Nothing was "
                "written"
            ) from error
        raise HsiError(f"{path}: cannot be written ({why(error)})") from error


def sidecars(path: Path) -> list[Path]:
    """Return GDAL's files of a raster: those that are read together with it, if they are there."""
    data = path.with_suffix(".img") if path.suffix.lower() == ".hdr" else path
    kinds = () if path.suffix.lower() not in (".hdr", ".tif", ".tiff") else (".msk", ".aux.xml")
    return [data.with_name(f"{data.name}{kind}") for kind in kinds]


def written_with(path: Path) -> list[Path]:
    """Return a file and, of an ENVI header, the data that are written with it."""
    return [path, path.with_suffix(".img")] if path.suffix.lower() == ".hdr" else [path]


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise HsiError if a file, the data of an ENVI header, or a mask beside it exists already."""
    for file in [*written_with(path), *sidecars(path)]:
        if file.exists() and not overwrite:
            raise HsiError(
                f"{file}: expected no such file, found one; give another name, or `overwrite`"
            )


def _is_full(path: Path) -> bool:
    return shutil.disk_usage(path.parent).free < 2**20
