"""Landsat: one GeoTIFF per band, and …_MTL.txt, which states their names, factors and sensor.

Files and factors are those of Collection 2 [1]_; band centres and widths of OLI are those of Barsi
et al. 2014, of the older sensors the middles of the bands as the USGS names them [2]_.

.. [1] https://www.usgs.gov/landsat-missions/landsat-collection-2
.. [2] https://www.usgs.gov/faqs/what-are-band-designations-landsat-satellites
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import HsiError
from hsi.formats.geotiff.product import Product

# Centre and width in nanometres.
OLI = {
    "1": (442.96, 15.98), "2": (482.04, 60.04), "3": (561.41, 57.33), "4": (654.59, 37.47),
    "5": (864.67, 28.25), "6": (1608.86, 84.72), "7": (2200.73, 186.66), "8": (589.5, 172.4),
    "9": (1373.43, 20.39), "10": (10895.0, 590.0), "11": (12005.0, 1010.0),
}  # fmt: skip
ETM = {
    "1": (485.0, 70.0), "2": (560.0, 80.0), "3": (660.0, 60.0), "4": (835.0, 130.0),
    "5": (1650.0, 200.0), "6": (11450.0, 2100.0), "7": (2220.0, 260.0), "8": (710.0, 380.0),
}  # fmt: skip
TM = {**ETM, "4": (830.0, 140.0), "7": (2215.0, 270.0)}
SENSORS = {"LANDSAT_4": TM, "LANDSAT_5": TM, "LANDSAT_7": ETM, "LANDSAT_8": OLI, "LANDSAT_9": OLI}
# Groups that state factors; those of level 2 stand beside those of level 1 that it was made from.
LEVEL_2 = ("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS")
LEVEL_1 = ("LEVEL1_RADIOMETRIC_RESCALING", "RADIOMETRIC_RESCALING")
QUANTITIES = ("REFLECTANCE", "TEMPERATURE", "RADIANCE")


def metadata_file(path: Path) -> Path | None:
    """Return the …_MTL.txt beside an image whose name begins as its own, or None."""
    for file in sorted(path.parent.glob("*_MTL.txt")):
        if path.name.startswith(file.name.removesuffix("MTL.txt")):
            return file
    return None


def beside(path: Path, bands: int) -> Product | None:
    """Return what …_MTL.txt states of an image, or None if it does not name it.

    Raises
    ------
    HsiError
        A factor is no number.
    """
    file = metadata_file(path)
    if file is None or bands != 1:
        return None
    groups = _groups(file.read_text(encoding="utf-8", errors="replace"))
    stated = {key: value for group in groups.values() for key, value in group.items()}
    band = next(
        (key.removeprefix("FILE_NAME_BAND_") for key, value in stated.items()
         if key.startswith("FILE_NAME_BAND_") and value == path.name),
        None,
    )  # fmt: skip
    if band is None:
        return None
    number = re.sub(r"^ST_B|_VCID_\d$", "", band)
    spacecraft = stated.get("SPACECRAFT_ID", "")
    centre, width = SENSORS.get(spacecraft, {}).get(number, (None, None))
    is_level_2 = stated.get("PROCESSING_LEVEL", "").startswith("L2")
    levels = LEVEL_2 if is_level_2 else LEVEL_1
    factors = _factors(file, groups, levels, band)
    attributes: dict[str, Any] = {
        "wavelengths": None if centre is None else np.array([centre]),
        "fwhm": None if width is None else np.array([width]),
        "band_names": [f"B{number}"],
        "scale": None if factors is None else np.array([factors[0]]),
        "offset": None if factors is None else np.array([factors[1]]),
    }
    level = stated.get("PROCESSING_LEVEL", "")
    known = {"product": f"{spacecraft} {level}".strip(), "band parameters": str(file)}
    return Product(attributes, known, (0.0,))


def _factors(
    file: Path, groups: dict[str, dict[str, str]], levels: tuple[str, ...], band: str
) -> tuple[float, float] | None:
    for quantity in QUANTITIES:
        for level in levels:
            keys = [f"{quantity}_{kind}_BAND_{band}" for kind in ("MULT", "ADD")]
            found = [groups.get(level, {}).get(key) for key in keys]
            if found[0] is not None and found[1] is not None:
                try:
                    return float(found[0]), float(found[1])
                except ValueError as error:
                    raise HsiError(
                        f"{file}: {keys[0]}: expected a number ({error}); fetch it again"
                    ) from error
    return None


def _groups(text: str) -> dict[str, dict[str, str]]:
    """Return the keys and values of each group of an MTL file."""
    found: dict[str, dict[str, str]] = {}
    inside = ""
    for line in text.splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if key == "GROUP":
            inside = value
        elif equals and key != "END_GROUP":
            found.setdefault(inside, {})[key] = value.strip('"')
    return found
