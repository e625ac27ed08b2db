"""ENVI: a text header beside raw data, opened as a memory map."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats import masks, no_data
from hsi.formats.contents import Contents, Kind
from hsi.formats.envi import metadata, pairs
from hsi.formats.envi.header import DATA_TYPES, Header, extra, number, read_header
from hsi.formats.envi.write import write_classification, write_cube

__all__ = ["is_envi", "read", "write_classification", "write_cube"]

log = logging.getLogger(__name__)

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
    names, colours = metadata.classes(header_file, header)
    ignored = metadata.ignored(header_file, header)
    mask: no_data.Mask | None = masks.beside(data, array.shape[:2])
    found = metadata.of_bands(header_file, header, array.shape[2])
    understood = _understood(header, data)
    if mask is not None:
        understood["mask"] = str(masks.file_beside(data))
    if kind == "labels" and array.shape[2] == 1:
        array = no_data.unlabelled(
            header_file, array[:, :, 0], ignored, mask=None if mask is None else mask[:],
            background=names[0] if names else None,
        )  # fmt: skip
        return Contents(
            header_file, array, georeference=metadata.place(header, data), class_names=names,
            colours=colours, provenance=understood,
        )  # fmt: skip
    first, mask = no_data.first_and_mask(ignored, array, mask, found["bad_bands"])
    return Contents(
        header_file,
        array,
        georeference=metadata.place(header, data),
        class_names=names,
        colours=colours,
        ignore_value=first,
        provenance=understood,
        mask=mask,
        extra=extra(header),
        **found,
    )


def is_envi(path: Path) -> bool:
    """Return whether a file of any name has an ENVI header beside it."""
    return bool(pairs.headers_of(path))


def files(path: Path) -> list[Path]:
    """Return the header, the data and a mask beside them, given either; errors as in `read`."""
    header, _, data = _pair(path)
    mask = masks.file_beside(data)
    beside = [mask, data.with_name(f"{data.name}.aux.xml")]
    return [header, data, *(file for file in beside if file is not None and file.is_file())]


def refuse_older_data(path: Path) -> None:
    """Raise HsiError if a new header would be read with other data, or its .img by another header.

    Both are files of earlier work that lie beside it.
    """
    stem = path.with_suffix("")
    for older, what in ((stem, "data"), (path.with_name(f"{stem.name}.img.hdr"), "header")):
        if older.is_file():
            whose = "its" if what == "data" else f"{stem.name}.img's"
            raise HsiError(f"{path}: {older} would be taken for {whose} {what}; give another name")


def _pair(path: Path) -> tuple[Path, Header, Path]:
    """Return the header and the data, given either of them."""
    if path.suffix.lower() != ".hdr":
        return (*pairs.header_of(path), path)
    found = read_header(path)
    if "library" in found.get("file type", "").lower():
        raise HsiError(f"{path}: expected an image, found an ENVI spectral library")
    return path, found, pairs.data_of(path, found)


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
    frame = _frame(path, header, dtype, pairs.frames(header, lines, samples, bands))
    axes = INTERLEAVES[interleave]
    majors = (lines, samples, bands)[axes[0]]
    size = majors * frame.itemsize
    found = data.stat().st_size
    if found < offset + size:
        raise HsiError(
            f"{data}: expected {offset + size} bytes ({lines} lines × {samples} samples × {bands} "
            f"bands × {dtype.itemsize} bytes{f' after {offset}' if offset else ''}, by the header "
            f"{path.name}), found {found}; the file is cut short, or the header is of another file"
        )
    if found > offset + size:
        log.warning("%s: %d bytes more than the header states", data, found - offset - size)
    stored: npt.NDArray[Any] = np.memmap(data, frame, "r", offset, (majors,))
    if frame.names:
        stored = stored["minor"]["values"]
    return stored.transpose(np.argsort(axes))


def _frame(
    path: Path, header: Header, dtype: np.dtype[Any], axes: tuple[int, int, int]
) -> np.dtype[Any]:
    """Return the type of a major frame, with the bytes that lie before and after frames."""
    try:
        major, minor = (pairs.frame_offsets(header, kind) for kind in ("major", "minor"))
    except ValueError as error:
        raise HsiError(f"{path}: frame offsets: {error}") from error
    if not any(major + minor):
        return np.dtype((dtype, axes[1:]))
    inner = np.dtype(
        [("before", f"V{minor[0]}"), ("values", dtype, axes[2:]), ("after", f"V{minor[1]}")]
    )
    return np.dtype(
        [("before", f"V{major[0]}"), ("minor", inner, axes[1:2]), ("after", f"V{major[1]}")]
    )


def _understood(header: Header, data: Path) -> dict[str, Any]:
    interleave = header["interleave"].strip().lower()
    found: dict[str, Any] = {"format": f"ENVI {interleave}", "data": str(data)}
    if DATA_TYPES[int(header["data type"])] != "u1":
        found["byte order"] = (
            "big-endian" if header.get("byte order", "0") == "1" else "little-endian"
        )
    if int(header.get("header offset", 0)):
        found["header offset"] = f"{int(header['header offset'])} bytes"
    for kind in ("major", "minor"):
        if any(pairs.frame_offsets(header, kind)):
            found[f"{kind} frame offsets"] = "{} and {} bytes".format(
                *pairs.frame_offsets(header, kind)
            )
    if header.get("wavelength") and header.get("wavelength units"):
        found["wavelength units"] = f"{header['wavelength units']} in the file"
    if "reflectance scale factor" in header:
        found["reflectance scale factor"] = header["reflectance scale factor"]
    return found
