"""One reader and writer a format, found by the file's suffix."""

from collections.abc import Callable
from pathlib import Path

from hsi.errors import HsiError
from hsi.formats import envi, matlab, numpy_arrays
from hsi.formats.contents import Contents, Kind

Reader = Callable[[Path, str | None, Kind], Contents]

READERS: dict[str, Reader] = {
    ".npy": numpy_arrays.read,
    ".npz": numpy_arrays.read,
    ".mat": matlab.read,
    ".hdr": envi.read,
    ".img": envi.read,
    ".dat": envi.read,
    ".raw": envi.read,
    ".bil": envi.read,
    ".bip": envi.read,
    ".bsq": envi.read,
}


def read(source: str | Path, kind: Kind) -> Contents:
    """Read a cube or labels from a file.

    Parameters
    ----------
    source : str or Path
        'FILE' or 'FILE:variable'.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        No such file, an unknown suffix, or what the reader does not find inside.
    """
    path, variable = locate(source)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise HsiError(
            f"{path}: expected one of {', '.join(READERS)}, found '{path.suffix}'; "
            "convert it to ENVI or .npy (GeoTIFF is not read yet)"
        )
    return reader(path, variable, kind)


def locate(source: str | Path) -> tuple[Path, str | None]:
    """Split 'FILE:variable' into the file and the variable; the file must exist."""
    path = Path(source)
    if path.is_file():
        return path, None
    before, colon, variable = str(source).rpartition(":")
    if colon and Path(before).is_file():
        return Path(before), variable
    raise HsiError(f"{source}: no such file, and no embedded scene of that name (IndianPines is)")
