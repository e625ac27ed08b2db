"""Wavelengths and bad bands in the tags of a GeoTIFF's bands.

Many programs write many dialects: `wavelength` and `wavelength_units` on each band (GDAL's ENVI
driver, EnMAP-Box), CENTRAL_WAVELENGTH_UM in the IMAGERY domain (GDAL 3.10), lists in the ENVI
domain of the file, or the band's name, as in 'band 19 (513.0 Nanometers)'.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats.units import named_wavelength, nanometres

CENTRES = ("wavelength", "wavelengths", "central_wavelength", "center_wavelength", "wavelength_nm")
UNITS = ("wavelength_units", "wavelength units", "wavelength_unit")


@dataclass(frozen=True)
class BandTags:
    """Wavelengths in nanometres, and which bands are bad; None where the file does not say."""

    wavelengths: npt.NDArray[np.float64] | None
    bad_bands: npt.NDArray[np.bool_] | None


def read(dataset: Any) -> BandTags:
    """Return the tags of an open rasterio dataset; a tag that some bands lack is left out."""
    tags = [_lower(dataset.tags(number)) for number in dataset.indexes]
    envi = _lower(dataset.tags(ns="ENVI"))
    return BandTags(_wavelengths(dataset, tags, envi), _bad_bands(tags, envi))


def written(wavelength: float | None, bad: bool | None) -> dict[str, str]:
    """Return the tags of a band, in the first of the dialects that `read` knows."""
    tags: dict[str, str] = {}
    if wavelength is not None:
        tags |= {"wavelength": f"{wavelength:.12g}", "wavelength_units": "Nanometers"}
    if bad is not None:
        tags["bbl"] = str(int(not bad))
    return tags


def _wavelengths(
    dataset: Any, tags: list[dict[str, str]], envi: Mapping[str, str]
) -> npt.NDArray[np.float64] | None:
    count = len(tags)
    values = [next((_number(tag[key]) for key in CENTRES if key in tag), None) for tag in tags]
    units = [next((tag[key] for key in UNITS if key in tag), None) for tag in tags]
    if None not in values:
        return nanometres(np.array(values, np.float64), units[0])
    imagery = [_lower(dataset.tags(number, ns="IMAGERY")) for number in dataset.indexes]
    values = [_number(tag.get("central_wavelength_um", "")) for tag in imagery]
    if None not in values:
        return nanometres(np.array(values, np.float64), "um")
    for stated in (envi, _lower(dataset.tags())):
        listed = _listed(stated, CENTRES)
        if len(listed) == count and None not in listed:
            unit = next((stated[key] for key in UNITS if key in stated), None)
            return nanometres(np.array(listed, np.float64), unit)
    values = [named_wavelength(name or "") for name in dataset.descriptions]
    return None if None in values else np.array(values, np.float64)


def _bad_bands(tags: list[dict[str, str]], envi: Mapping[str, str]) -> npt.NDArray[np.bool_] | None:
    flags = [_number(tag.get("bbl", "")) for tag in tags]
    if None in flags:
        flags = _listed(envi, ("bbl",))
    return np.array(flags) == 0 if len(flags) == len(tags) and None not in flags else None


def _listed(tags: Mapping[str, str], keys: tuple[str, ...]) -> list[float | None]:
    text = next((tags[key] for key in keys if key in tags), "")
    return [_number(part) for part in re.split(r"[,\s]+", text.strip("{} \n")) if part]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return named_wavelength(text)


def _lower(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in tags.items()}
