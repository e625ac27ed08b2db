"""NumPy's .npy and .npz, without pickles; a .npz may list wavelengths beside its cube."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats import centres, no_data
from hsi.formats.contents import Contents, Cube, Kind, bands_last, beside, choose, squeezed
from hsi.formats.lazy import cube_blocks
from hsi.formats.writing import new_files


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read a cube (H, W, B) or labels (H, W) from a .npy or .npz file.

    Raises
    ------
    HsiError
        Not a NumPy file, cut short, or with objects inside; no variable that fits.
    """
    arrays = {}
    try:
        if path.suffix.lower() == ".npy":
            if variable is not None:
                raise HsiError(f"{path}: a .npy file holds one array; leave out ':{variable}'")
            array, name = np.load(path, mmap_mode="r", allow_pickle=False), ""
        else:
            with np.load(path, allow_pickle=False) as archive:
                told = [key for key in archive.files if centres.tells(key) or no_data.tells(key)]
                wanted = {variable, *told} if variable in archive else set(archive.files)
                arrays = {key: archive[key] for key in archive.files if key in wanted}
            shapes = {key: a.shape for key, a in arrays.items() if a.dtype.kind in "biuf"}
            name = choose(path, shapes, variable, kind)
            array = arrays[name]
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        said = why(error)  # NumPy advises to load pickles, which run whatever code they hold
        said = "it holds objects, or is no NumPy file" if "pickle" in said else said
        raise HsiError(f"{path}: expected a whole NumPy file without pickles ({said})") from error

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
        array, found["layout"] = bands_last(array, name, None if listed is None else listed.size)
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
        left_out=beside(list(arrays), used),
    )


def write(path: Path, array: Cube) -> None:
    """Write one array as .npy, block by block, whole or not at all."""
    dtype = array.dtype.newbyteorder("<")
    header = {"descr": dtype.str, "fortran_order": False, "shape": tuple(array.shape)}
    size = int(np.prod(array.shape)) * dtype.itemsize
    with new_files(path, size) as part, part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for rows in cube_blocks(array):
            file.write(np.ascontiguousarray(array[rows], dtype).data)
