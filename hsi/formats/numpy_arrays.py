"""NumPy's .npy and .npz, without pickles; a .npz may list wavelengths beside its cube."""

import math
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from engine.memory import DEFLATE, admit
from hsi.errors import HsiError
from hsi.formats import centres, no_data
from hsi.formats.contents import (
    Contents,
    Cube,
    Kind,
    bands_last,
    beside,
    choose,
    layout_name,
    squeezed,
)
from hsi.formats.lazy import cube_blocks
from hsi.formats.writing import new_files


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read a cube (H, W, B) or labels (H, W) from a .npy or .npz file.

    Raises
    ------
    HsiError
        Not a NumPy file, cut short, or with objects inside; no variable that fits; one that memory
        cannot hold, or that so small an archive can hardly mean.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    names: list[str] = []
    expected = "expected a whole NumPy file without pickles"
    with parsing(path, expected, HsiError):
        if path.suffix.lower() == ".npy":
            if variable is not None:
                raise HsiError(f"{path}: a .npy file holds one array; leave out ':{variable}'")
            with path.open("rb") as file:
                _refuse_objects(_header(file)[1])
            array, name = np.load(path, mmap_mode="r", allow_pickle=False), ""
        else:
            arrays, name, names = _of_archive(path, variable, kind)
            array = arrays[name]
    found: dict[str, object] = {"format": "NumPy", **({"variable": name} if name else {})}
    small = {key: a for key, a in arrays.items() if key != name and a.size < 16}
    ignored = no_data.stated(small, str(path))
    if kind == "labels":
        array = array.reshape(squeezed(array.shape, 2))
        return Contents(path, no_data.unlabelled(path, array, ignored), provenance=found)
    array = array.reshape(squeezed(array.shape, 3))
    lists = [centres.of_array(key, a) for key, a in arrays.items() if key != name]
    listed = centres.find(lists, array.shape)
    if array.ndim == 3:
        array, found["layout"] = bands_last(
            array, layout_name(path, name), None if listed is None else listed.size
        )
    bands = array.shape[-1] if array.ndim else 0
    wavelengths = centres.in_nanometres(listed, bands, str(path))
    wide = centres.find_widths(lists, bands)
    first, mask = no_data.first_and_mask(ignored, array)
    used = [name, *(item.name for item in (listed, wide) if item is not None)]
    return Contents(
        path,
        array,
        wavelengths=wavelengths,
        fwhm=centres.widths_in_nanometres(wide, listed, wavelengths),
        ignore_value=first,
        mask=mask,
        provenance=found,
        left_out=beside(names, used),
    )


def _of_archive(
    path: Path, variable: str | None, kind: Kind
) -> tuple[dict[str, npt.NDArray[Any]], str, list[str]]:
    """Return the arrays of a .npz that matter, the name of the one asked for, and all names."""
    with ZipFile(path) as archive:
        stated: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
        for entry in archive.infolist():
            if entry.filename.endswith(".npy"):
                with archive.open(entry) as file:
                    stated[entry.filename.removesuffix(".npy")] = _header(file)
        shapes = {key: shape for key, (shape, dtype) in stated.items() if dtype.kind in "biuf"}
        told = [key for key in stated if centres.tells(key) or no_data.tells(key)]
        if variable in stated:
            _refuse_objects(stated[variable][1])
        name = choose(path, shapes, variable, kind)
        packed = {entry.filename: entry.compress_size for entry in archive.infolist()}
        wanted = {name, *told}
        for key in wanted:
            shape, dtype = stated[key]
            size = math.prod(shape) * dtype.itemsize
            admit(size, packed[f"{key}.npy"], HsiError, DEFLATE)
    with np.load(path, allow_pickle=False) as loaded:
        kept = [key for key in stated if key in wanted and stated[key][1].kind != "O"]
        return {key: loaded[key] for key in kept}, name, list(stated)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of an array, of whose file only the header is read."""
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise HsiError(f"expected a whole NumPy file of version 1 or 2, found {version}")
    shape, _, dtype = read_header(file)
    if min(shape, default=0) < 0:
        raise HsiError(f"expected axes from 0 up, found {shape}")
    return shape, dtype


def _refuse_objects(dtype: np.dtype[Any]) -> None:
    if dtype.hasobject:  # a pickle runs whatever code it holds
        raise HsiError("expected a whole NumPy file without pickles, found one that holds objects")


def write(path: Path, array: Cube) -> None:
    """Write one array as .npy, block by block, whole or not at all."""
    dtype = array.dtype.newbyteorder("<")
    header = {"descr": dtype.str, "fortran_order": False, "shape": tuple(array.shape)}
    size = int(np.prod(array.shape)) * dtype.itemsize
    with new_files(path, size) as part, part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for rows in cube_blocks(array):
            file.write(np.ascontiguousarray(array[rows], dtype).data)
