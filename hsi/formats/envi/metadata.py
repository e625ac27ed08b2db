"""What an ENVI header says about bands and classes, and how a header is told it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats import georeference, no_data
from hsi.formats.envi.header import GEOREFERENCE, Header, entries, numbers
from hsi.formats.units import named_wavelengths, nanometres, widths

log = logging.getLogger(__name__)


def of_bands(path: Path, header: Header, bands: int) -> dict[str, Any]:
    """Return what a header says about its bands, as the attributes of `Contents`.

    Lists that cannot be read, or of another number of bands, are logged and left out.

    Parameters
    ----------
    path : Path
        For messages.
    header : Header
    bands : int
    """
    named = named_wavelengths(entries(header.get("wavelength", "")))  # '450 nm' and the like
    named = None if named is None or named.size != bands else named
    stated = numbers(path, header, "wavelength", bands) if named is None else named
    unit = header.get("wavelength units") if named is None else "nm"
    centres = None if stated is None else nanometres(stated, unit, f"{path}: wavelength")
    flags = numbers(path, header, "bbl", bands)
    wide = numbers(path, header, "fwhm", bands)
    names = _band_names(path, header, bands)
    if stated is None and names is not None:
        centres = named_wavelengths(names)
    return {
        "wavelengths": centres,
        "bad_bands": None if flags is None else flags == 0,
        "fwhm": None if wide is None else widths(wide, centres, unit, stated),
        "band_names": names,
        "default_bands": _default_bands(path, header, bands),
        **_scale(path, header, bands),
    }


def ignored(path: Path, header: Header) -> tuple[float, ...]:
    """Return the values that stand for no data."""
    return no_data.stated({"data ignore value": header.get("data ignore value", "")}, str(path))


def place(header: Header, data: Path) -> dict[str, Any] | None:
    """Return where the pixels lie on the ground, as the header and DATA.aux.xml state it."""
    found: dict[str, Any] = {}
    for key in GEOREFERENCE:
        if header.get(key):
            value = header[key]
            found[key] = value if key == "coordinate system string" else entries(value)
    beside = georeference.of_aux_xml(data)
    for key, short in (("gcps", "geo points"), ("rpcs", "rpc info")):
        if key in beside:
            found.pop(short, None)  # the same, and less exact
    return found | beside or None


def classes(path: Path, header: Header) -> tuple[list[str] | None, npt.NDArray[np.uint8] | None]:
    """Return the names and the colours of classes by number, each None without a list."""
    names = entries(header["class names"]) if header.get("class names") else None
    count = numbers(path, header, "classes")
    if names is not None and count is not None and count.tolist() != [len(names)]:
        log.warning(
            "%s: class names: expected %s names, as `classes` says, found %d; they are left out: "
            "a comma in a name shifts all that follow",
            path, header["classes"], len(names),
        )  # fmt: skip
        names = None
    found = numbers(path, header, "class lookup")
    if found is None:
        return names, None
    if found.size % 3 or not np.isin(found, np.arange(256)).all():
        log.warning(
            "%s: class lookup: expected three numbers 0–255 per class; the list is left out", path
        )
        return names, None
    return names, found.astype(np.uint8).reshape(-1, 3)


def keys(
    *,
    wavelengths: npt.NDArray[np.float64] | None = None,
    bad_bands: npt.NDArray[np.bool_] | None = None,
    ignore_value: float | None = None,
    scale: npt.NDArray[np.float64] | None = None,
    offset: npt.NDArray[np.float64] | None = None,
    fwhm: npt.NDArray[np.float64] | None = None,
    band_names: Sequence[str] | None = None,
    default_bands: Sequence[int] | None = None,
    extra: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what is known of a cube's bands as the keys of a header; see `Contents`."""
    known: dict[str, Any] = dict(extra or {})
    if wavelengths is not None or fwhm is not None:
        known["wavelength units"] = "Nanometers"
    if wavelengths is not None:
        known["wavelength"] = _plain(wavelengths)
    if fwhm is not None:
        known["fwhm"] = _plain(fwhm)
    if bad_bands is not None:
        known["bbl"] = [int(not bad) for bad in bad_bands]
    if ignore_value is not None:
        known["data ignore value"] = number_text(ignore_value)
    if scale is not None and offset is None and _is_factor(scale):
        known["reflectance scale factor"] = f"{1 / scale[0]:.12g}"
    elif scale is not None or offset is not None:
        given = scale if scale is not None else offset
        assert given is not None
        known["data gain values"] = _plain(np.ones(given.size) if scale is None else scale)
        known["data offset values"] = _plain(np.zeros(given.size) if offset is None else offset)
    if band_names is not None:
        known["band names"] = list(band_names)
    if default_bands:
        known["default bands"] = [band + 1 for band in default_bands]
    return known


def number_text(value: float) -> str:
    """Return a number as a text that reads as the same number."""
    return str(int(value)) if isinstance(value, (int, np.integer)) else f"{value:.17g}"


def _is_factor(scale: npt.NDArray[np.float64]) -> bool:
    """Return whether one factor with twelve digits says all of a scale."""
    if np.ptp(scale) != 0 or scale[0] == 0 or not np.isfinite(scale[0]):
        return False
    return bool(1 / float(f"{1 / scale[0]:.12g}") == scale[0])


def _plain(values: npt.NDArray[np.float64]) -> list[str]:
    return [f"{value:.12g}" if float(f"{value:.12g}") == value else repr(float(value))
            for value in values]  # fmt: skip


def _scale(path: Path, header: Header, bands: int) -> dict[str, npt.NDArray[np.float64] | None]:
    """Return gains and offsets, or the factor that reflectance was multiplied by."""
    gains = numbers(path, header, "data gain values", bands)
    offsets = numbers(path, header, "data offset values", bands)
    factor = numbers(path, header, "reflectance scale factor", 1)
    if gains is None and factor is not None and factor[0] not in (0, 1):
        gains = np.full(bands, 1 / factor[0])
    return {
        "scale": None if gains is None or (gains == 1).all() else gains,
        "offset": None if offsets is None or not offsets.any() else offsets,
    }


def _band_names(path: Path, header: Header, bands: int) -> list[str] | None:
    if not header.get("band names"):
        return None
    names = entries(header["band names"])
    if len(names) == bands - 1 and header["band names"].endswith(","):
        names.append("")  # it was no comma too many, the last band has no name
    if len(names) > bands and len(names) % bands == 0:
        # Commas inside the names: 'Band 1 (450,5 nm)'.
        share = len(names) // bands
        names = [",".join(names[n * share : (n + 1) * share]) for n in range(bands)]
    if len(names) != bands:
        log.warning(
            "%s: band names: expected %d, one per band, found %d; the list is left out",
            path, bands, len(names),
        )  # fmt: skip
        return None
    return names


def _default_bands(path: Path, header: Header, bands: int) -> tuple[int, ...] | None:
    found = numbers(path, header, "default bands")
    if found is None or not found.any():
        return None
    if found.size not in (1, 3) or not np.isin(found, np.arange(1, bands + 1)).all():
        log.warning(
            "%s: default bands: expected one or three numbers from 1 to %d; the list is left out",
            path, bands,
        )  # fmt: skip
        return None
    return tuple(int(band) - 1 for band in found)
