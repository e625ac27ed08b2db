"""ENVI: a text header beside raw data, opened as a memory map."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.contents import Contents, Kind
from hsi.formats.envi.header import DATA_TYPES, Header, entries, number, numbers, read_header
from hsi.formats.envi.write import write_classification, write_cube
from hsi.formats.units import nanometres

__all__ = ["is_envi", "read", "write_classification", "write_cube"]

log = logging.getLogger(__name__)

GEOREFERENCE = ("map info", "coordinate system string", "projection info", "geo points")
# Where a header's data may be, in the order they are tried; a file without suffix is usual.
DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bil", ".bip", ".bsq", ".bin", ".cube", ".rfl")
# Axes of the file as lines (0), samples (1) and bands (2).
INTERLEAVES = {"bsq": (2, 0, 1), "bil": (0, 2, 1), "bip": (0, 1, 2)}


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Open an ENVI cube or classification as a memory map.

    Parameters
    ----------
    path : Path
        The header, or the data file with its header beside it.
    variable : None
        ENVI files hold one array.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        No header, a header that misses a key, or a data file of another size.
    """
    if variable is not None:
        raise HsiError(f"{path}: an ENVI file holds one array; leave out ':{variable}'")
    header_file, header, data = _pair(path)
    array = _memory_map(header_file, header, data)
    array = array[:, :, 0] if kind == "labels" and array.shape[2] == 1 else array
    stated = numbers(header_file, header, "wavelength")
    unit = header.get("wavelength units")
    flags = numbers(header_file, header, "bbl")
    names, colours = _classes(header_file, header)
    ignored = numbers(header_file, header, "data ignore value")
    scale, offset = _scale(header_file, header, array.shape[-1])
    if kind == "labels" and ignored is not None and ignored[0] != 0:
        array = np.where(array == ignored[0], 0, array)
    return Contents(
        header_file,
        array,
        None if stated is None else nanometres(stated, unit),
        None if flags is None else flags == 0,
        {key: _stated(key, header[key]) for key in GEOREFERENCE if header.get(key)} or None,
        names,
        colours,
        ignore_value=None if ignored is None else float(ignored[0]),
        scale=scale,
        offset=offset,
        provenance=_understood(header, data, unit if stated is not None else None),
    )


def is_envi(path: Path) -> bool:
    """Return whether a file of any name has an ENVI header beside it."""
    return any(header.is_file() for header in _headers(path))


def files(path: Path) -> list[Path]:
    """Return the header and the data, given either of them; errors as in `read`."""
    header, _, data = _pair(path)
    return [header, data]


def _headers(data: Path) -> list[Path]:
    return [data.with_suffix(".hdr"), data.with_name(f"{data.name}.hdr")]


def _pair(path: Path) -> tuple[Path, Header, Path]:
    """Return the header and the data, given either of them."""
    if path.suffix.lower() != ".hdr":
        for header in _headers(path):
            if header.is_file():
                return header, read_header(header), path
        raise HsiError(f"{path}: expected the ENVI header {path.with_suffix('.hdr')} beside it")
    found = read_header(path)
    if "library" in found.get("file type", "").lower():
        raise HsiError(f"{path}: expected an image, found an ENVI spectral library")
    stem = path.with_suffix("")
    tried = [stem.with_name(stem.name + suffix) for suffix in DATA_SUFFIXES]
    tried += [stem.with_name(stem.name + suffix.upper()) for suffix in DATA_SUFFIXES[1:]]
    for data in tried:
        if data.is_file():
            return path, found, data
    names = ", ".join(file.name for file in tried[: len(DATA_SUFFIXES)])
    raise HsiError(f"{path}: expected its data beside it, one of {names}; found none")


def refuse_older_data(path: Path) -> None:
    """Raise HsiError if another file would be read as the data of a new header, not its .img."""
    stem = path.with_suffix("")
    for suffix in DATA_SUFFIXES[: DATA_SUFFIXES.index(".img")]:
        older = stem.with_name(stem.name + suffix)
        if older.is_file():
            raise HsiError(f"{path}: {older} would be taken for its data; give it another name")


def _memory_map(path: Path, header: Header, data: Path) -> npt.NDArray[Any]:
    """Return the data as a read-only memory map, bands last."""
    lines, samples, bands = (number(path, header, key) for key in ("lines", "samples", "bands"))
    offset = number(path, header, "header offset", 0)
    code = number(path, header, "data type")
    if code not in DATA_TYPES:
        raise HsiError(f"{path}: data type: expected one of {list(DATA_TYPES)}, found {code}")
    dtype = np.dtype(DATA_TYPES[code])
    if dtype.itemsize > 1:
        dtype = dtype.newbyteorder(">" if number(path, header, "byte order", 0) else "<")
    interleave = header["interleave"].strip().lower()
    if interleave not in INTERLEAVES:
        raise HsiError(f"{path}: interleave: expected bsq, bil or bip, found '{interleave}'")
    if header.get("file compression", "0").strip() not in ("", "0"):
        raise HsiError(f"{path}: expected plain data, found compressed data; decompress it first")
    if min(lines, samples, bands) < 1 or offset < 0:
        raise HsiError(
            f"{path}: expected lines, samples and bands above 0, found {lines} × {samples} × "
            f"{bands}"
        )
    size = lines * samples * bands * dtype.itemsize
    found = data.stat().st_size
    if found < offset + size:
        raise HsiError(
            f"{data}: expected {offset + size} bytes ({lines} lines × {samples} samples × {bands} "
            f"bands × {dtype.itemsize} bytes{f' after {offset}' if offset else ''}, by the header "
            f"{path.name}), found {found}; the file is cut short, or the header is of another file"
        )
    if found > offset + size:
        log.warning("%s: %d bytes more than the header states", data, found - offset - size)
    axes = INTERLEAVES[interleave]
    shape = [(lines, samples, bands)[axis] for axis in axes]
    stored = np.memmap(data, dtype, "r", offset, tuple(shape))
    return stored.transpose(np.argsort(axes))


def _stated(key: str, value: str) -> str | list[str]:
    return value if key == "coordinate system string" else entries(value)


def _scale(
    path: Path, header: Header, bands: int
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None]:
    """Return gains and offsets, or the factor that reflectance was multiplied by."""
    gains = numbers(path, header, "data gain values")
    offsets = numbers(path, header, "data offset values")
    factor = numbers(path, header, "reflectance scale factor")
    if gains is None and factor is not None and factor[0] not in (0, 1):
        gains = np.full(bands, 1 / factor[0])
    return gains, offsets


def _understood(header: Header, data: Path, unit: str | None) -> dict[str, Any]:
    interleave = header["interleave"].strip().lower()
    found: dict[str, Any] = {"format": f"ENVI {interleave}", "data": str(data)}
    if DATA_TYPES[int(header["data type"])] != "u1":
        found["byte order"] = (
            "big-endian" if header.get("byte order", "0") == "1" else "little-endian"
        )
    if int(header.get("header offset", 0)):
        found["header offset"] = f"{int(header['header offset'])} bytes"
    if unit:
        found["wavelength units"] = f"{unit} in the file"
    if "reflectance scale factor" in header:
        found["reflectance scale factor"] = header["reflectance scale factor"]
    return found


def _classes(path: Path, header: Header) -> tuple[list[str] | None, npt.NDArray[np.uint8] | None]:
    names = entries(header["class names"]) if header.get("class names") else None
    if not header.get("class lookup"):
        return names, None
    try:
        colours = [int(value) for value in entries(header["class lookup"])]
        return names, np.array(colours, np.uint8).reshape(-1, 3)
    except (ValueError, OverflowError) as error:
        raise HsiError(f"{path}: class lookup: expected three numbers 0–255 per class") from error
