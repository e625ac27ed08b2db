"""Sentinel-2: one JPEG 2000 per band in a .SAFE folder, whose MTD_MSI….xml states the bands.

A file copied out of its folder is known by its name; then the band centres are Sentinel-2A's as the
mission states them [1]_, and scale and offset are not known.

.. [1] https://sentiwiki.copernicus.eu/web/s2-mission
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from hsi.errors import HsiError
from hsi.formats.geotiff.product import Product

CENTRES = {
    "B1": 442.7, "B2": 492.4, "B3": 559.8, "B4": 664.6, "B5": 704.1, "B6": 740.5, "B7": 782.8,
    "B8": 832.8, "B8A": 864.7, "B9": 945.1, "B10": 1373.5, "B11": 1613.7, "B12": 2202.4,
}  # fmt: skip
NAME = re.compile(r"_B(\d{2}|8A)(?:_\d\d?m)?\.(?:jp2|tiff?)$", re.I)
TILE = re.compile(r"T\d{2}[A-Z]{3}_\d{8}T\d{6}", re.I)
FOLDERS_UP = 5  # from an image to the metadata of its product


def band_of(path: Path) -> str | None:
    """Return the band of a file by its name, 'B1' to 'B12', or None for files of others."""
    found = NAME.search(path.name)
    if found is None or TILE.search(path.name) is None:
        return None
    return f"B{found[1].upper().lstrip('0')}"


def metadata_file(path: Path) -> Path | None:
    """Return the MTD_MSI….xml of the product that a file lies in, or None."""
    if band_of(path) is None:
        return None
    for folder in list(path.resolve().parents)[:FOLDERS_UP]:
        found = sorted(folder.glob("MTD_MSI*.xml"))
        if found:
            return found[0]
    return None


def beside(path: Path, bands: int) -> Product | None:
    """Return what is known of a band's file, or None for files of others.

    Raises
    ------
    HsiError
        The product's metadata is no XML, or states no numbers.
    """
    band = band_of(path)
    if band is None or bands != 1:
        return None
    file = metadata_file(path)
    if file is None:
        centre = CENTRES.get(band)
        known = {"product": "Sentinel-2, by its name", "scale factors": "not known without MTD_MSI"}
        stated = {"wavelengths": None if centre is None else np.array([centre])}
        return Product({**stated, "band_names": [band]}, known, (0.0,))
    try:
        root = ElementTree.parse(file).getroot()
        listed = {node.get("physicalBand", ""): node for node in root.iter("Spectral_Information")}
        node = listed.get(band)
        text = None if node is None else node.findtext("Wavelength/CENTRAL")
        number = "" if node is None else node.get("bandId", "")
        scale, offset = _scale(root, number)
        centre = CENTRES.get(band) if text is None else float(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise HsiError(f"{file}: expected XML of Sentinel-2 ({error}); fetch it again") from error
    spacecraft = next((n.text for n in root.iter("SPACECRAFT_NAME")), None) or "Sentinel-2"
    attributes = {
        "wavelengths": None if centre is None else np.array([centre]),
        "band_names": [band],
        "scale": None if scale is None else np.array([scale]),
        "offset": None if offset is None else np.array([offset]),
    }
    return Product(attributes, {"product": spacecraft, "band parameters": str(file)}, (0.0,))


def _scale(root: ElementTree.Element, number: str) -> tuple[float | None, float | None]:
    """Return scale and offset: reflectance = (stored + added) / quantification."""
    names = ("BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE")
    divisor = next((float(node.text or 1) for name in names for node in root.iter(name)), None)
    added = next(
        (
            float(node.text or 0)
            for name in ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")
            for node in root.iter(name)
            if node.get("band_id") == number
        ),
        0.0,
    )
    if not divisor:
        return None, None
    return 1 / divisor, added / divisor if added else None
