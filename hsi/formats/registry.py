"""The readers and writers of all formats, by file suffix."""

from collections.abc import Callable
from pathlib import Path

from engine.errors import parsing
from hsi.errors import HsiError
from hsi.formats import indexed_png, masks, matlab, numpy_arrays, vector, zarr_arrays
from hsi.formats.contents import Contents, Kind
from hsi.formats.envi import pairs
from hsi.formats.envi import read as envi
from hsi.formats.geotiff import products
from hsi.formats.geotiff import read as geotiff
from hsi.formats.hdf5 import read as hdf5

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
    ".tif": geotiff.read,
    ".tiff": geotiff.read,
    ".jp2": geotiff.read,
    ".h5": hdf5.read,
    ".hdf5": hdf5.read,
    ".he5": hdf5.read,
    ".nc": hdf5.read,
    ".zarr": zarr_arrays.read,
    ".png": indexed_png.read,  # labels alone
    **dict.fromkeys(vector.SUFFIXES, vector.read),  # labels of a scene alone
}

# What cubes and maps are written as; .npy keeps the array alone.
WRITTEN = (".hdr", ".tif", ".tiff", ".npy")

_ALL = (
    "wavelengths", "bad_bands", "georeference", "ignore_value", "scale", "offset", "fwhm",
    "band_names", "default_bands", "mask", "extra",
)  # fmt: skip
# What a copy keeps of what a scene states, beside its values, by the suffix of the copy.
KEPT: dict[str, tuple[str, ...]] = {".hdr": _ALL, ".tif": _ALL, ".tiff": _ALL, ".npy": ()}


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
        No such file, an unknown suffix, or what the reader does not find inside; a file beside it
        is a link to another folder.
    """
    path, variable = locate(source)
    reader = _reader(path)
    # Libraries raise all kinds of errors for damaged files.
    with parsing(path, "expected a whole file of its format", HsiError, "fetch it again"):
        _refuse_links(path)
        if reader is envi.read and path.suffix.lower() == ".hdr":
            tiff = pairs.tiff_of(path)
            if tiff is not None:
                return geotiff.read(tiff, variable, kind)
        return reader(path, variable, kind)


def files(source: str | Path) -> list[Path]:
    """Return all files that a cube or labels are read from, those beside the named one included.

    Parameters
    ----------
    source : str or Path
        'FILE' or 'FILE:variable'.

    Raises
    ------
    HsiError
        No such file, an unknown suffix, or one part of an ENVI pair without the other.
    """
    path, _ = locate(source)
    reader = _reader(path)
    tiff = pairs.tiff_of(path) if path.suffix.lower() == ".hdr" else None
    if tiff is not None:
        return files(tiff)
    if reader is zarr_arrays.read:
        return zarr_arrays.files(path)
    if reader is envi.read:
        return envi.files(path)
    if reader is vector.read:
        return vector.files(path)
    if reader is geotiff.read:
        beside = [path.with_name(f"{path.name}.aux.xml"), masks.file_beside(path)]
        beside += [*products.files(path), *(file for file, _ in pairs.headers_of_tiff(path))]
        return [path, *(file for file in beside if file is not None and file.is_file())]
    return [path]


def _refuse_links(path: Path) -> None:
    """Refuse files beside a scene that are links out of its folder: they may be any file's.

    The named file itself may be a link, and what lies beside its target counts as beside it.
    """
    homes = {path.parent.resolve(), path.resolve().parent}
    for file in files(path):
        there = file.resolve()
        if file != path and file.is_symlink() and not homes & set(there.parents):
            raise HsiError(
                f"{path}: expected its files in its own folder, found {file.name}, a link to "
                f"{there}; copy that file here if it is the right one"
            )


def _reader(path: Path) -> Reader:
    if path.is_dir():
        return zarr_arrays.read
    if path.suffix.lower() == ".vrt":
        raise HsiError(
            f"{path}: expected a file that holds its data, found a VRT, which points at other "
            "files; write them as one (gdal_translate)"
        )
    reader = READERS.get(path.suffix.lower())
    if reader is None and envi.is_envi(path):
        reader = envi.read  # ENVI's data have any suffix, or none
    if reader is None:
        raise HsiError(
            f"{path}: expected one of {', '.join(READERS)}, found '{path.suffix}'; "
            "convert it to ENVI, GeoTIFF or .npy"
        )
    return reader


def locate(source: str | Path) -> tuple[Path, str | None]:
    """Return file and variable of 'FILE:variable'; raise HsiError if the file does not exist."""
    path = Path(source)
    if _is_there(path):
        return path, None
    before, colon, variable = str(source).rpartition(":")
    if colon and _is_there(Path(before)):
        return Path(before), variable
    if path.is_dir() and path.suffix.lower() == zarr_arrays.SUFFIX:
        known = ", ".join(zarr_arrays.METADATA)
        raise HsiError(f"{source}: expected a Zarr store, found none of {known}; copy it again")
    raise HsiError(f"{source}: no such file, and no embedded scene of that name (IndianPines is)")


def _is_there(path: Path) -> bool:
    return path.is_file() or zarr_arrays.is_store(path)
