"""Wavelengths in nanometres, whatever unit a file states them in."""

import re

import numpy as np
import numpy.typing as npt

# Nanometres in one of a unit; those that files write, in lower case.
NANOMETRES = {
    **dict.fromkeys(("nanometers", "nanometres", "nanometer", "nanometre", "nm"), 1.0),
    **dict.fromkeys(("micrometers", "micrometres", "micrometer", "micrometre"), 1e3),
    **dict.fromkeys(("um", "µm", "μm", "microns", "micron"), 1e3),
    **dict.fromkeys(("angstroms", "angstrom"), 0.1),
    **dict.fromkeys(("millimeters", "millimetres", "mm"), 1e6),
    **dict.fromkeys(("meters", "metres", "m"), 1e9),
}
WAVENUMBERS = ("wavenumber", "wavenumbers", "cm-1", "1/cm")
NO_WAVELENGTH = ("index", "ghz", "mhz")

_IN_WORDS = re.compile(
    r"(\d+(?:\.\d+)?)\s*(nm|nanomet(?:er|re)s?|um|µm|μm|micromet(?:er|re)s?|microns?)\b", re.I
)


def nanometres(values: npt.NDArray[np.float64], unit: str | None) -> npt.NDArray[np.float64] | None:
    """Return band centres in nanometres.

    Parameters
    ----------
    values : ndarray (B,)
    unit : str, optional
        As the file states it. Without one, a median below 100 can only be micrometres.

    Returns
    -------
    ndarray (B,) or None
        None where the unit is none of length (`Index`, a frequency).
    """
    stated = (unit or "").strip().lower()
    if stated in NO_WAVELENGTH or not values.size:
        return None
    if stated in WAVENUMBERS:
        return 1e7 / values
    return values * NANOMETRES.get(stated, 1e3 if np.median(values) < 100 else 1.0)


def named_wavelength(text: str) -> float | None:
    """Return the wavelength in a band's name, in nanometres: 'band 19 (0.513 Micrometers)'."""
    found = _IN_WORDS.search(text)
    return None if found is None else float(found[1]) * NANOMETRES[found[2].lower()]
