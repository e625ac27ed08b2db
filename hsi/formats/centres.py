"""Which list of a file holds the centres, or the widths, of a cube's bands."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats.units import nanometres, unit_in_name, widths

# Names of lists, whatever their case; the first counts most.
CENTRES = (
    "wavelengths", "wavelength", "wavelengths_nm", "wavelength_nm", "wavelength_um", "lambda",
    "central_wavelength", "central_wavelengths", "center_wavelength", "center_wavelengths",
    "centre_wavelengths", "band_centers", "band_centres", "bandcenters", "band_center", "wl", "wvl",
    "wave", "wavelen", "wavenumber", "wavenumbers",
)  # fmt: skip
# Of further names, these parts say that a list is one of centres, or is not.
TELLING, OTHER = (
    ("wavelength", "wavenumber", "wvl"),
    ("fwhm", "width", "good", "bad", "mask", "unc"),
)
WIDTHS = ("fwhm", "fwhm_nm", "fwhms", "fwhm_um", "full_width_half_max", "band_widths", "bandwidths")


@dataclass(frozen=True)
class Listed:
    """A list of numbers in a file.

    Attributes
    ----------
    name : str
        With the folders that it is in, as 'sensor_band_parameters/wavelength'.
    size : int
    read : callable
        Without arguments, to the numbers.
    unit : str, optional
        As the file states it.
    """

    name: str
    size: int
    read: Callable[[], npt.NDArray[Any]]
    unit: str | None = None

    @property
    def own_name(self) -> str:
        """The name without folders, in lower case."""
        return re.split(r"[/.]", self.name)[-1].lower()

    @property
    def folder(self) -> str:
        """The folders."""
        return re.split(r"[/.][^/.]*$", self.name)[0] if re.search(r"[/.]", self.name) else ""


def tells(name: str) -> bool:
    """Return whether a variable's name is that of a list of band centres or widths."""
    item = Listed(name, 0, lambda: np.empty(0))
    return item.own_name in WIDTHS or _rank(item) is not None


def of_array(name: str, array: npt.NDArray[Any], unit: str | None = None) -> Listed:
    """Return an array in memory as a list."""
    return Listed(name, array.size, lambda: array, unit)


def find(lists: Iterable[Listed], sizes: Iterable[int], cube: str = "") -> Listed | None:
    """Return the list of band centres, or None.

    Parameters
    ----------
    lists : iterable of Listed
        All lists of numbers of one axis in the file.
    sizes : iterable of int
        How many bands there may be: the lengths of the cube's axes, or of the one of its bands.
    cube : str
        Name of the cube: of equal names, the list nearest to it counts.
    """
    fitting = [(_rank(item), item) for item in lists if item.size in set(sizes)]
    ranked = [
        (rank == len(CENTRES), _distance(item, cube), rank, item)
        for rank, item in fitting
        if rank is not None
    ]
    return min(ranked, key=lambda found: found[:3])[3] if ranked else None


def find_widths(lists: Iterable[Listed], bands: int, cube: str = "") -> Listed | None:
    """Return the list of the bands' widths (full width at half maximum), or None."""
    fitting = [item for item in lists if item.own_name in WIDTHS and item.size == bands]
    return min(fitting, key=lambda item: _distance(item, cube), default=None)


def in_nanometres(found: Listed | None, bands: int, where: str) -> npt.NDArray[np.float64] | None:
    """Return a list in nanometres, (B,) float64, or None if it is not one of numbers per band."""
    numbers = _numbers(found, bands)
    return None if found is None or numbers is None else nanometres(numbers, _unit(found), where)


def widths_in_nanometres(
    found: Listed | None,
    of: Listed | None,
    centres: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.float64] | None:
    """Return a list of widths in nanometres; without a unit they have that of the centres."""
    if found is None:
        return None
    numbers = _numbers(found, found.size)
    stated = None if of is None else _numbers(of, found.size)
    if numbers is None:
        return None
    unit = _unit(found) or (None if of is None else _unit(of))
    return widths(numbers, centres, unit, stated)


def _numbers(found: Listed | None, bands: int) -> npt.NDArray[np.float64] | None:
    if found is None or found.size != bands:
        return None
    array = np.ravel(found.read())
    try:  # lists of texts are read as numbers
        return array.astype(np.float64) if array.dtype.kind in "uifSU" else None
    except ValueError:
        return None


def _unit(found: Listed) -> str | None:
    wavenumber = "wavenumber" if found.own_name.startswith("wavenumber") else None
    return found.unit or unit_in_name(found.own_name) or wavenumber


def _rank(item: Listed) -> int | None:
    name = item.own_name
    if name in CENTRES:
        return CENTRES.index(name)
    if any(part in name for part in OTHER):
        return None
    return len(CENTRES) if any(part in name for part in TELLING) else None


def _distance(item: Listed, cube: str) -> int:
    """Return by how many folders a list lies away from the cube."""
    own, other = (re.split(r"[/.]", name)[:-1] for name in (item.name, cube))
    shared = 0
    for left, right in zip(own, other, strict=False):
        if left != right:
            break
        shared += 1
    return len(own) + len(other) - 2 * shared
