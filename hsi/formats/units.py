"""Wavelengths in nanometres, whatever unit a file states them in, and those in bands' names."""

import logging
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

LIGHT = 299_792_458.0  # metres per second
# Nanometres in one of a unit; those that files write, as `_plain` leaves them.
NANOMETRES = {
    **dict.fromkeys(("nm", "nanometer", "nanometre", "nanom", "millimicron"), 1.0),
    **dict.fromkeys(("um", "micrometer", "micrometre", "micron", "mum", "mu", "microm"), 1e3),
    **dict.fromkeys(("angstrom", "a", "ang", "å", "ångström", "ångstrom"), 0.1),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e6),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e7),
    **dict.fromkeys(("m", "meter", "metre"), 1e9),
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-3),
}
# Waves in one metre.
WAVENUMBERS = {
    **dict.fromkeys(("wavenumber", "cm-1", "1/cm", "kayser", "reciprocalcm"), 1e2),
    **dict.fromkeys(("inversecentimeter", "inversecm", "reciprocalcentimeter"), 1e2),
    **dict.fromkeys(("m-1", "1/m"), 1.0),
    **dict.fromkeys(("um-1", "1/um"), 1e6),
    **dict.fromkeys(("nm-1", "1/nm"), 1e9),
}
# Hertz in one of a unit.
FREQUENCIES = {
    **dict.fromkeys(("hz", "hertz", "s-1", "1/s"), 1.0),
    **dict.fromkeys(("khz", "kilohertz"), 1e3),
    **dict.fromkeys(("mhz", "megahertz"), 1e6),
    **dict.fromkeys(("ghz", "gigahertz"), 1e9),
    **dict.fromkeys(("thz", "terahertz"), 1e12),
}
DOUBTFUL = 3000.0  # beyond which numbers without a unit may be nanometres or ångström
OPTICAL = 50.0, 1e5  # nanometres: ultraviolet to far infrared
NO_WAVELENGTH = ("index", "indexes", "indices", "band", "bandnumber", "channel", "number", "count")
UNSTATED = ("", "unknown", "none", "1", "unitless", "dimensionless", "-", "n/a")

NUMBER = r"(?<![\d.,])(\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)"
UNIT = (
    r"(nm|nanomet(?:er|re)s?|µm|μm|um|micromet(?:er|re)s?|microns?|ångströms?|angstroms?|Å|cm-1|"
    r"cm\^-1)(?![\w])"
)
_IN_WORDS = re.compile(rf"{NUMBER}\s*{UNIT}", re.I)
_RANGE = re.compile(rf"{NUMBER}\s*(?:{UNIT})?\s*(?:-|–|—|\.\.|to)\s*{NUMBER}\s*{UNIT}", re.I)
_WIDTH = r"(?:fwhm|band\s*width|bandwidth|width|resolution|sampling|step|spacing|±|\+/-|\+-)"
_AFTER = r"[\s:=(]*(?:of|is)?[\s:=(]*$"  # what may stand between such a word and its number
_BEFORE = r"^[\s)]*(?:wide|broad|fwhm|band\s*width|bandwidth|width|resolution|sampling|steps?)\b"
_BEFORE += r"(?!\s*(?:of|is)?[\s:=(]*\d)"


def decoded(stated: bytes) -> str:
    """Return the text of a header or attribute: UTF-8, else the Windows code page of the West.

    What older programs write: 'µm' there is no UTF-8.

    Examples
    --------
    >>> decoded("µm".encode()), decoded("µm".encode("cp1252"))
    ('µm', 'µm')
    """
    try:
        return stated.decode()
    except UnicodeDecodeError:
        return stated.decode("cp1252", errors="replace")


def nanometres(
    values: npt.NDArray[np.float64], unit: str | None, where: str = "wavelengths"
) -> npt.NDArray[np.float64] | None:
    """Return band centres in nanometres.

    Parameters
    ----------
    values : ndarray (B,)
    unit : str, optional
        As the file states it: of length, wavenumber or frequency. Without one the numbers decide:
        a median below 0.001 can only be metres, below 100 micrometres; above 3000 it is logged
        that nanometres are assumed. A unit of length that makes no light of them is logged.
    where : str
        The file, for messages.

    Returns
    -------
    ndarray (B,) or None
        None where the numbers are no wavelengths (`Index`, 1 2 3 … without a unit, zeros).
    """
    values = np.asarray(values, np.float64)
    known = _plain(unit)
    if known in NO_WAVELENGTH or not values.size:
        return None
    if not (np.nan_to_num(values, nan=1.0) > 0).all():
        log.warning("%s: expected wavelengths above 0, found others; left out", where)
        return None
    if known in WAVENUMBERS:
        return 1e9 / (values * WAVENUMBERS[known])
    if known in FREQUENCIES:
        return LIGHT * 1e9 / (values * FREQUENCIES[known])
    if known in NANOMETRES:
        found = values * NANOMETRES[known]
        low, high = OPTICAL
        if np.isfinite(found).any() and not low <= np.nanmedian(found) <= high:
            log.warning(
                "%s: the unit '%s' makes wavelengths of %g to %g nm of the numbers, far from "
                "light; state the right one if it is wrong",
                where, unit, np.nanmin(found), np.nanmax(found),
            )  # fmt: skip
        return found
    if known not in UNSTATED:
        log.warning("%s: the unit '%s' is not known; the numbers decide", where, unit)
    if values.size > 2 and values[0] == 1 and (np.diff(values) == 1).all():
        return None  # the bands' numbers
    median = np.nanmedian(values) if np.isfinite(values).any() else 500.0
    if median > DOUBTFUL:
        log.warning(
            "%s: no unit is stated; %g to %g are taken as nanometres; if they are ångström, state "
            "it (wavelength units = Angstroms)",
            where, np.nanmin(values), np.nanmax(values),
        )  # fmt: skip
    return values * (1e9 if median < 1e-3 else 1e3 if median < 100 else 1.0)


def widths(
    fwhm: npt.NDArray[np.float64],
    centres: npt.NDArray[np.float64] | None,
    unit: str | None,
    stated: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64] | None:
    """Return the widths of bands in nanometres.

    Parameters
    ----------
    fwhm : ndarray (B,)
        In the unit of the band centres.
    centres : ndarray (B,), optional
        In nanometres.
    unit : str, optional
    stated : ndarray (B,), optional
        The centres as the file states them; without a unit, what they were multiplied with counts
        for the widths too.
    """
    known = _plain(unit)
    if known in NO_WAVELENGTH:
        return None
    if known in WAVENUMBERS or known in FREQUENCIES:
        if centres is None or stated is None:
            return None
        return np.asarray(centres * fwhm / stated)  # both shares are equal
    if known in NANOMETRES:
        return fwhm * NANOMETRES[known]
    if centres is None or stated is None or not stated.size or stated[0] == 0:
        return fwhm
    return np.asarray(fwhm * float(f"{centres[0] / stated[0]:.6g}"))


def named_wavelength(text: str) -> float | None:
    """Return the wavelength in a band's name, in nanometres: 'band 19 (0.513 Micrometers)'.

    Widths ('FWHM 10 nm') are left out, a range has its middle; None where several remain.
    """
    spans = [m for m in _RANGE.finditer(text) if _is_range(m)]
    if spans:
        found = [
            (_value(m[1], m[2] or m[4]) + _value(m[3], m[4])) / 2
            for m in spans
            if not _is_width(text, m)
        ]
    else:
        found = [_value(m[1], m[2]) for m in _IN_WORDS.finditer(text) if not _is_width(text, m)]
    distinct = {round(value, 6) for value in found}
    return found[0] if len(distinct) == 1 else None


def named_wavelengths(names: Sequence[str | None]) -> npt.NDArray[np.float64] | None:
    """Return the wavelengths in the names of all bands, or None unless each has one of its own."""
    found = [named_wavelength(name or "") for name in names]
    if not found or any(value is None for value in found):
        return None
    centres = np.array(found, np.float64)
    # What most names share, such as the width of the bands, is no band's centre.
    return centres if len(np.unique(centres)) > len(centres) // 2 else None


def unit_in_name(name: str) -> str | None:
    """Return the unit at the end of a variable's name: 'wavelengths_nm'."""
    last = re.split(r"[_\s.(\[]+", name.strip(")]").lower())[-1]
    return last if last in ("nm", "um", "µm", "angstrom", "nanometers", "micrometers") else None


def _is_range(match: re.Match[str]) -> bool:
    """Return whether two numbers are the ends of a band, not a band's number and its centre."""
    low, high = _value(match[1], match[2] or match[4]), _value(match[3], match[4])
    return low < high <= 1.5 * low


def _is_width(text: str, match: re.Match[str]) -> bool:
    before, after = text[: match.start()], text[match.end() :]
    return bool(re.search(_WIDTH + _AFTER, before, re.I) or re.search(_BEFORE, after, re.I))


def _value(number: str, unit: str) -> float:
    whole, comma, digits = number.partition(",")
    value = float(number.replace(",", "."))
    known = _plain(unit)
    if comma and len(digits) == 3 and NANOMETRES.get(known) == 1.0 and value < 100:
        value = float(whole + digits)  # a comma between thousands: no band lies at 1.45 nm
    if known in WAVENUMBERS:
        return 1e9 / (value * WAVENUMBERS[known])
    return value * NANOMETRES[known]


def _plain(unit: str | None) -> str:
    """Return a unit in lower case, singular, without spaces, signs of powers and brackets."""
    text = (unit or "").strip(" \n\t{}[]()\"'\0").lower()
    text = text.replace("µ", "u").replace("μ", "u").replace("⁻¹", "-1").replace("−", "-")
    text = re.sub(r"\^|\*\*|[\s_.]+|\{|\}", "", text).replace("per", "1/", 1)
    if text in NO_WAVELENGTH or text in WAVENUMBERS:
        return text
    singular = text.removesuffix("s")
    known = (NANOMETRES, WAVENUMBERS, FREQUENCIES, NO_WAVELENGTH)
    return singular if any(singular in table for table in known) else text
