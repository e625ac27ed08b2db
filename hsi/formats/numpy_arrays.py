"""NumPy's .npy and .npz, without pickles; a .npz may list wavelengths beside its cube."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.contents import (
    WAVELENGTH_NAMES,
    Contents,
    Cube,
    Kind,
    band_centres,
    bands_last,
    choose,
)
from hsi.formats.lazy import cube_blocks
from hsi.formats.writing import new_files


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read a cube (H, W, B) or labels (H, W) from a .npy or .npz file.

    Raises
    ------
    HsiError
        Not a NumPy file, cut short, or with objects inside; no variable that fits.
    """
    try:
        if path.suffix.lower() == ".npy":
            if variable is not None:
                raise HsiError(f"{path}: a .npy file holds one array; leave out ':{variable}'")
            array, name, wavelengths = np.load(path, mmap_mode="r", allow_pickle=False), "", None
        else:
            with np.load(path, allow_pickle=False) as archive:
                listed = [key for key in archive.files if key.lower() in WAVELENGTH_NAMES]
                wanted = {variable, *listed} if variable in archive else set(archive.files)
                arrays = {key: archive[key] for key in archive.files if key in wanted}
            shapes = {key: a.shape for key, a in arrays.items() if a.dtype.kind in "biuf"}
            name = choose(path, shapes, variable, kind)
            array = arrays[name]
            wavelengths = next((arrays[key] for key in listed if key != name), None)
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        said = why(error)  # NumPy advises to load pickles, which run whatever code they hold
        said = "it holds objects, or is no NumPy file" if "pickle" in said else said
        raise HsiError(f"{path}: expected a whole NumPy file without pickles ({said})") from error

    found: dict[str, object] = {"format": "NumPy", **({"variable": name} if name else {})}
    if kind == "labels":
        return Contents(path, array, provenance=found)
    if array.ndim == 3:
        count = None if wavelengths is None else wavelengths.size
        array, found["layout"] = bands_last(array, name, count)
    centres = band_centres(wavelengths, array.shape[-1])
    return Contents(path, array, wavelengths=centres, provenance=found)


def write(path: Path, array: Cube) -> None:
    """Write one array as .npy, block by block, whole or not at all."""
    dtype = array.dtype.newbyteorder("<")
    header = {"descr": dtype.str, "fortran_order": False, "shape": tuple(array.shape)}
    size = int(np.prod(array.shape)) * dtype.itemsize
    with new_files(path, size) as part, part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for rows in cube_blocks(array):
            file.write(np.ascontiguousarray(array[rows], dtype).data)
