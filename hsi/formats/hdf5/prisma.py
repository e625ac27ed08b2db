"""PRISMA: HDF-EOS5 with a VNIR and a SWIR cube, rows × bands × columns.

Wavelengths are lists in the file's attributes, falling, with zeros for bands that are not used.
Here the bands rise: those of VNIR, then those of SWIR, which overlap. The two cubes, and the scenes
of one sensor, have scales of their own (Min + stored · (Max − Min) / 65535), so the scale is
applied; a stored 0, which is no measurement, stays 0. Layout, scales and the place of the corners
are those that the R package prismaread [1]_ goes by.

.. [1] https://github.com/IREA-CNR-MI/prismaread
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.contents import Contents, beside
from hsi.formats.hdf5.cube import Hdf5Cube
from hsi.formats.lazy import LazyCube, tell_pieces

SWATHS = "HDFEOS/SWATHS"
SENSORS = ("Vnir", "Swir")
PIXEL = 30.0  # metres


@dataclass(frozen=True)
class Part:
    """A sensor's bands: their places in its cube, rising, and their scale."""

    cube: Hdf5Cube
    places: npt.NDArray[np.int64]
    gain: float
    offset: float


class PrismaCube(LazyCube):
    """The bands of both sensors one after another, scaled, float32."""

    def __init__(self, parts: list[Part]) -> None:
        rows, columns = parts[0].cube.shape[:2]
        super().__init__(
            (rows, columns, sum(part.places.size for part in parts)),
            np.float32,
            max(part.cube.stored_rows for part in parts),
        )
        self.parts = parts

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        blocks, first = [], 0
        for part in self.parts:
            here = slice(max(bands.start - first, 0), max(bands.stop - first, 0))
            places = part.places[here]
            first += part.places.size
            if places.size:
                stored = part.cube[rows, columns, places]
                scaled = stored.astype(np.float32) * part.gain + part.offset
                blocks.append(np.where(stored == 0, np.float32(0), scaled).astype(np.float32))
        return np.concatenate(blocks, axis=-1)


def recognised(file: Any, variable: str | None) -> bool:
    """Return whether a file is one of PRISMA and no dataset is named."""
    return variable is None and _swath(file) is not None


def read(path: Path, file: Any, variable: str | None) -> Contents:
    """Return the cube of both sensors.

    Raises
    ------
    HsiError
        A cube, or its list of wavelengths, is missing or does not fit.
    """
    del variable
    swath = _swath(file)
    parts, centres = [], []
    widths: list[npt.NDArray[np.float64]] = []
    for sensor in SENSORS:
        name = f"{SWATHS}/{swath}/Data Fields/{sensor.upper()}_Cube"
        listed = f"List_Cw_{sensor}"
        if name not in file or listed not in file.attrs:
            raise HsiError(f"{path}: expected {name} and the attribute {listed}, found not both")
        cube = Hdf5Cube(path, file[name], axis=1)
        stated = np.ravel(file.attrs[listed]).astype(np.float64)
        if stated.size != cube.shape[2]:
            raise HsiError(
                f"{path}: {listed}: expected {cube.shape[2]} wavelengths as {name} has bands, "
                f"found {stated.size}"
            )
        used = np.flatnonzero(stated > 0)
        places = used[np.argsort(stated[used])]
        parts.append(Part(cube, places, *_scale(file, sensor)))
        centres.append(stated[places])
        wide = np.ravel(file.attrs.get(f"List_Fwhm_{sensor}", [])).astype(np.float64)
        widths += [wide[places]] if wide.size == stated.size else []
    if parts[0].cube.shape[:2] != parts[1].cube.shape[:2]:
        raise HsiError(
            f"{path}: expected VNIR and SWIR of one size, found {parts[0].cube.shape[:2]} and "
            f"{parts[1].cube.shape[:2]}"
        )
    joined = PrismaCube(parts)
    tell_pieces(str(path), joined)
    place = _georeference(file, joined.shape)
    folder = file[f"{SWATHS}/{swath}/Data Fields"]
    cubes = [f"{sensor.upper()}_Cube" for sensor in SENSORS]
    return Contents(
        path,
        joined,
        np.concatenate(centres),
        georeference=place,
        ignore_value=0.0,
        fwhm=np.concatenate(widths) if len(widths) == len(SENSORS) else None,
        provenance={
            "format": "HDF5",
            "product": f"PRISMA {swath}",
            "bands": f"{parts[0].places.size} VNIR, then {parts[1].places.size} SWIR",
            "scale": "applied",
            "grid": "not georeferenced" if place is None else "georeferenced",
        },
        left_out=beside(list(folder), cubes),
    )


def _swath(file: Any) -> str | None:
    if SWATHS not in file:
        return None
    names = [name for name in file[SWATHS] if name.startswith("PRS_L") and name.endswith("_HCO")]
    # A product of level 2 holds the geometry of level 1, too.
    return max(names, default=None)


def _scale(file: Any, sensor: str) -> tuple[float, float]:
    """Return gain and offset of level 2, or factor and offset of level 1's radiance."""
    attributes = file.attrs
    if f"L2Scale{sensor}Max" in attributes:
        low, high = (float(attributes[f"L2Scale{sensor}{end}"]) for end in ("Min", "Max"))
        return (high - low) / 65535, low
    if f"ScaleFactor_{sensor}" in attributes:
        factor, offset = (
            float(np.ravel(attributes[f"{key}_{sensor}"])[0]) for key in ("ScaleFactor", "Offset")
        )
        return 1 / factor, -offset
    return 1.0, 0.0


def _georeference(file: Any, shape: tuple[int, ...]) -> dict[str, Any] | None:
    """Return the georeference from the corners, which are the centres of the corner pixels."""
    names = [f"Product_{c}corner_{axis}" for c in ("UL", "LR") for axis in ("easting", "northing")]
    if "Epsg_Code" not in file.attrs or any(name not in file.attrs for name in names):
        return None
    left, top, right, bottom = (float(np.ravel(file.attrs[name])[0]) for name in names)
    columns, rows = round((right - left) / PIXEL), round((top - bottom) / PIXEL)
    if (rows + 1, columns + 1) == shape[:2]:
        left, top = left - PIXEL / 2, top + PIXEL / 2
    elif (rows, columns) != shape[:2]:
        return None
    code = int(np.ravel(file.attrs["Epsg_Code"])[0])
    return {"crs": f"EPSG:{code}", "transform": (PIXEL, 0.0, left, 0.0, -PIXEL, top)}
