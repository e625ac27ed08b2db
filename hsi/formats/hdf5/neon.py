"""NEON's airborne spectrometer: HDF5 of SITE/Reflectance/Reflectance_Data with ENVI's map info.

Scale factor, ignore value, wavelengths and widths are found as in any HDF5; the place of the pixels
is text as in an ENVI header, and windows of water absorption are attributes of the folder.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats.envi.header import entries
from hsi.formats.hdf5.attributes import text

CUBES = ("Reflectance_Data", "Radiance_Data")
PLACE = {"map info": "Map_Info", "coordinate system string": "Coordinate_System_String"}
WINDOWS = ("Band_Window_1_Nanometers", "Band_Window_2_Nanometers")


@dataclass(frozen=True)
class Neon:
    """What NEON's files say beside other HDF5; nothing for those of others."""

    provenance: dict[str, Any] = field(default_factory=dict)
    georeference: dict[str, Any] | None = None
    bad_bands: npt.NDArray[np.bool_] | None = None


def beside(dataset: Any, wavelengths: npt.NDArray[np.float64] | None) -> Neon:
    """Return what is stated beside a cube."""
    folder = dataset.parent
    if dataset.name.rpartition("/")[2] not in CUBES:
        return Neon()
    place = {}
    for key, name in PLACE.items():
        path = f"Metadata/Coordinate_System/{name}"
        stated = text(folder[path][()]) if path in folder else ""
        if stated:
            place[key] = stated if key == "coordinate system string" else entries(stated)
    return Neon({"product": "NEON"}, place or None, _windows(folder, wavelengths))


def _windows(
    folder: Any, wavelengths: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.bool_] | None:
    if wavelengths is None or not any(name in folder.attrs for name in WINDOWS):
        return None
    bad = np.zeros(wavelengths.size, bool)
    for name in WINDOWS:
        ends = np.ravel(folder.attrs.get(name, ()))
        if ends.size == 2 and ends.dtype.kind in "uif":
            bad |= (wavelengths >= ends.min()) & (wavelengths <= ends.max())
    return bad if bad.any() and not bad.all() else None
