"""What the tags of a GeoTIFF say about its bands.

Many programs write many dialects: `wavelength` and `wavelength_units` on each band (GDAL's ENVI
driver, EnMAP-Box), CENTRAL_WAVELENGTH_UM in the IMAGERY domain (GDAL 3.10), the keys of an ENVI
header in the ENVI domain of the file, or the band's name, as in 'band 19 (513.0 Nanometers)'.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats.envi import metadata
from hsi.formats.envi.header import UNDERSTOOD, Header
from hsi.formats.units import named_wavelength, named_wavelengths, nanometres, widths

CENTRES = ("wavelength", "wavelengths", "central_wavelength", "center_wavelength", "wavelength_nm")
UNITS = ("wavelength_units", "wavelength units", "wavelength_unit")
WIDTHS = ("fwhm", "fwhm_nm", "bandwidth")
OWN = (*CENTRES, *UNITS, *WIDTHS, "bbl")
# Tags of GDAL's own that say nothing about a scene.
OF_GDAL = ("area_or_point", "statistics_", "layer_type", "representation_type", "ovr_resampling")
TIFFTAG = "tifftag_"  # how GDAL calls the tags of TIFF itself
# Those of its tags that a copy keeps; others tell of the file: its software, its resolution.
KEPT_OF_TIFF = tuple(
    f"{TIFFTAG}{name}"
    for name in ("documentname", "imagedescription", "datetime", "artist", "copyright")
)
# Descriptions that say how the values of one file lie: ImageJ's, tifffile's, OME's.
STRUCTURE = ("ImageJ=", '{"shape"', "<?xml", "<OME")

Found = dict[str, Any]


def read(path: Path, dataset: Any) -> Found:
    """Return what an open rasterio dataset says, as attributes of `Contents`; None if it does not.

    A tag that some bands lack is left out.
    """
    tags = [_lower(dataset.tags(number)) for number in dataset.indexes]
    header = of_header(path, envi_domain(dataset), dataset.count)
    found = {
        **_wavelengths(path, dataset, tags),
        "bad_bands": _bad_bands(tags),
        "band_names": _band_names(dataset),
    }
    merged = {key: header.get(key) if value is None else value for key, value in found.items()}
    merged = {**header, **merged}
    if merged["wavelengths"] is None and merged["band_names"] is not None:
        merged["wavelengths"] = named_wavelengths(merged["band_names"])
    return merged


def of_header(path: Path, header: Header, bands: int) -> Found:
    """Return what the keys of an ENVI header say; see `hsi.formats.envi.metadata.of_bands`."""
    return metadata.of_bands(path, header, bands)


def envi_domain(dataset: Any) -> Header:
    """Return the tags in the ENVI domain of a file as a header."""
    header = Header()
    for key, value in dataset.tags(ns="ENVI").items():
        name = " ".join(key.lower().replace("_", " ").split())
        if value.strip().startswith("{"):
            header.braced.add(name)
        header[name] = value.strip().strip("{}").strip()
    return header


def extra(dataset: Any) -> dict[str, str]:
    """Return the further tags of a file: what `written` keeps."""
    known = {key: value for key, value in _further(dataset).items() if _is_kept(key, value)}
    header = envi_domain(dataset)
    return known | {
        key: f"{{{value}}}" if key in header.braced else value
        for key, value in header.items()
        if key not in UNDERSTOOD
    }


def left_out(dataset: Any) -> tuple[str, ...]:
    """Return the names of the tags of the file, and of its bands, that are not understood."""
    of_file = [key for key, value in _further(dataset).items() if not _is_kept(key, value)]
    names = {
        key
        for number in dataset.indexes
        for key in _lower(dataset.tags(number))
        if key not in OWN and not key.startswith(OF_GDAL)
    }
    return (
        *((f"tags {', '.join(of_file)}",) if of_file else ()),
        *((f"tags of bands {', '.join(sorted(names)[:12])}",) if names else ()),
    )


def written(
    wavelength: float | None, bad: bool | None, fwhm: float | None = None
) -> dict[str, str]:
    """Return the tags of a band, in the first of the dialects that `read` knows."""
    tags: dict[str, str] = {}
    if wavelength is not None:
        tags["wavelength"] = _plain(wavelength)
    if fwhm is not None:
        tags["fwhm"] = _plain(fwhm)
    if tags:
        tags["wavelength_units"] = "Nanometers"
    if bad is not None:
        tags["bbl"] = str(int(not bad))
    return tags


def written_of_file(
    default_bands: Sequence[int] | None, further: Mapping[str, str] | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tags of a file: those of TIFF, and those of the ENVI domain."""
    plain, envi = {}, {}
    for key, value in (further or {}).items():
        if key.startswith(TIFFTAG):
            plain[key.upper()] = value
        else:
            envi[key.replace(" ", "_")] = value
    if default_bands:
        envi["default_bands"] = "{" + ", ".join(str(band + 1) for band in default_bands) + "}"
    return plain, envi


def automatic_name(centre: float) -> str:
    """Return the name of a band that has none but a wavelength."""
    return f"{centre:.10g} nm"


def _further(dataset: Any) -> dict[str, str]:
    """Return the tags of a file that are neither GDAL's own nor understood."""
    return {
        key: value
        for key, value in _lower(dataset.tags()).items()
        if key not in OWN and not key.startswith(OF_GDAL) and key != "class_names"
    }


def _is_kept(key: str, value: str) -> bool:
    if not key.startswith(TIFFTAG):
        return True
    return key in KEPT_OF_TIFF and not value.lstrip().startswith(STRUCTURE)


def _wavelengths(path: Path, dataset: Any, tags: list[dict[str, str]]) -> Found:
    """Return `wavelengths` and `fwhm` of the first dialect that tells the centres."""
    where = f"{path}: wavelengths"
    units = [next((tag[key] for key in UNITS if key in tag), None) for tag in tags]
    wide = _of_each(tags, WIDTHS)
    values = _of_each(tags, CENTRES)
    if values is not None:
        centres = nanometres(values, units[0], where)
        spread = None if wide is None else widths(wide, centres, units[0], values)
        return {"wavelengths": centres, "fwhm": spread}
    imagery = [_lower(dataset.tags(number, ns="IMAGERY")) for number in dataset.indexes]
    values = _of_each(imagery, ("central_wavelength_um",))
    spread = _of_each(imagery, ("fwhm_um",))
    if values is not None:
        spread = None if spread is None else spread * 1e3
        return {"wavelengths": nanometres(values, "um", where), "fwhm": spread}
    known = _lower(dataset.tags())
    listed = _listed(known, CENTRES)
    if len(listed) == len(tags) and None not in listed:
        unit = next((known[key] for key in UNITS if key in known), None)
        return {"wavelengths": nanometres(np.array(listed, float), unit, where), "fwhm": None}
    return {"wavelengths": None, "fwhm": None if wide is None else widths(wide, None, units[0])}


def _of_each(
    tags: Sequence[Mapping[str, str]], keys: tuple[str, ...]
) -> npt.NDArray[np.float64] | None:
    values = [next((_number(tag[key]) for key in keys if key in tag), None) for tag in tags]
    return None if None in values else np.array(values, np.float64)


def _bad_bands(tags: list[dict[str, str]]) -> npt.NDArray[np.bool_] | None:
    flags = _of_each(tags, ("bbl",))
    return None if flags is None else flags == 0


def _band_names(dataset: Any) -> list[str] | None:
    names = [name or "" for name in dataset.descriptions]
    if not any(names):
        return None
    if all(re.fullmatch(r"[\d.e+]+ nm", name) for name in names):
        centres = [named_wavelength(name) for name in names]
        if names == [None if c is None else automatic_name(c) for c in centres]:
            # Those that this package gives to bands without names.
            tagged = all("wavelength" in _lower(dataset.tags(n)) for n in dataset.indexes)
            return None if tagged else names
    return names


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


def _plain(value: float) -> str:
    return f"{value:.12g}" if float(f"{value:.12g}") == value else repr(float(value))
