"""MATLAB files: v5 through SciPy, v7.3 (which is HDF5) through h5py; structs are looked into."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from engine.memory import DEFLATE, admit, free_on_host
from engine.untrusted import child, matlab
from engine.untrusted.hdf5 import expect_sound
from hsi.errors import HsiError
from hsi.formats import centres, no_data
from hsi.formats.contents import Contents, Kind, bands_last, beside, choose, layout_name, squeezed
from hsi.formats.hdf5.cube import whole

# Names under which a file states the rows and columns of a flattened cube, in lower case.
SIZE_NAMES = (("nrow", "ncol"), ("nrows", "ncols"), ("rows", "cols"), ("rows", "columns"),
              ("height", "width"), ("lines", "samples"))  # fmt: skip
SMALL = 8  # values: sizes, and what stands for no data
_WHOLE = "expected a whole MATLAB file"


@dataclass(frozen=True)
class Variable:
    """A numeric variable, or a field of a struct as 'struct.field', that is read when asked for."""

    shape: tuple[int, ...]
    read: Callable[[], npt.NDArray[Any]]

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Read a cube (H, W, B) or labels (H, W) from a .mat file.

    A flattened cube (bands, rows × columns), or the other way round, is unfolded where the file
    states its size, as `nRow` and `nCol`; MATLAB counts rows fastest. Fields of structs are named
    with dots, as 'hsi.Data'.

    Raises
    ------
    HsiError
        No MATLAB file, or no variable that fits; one that memory cannot hold, or that so small a
        file can hardly mean; a file that points at others.
    """
    with parsing(path, _WHOLE, HsiError):
        found, version = _v73(path) if _is_hdf5(path) else _v5(path)
        return _contents(path, found, version, variable, kind)


def _contents(
    path: Path, variables: dict[str, Variable], version: str, variable: str | None, kind: Kind
) -> Contents:
    found: dict[str, Any] = {"format": f"MATLAB {version}"}
    small = {key: item.read() for key, item in variables.items() if item.size < SMALL}
    ignored = no_data.stated({_own(key): value for key, value in small.items()}, str(path))
    lists = [
        centres.Listed(key, item.size, item.read)
        for key, item in variables.items()
        if item.size == max(item.shape, default=0)
    ]
    flat = _flattened(variables, {_own(key): value for key, value in small.items()})
    if kind == "cube" and flat is not None and variable in (None, flat.name):
        name, cube = flat.name, flat.unfolded(variables[flat.name].read())
        found |= {"variable": name, "layout": flat.layout}
        listed = centres.find(lists, cube.shape[2:], name)
    else:
        name = choose(path, {key: item.shape for key, item in variables.items()}, variable, kind)
        array, found["variable"] = variables[name].read(), name
        if kind == "labels":
            array = array.reshape(squeezed(array.shape, 2))
            return Contents(path, no_data.unlabelled(path, array, ignored), provenance=found)
        array = array.reshape(squeezed(array.shape, 3))
        if array.ndim != 3:
            return Contents(path, array, provenance=found)
        listed = centres.find(lists, array.shape, name)
        cube, found["layout"] = bands_last(
            array, layout_name(path, name), None if listed is None else listed.size
        )
    bands = cube.shape[2]
    wavelengths = centres.in_nanometres(listed, bands, f"{path}: wavelengths")
    wide = centres.find_widths(lists, bands, name)
    first, mask = no_data.first_and_mask(ignored, cube)
    used = [name, *(item.name for item in (listed, wide) if item is not None)]
    return Contents(
        path,
        cube,
        wavelengths,
        provenance=found,
        ignore_value=first,
        mask=mask,
        fwhm=centres.widths_in_nanometres(wide, listed, wavelengths),
        left_out=beside(list(variables), used),
    )


def _is_hdf5(path: Path) -> bool:
    import h5py

    return bool(h5py.is_hdf5(path))


def _v5(path: Path) -> tuple[dict[str, Variable], str]:
    held = matlab.walk(path)
    if held is None:
        return _unpacked(path), "v5"
    size = path.stat().st_size
    found: dict[str, Variable] = {}
    for variable in held:
        for leaf in variable.leaves:

            def read(top: matlab.Variable = variable, name: str = leaf.name) -> npt.NDArray[Any]:
                admit(top.nbytes, size, HsiError, DEFLATE)
                return matlab.read(path, top.name, name)

            found[leaf.name] = Variable(leaf.shape, read)
    return found, "v5"


def _unpacked(path: Path) -> dict[str, Variable]:
    """Return the arrays of a file that is not plain, which a child reads and writes as .npy."""
    with tempfile.TemporaryDirectory() as folder:
        memory = max(child.MEMORY, free_on_host() // 2)
        listed = child.ask("matlab", path, _WHOLE, HsiError, memory=memory, folder=folder)
        # The maps stay when the files have lost their names.
        arrays = {name: np.load(file, mmap_mode="r", allow_pickle=False) for name, file in listed}
    return {
        name: Variable(array.shape, partial(np.asarray, array)) for name, array in arrays.items()
    }


def _v73(path: Path) -> tuple[dict[str, Variable], str]:
    import h5py

    expect_sound(path, HsiError)
    found: dict[str, Variable] = {}

    def keep(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or name.startswith("#"):
            return
        text = item.attrs.get("MATLAB_class", b"") == b"char" or "MATLAB_empty" in item.attrs
        if item.dtype.kind in "uif" and item.shape and not text:
            # HDF5 lists the axes of MATLAB's column-major arrays in reverse.
            found[name.replace("/", ".")] = Variable(item.shape[::-1], lambda: _of_v73(path, name))

    with h5py.File(path, "r") as file:
        file.visititems(keep)
    return found, "v7.3"


def _of_v73(path: Path, name: str) -> npt.NDArray[Any]:
    import h5py

    with h5py.File(path, "r") as file:
        return whole(file[name]).T


@dataclass(frozen=True)
class Flattened:
    """A variable that lists the pixels of a cube, column by column as MATLAB counts."""

    name: str
    rows: int
    columns: int
    bands_first: bool

    @property
    def layout(self) -> str:
        """The order of the pixels, in words."""
        return f"bands {'first' if self.bands_first else 'last'}, flattened column by column"

    def unfolded(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the cube (H, W, B)."""
        listed = array if self.bands_first else array.T
        cube = listed.reshape(listed.shape[0], self.rows, self.columns, order="F")
        return np.moveaxis(cube, 0, -1)


def _flattened(
    variables: dict[str, Variable], small: dict[str, npt.NDArray[Any]]
) -> Flattened | None:
    """Return the only variable of (bands, pixels) or (pixels, bands), if the file states a size."""
    single = {key.lower(): int(a.item()) for key, a in small.items() if a.size == 1}
    for row_key, column_key in SIZE_NAMES:
        if row_key in single and column_key in single:
            rows, columns = single[row_key], single[column_key]
            flat = {
                name: item.shape[1] == rows * columns
                for name, item in variables.items()
                if len(item.shape) == 2 and rows * columns in item.shape and min(item.shape) > 1
            }
            if len(flat) == 1:
                name, bands_first = next(iter(flat.items()))
                return Flattened(name, rows, columns, bands_first)
    return None


def _own(name: str) -> str:
    return name.rpartition(".")[2]
