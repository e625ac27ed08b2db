"""NumPy's .npy and .npz, without pickles; a scene may carry `wavelengths` in nanometres."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.artifacts import atomic
from hsi.errors import HsiError
from hsi.formats.contents import Contents, Kind, bands_last, choose


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
                wanted = {variable, "wavelengths"} if variable in archive else set(archive.files)
                arrays = {key: archive[key] for key in archive.files if key in wanted}
            shapes = {key: a.shape for key, a in arrays.items() if a.dtype.kind in "biuf"}
            name = choose(path, shapes, variable, kind)
            array, wavelengths = arrays[name], arrays.get("wavelengths")
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise HsiError(f"{path}: expected a whole NumPy file without pickles ({error})") from error

    found: dict[str, object] = {"format": "NumPy", **({"variable": name} if name else {})}
    if kind == "labels":
        return Contents(path, array, provenance=found)
    if array.ndim == 3:
        array, found["layout"] = bands_last(array, name)
    centres = None if wavelengths is None else np.asarray(wavelengths, np.float64)
    return Contents(path, array, wavelengths=centres, provenance=found)


def write(path: Path, array: np.ndarray) -> None:
    """Write one array as .npy, whole or not at all."""
    with atomic(path) as part, part.open("wb") as file:
        np.save(file, array, allow_pickle=False)
