"""EnMAP and DESIS: a GeoTIFF, …SPECTRAL_IMAGE.TIF, and …METADATA.XML, which states its bands.

Both are products of DLR: each band is a child of `bandCharacterisation`; the names of its values
differ in their case, and in what they call the width.
"""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats import no_data
from hsi.formats.geotiff.product import Product

IMAGE, METADATA = "SPECTRAL_IMAGE", "METADATA.XML"
# What a band states, by its names in lower case, and what it is where it is missing.
PARAMETERS = {
    "wavelengths": (("wavelengthcenterofband",), np.nan),
    "fwhm": (("fwhmofband", "wavelengthwidthofband"), np.nan),
    "scale": (("gainofband",), 1.0),
    "offset": (("offsetofband",), 0.0),
}


def metadata_file(path: Path) -> Path | None:
    """Return the METADATA.XML of an image, which may be named after it."""
    prefix, image, _ = path.name.upper().rpartition(IMAGE)
    wanted = {f"{prefix}{METADATA}"} if image else {METADATA}
    found = (file for file in path.parent.glob("*.[xX][mM][lL]") if file.name.upper() in wanted)
    return next(found, None)


def beside(path: Path, bands: int) -> Product | None:
    """Return what the METADATA.XML beside an image states, or None if it has none of its own.

    Raises
    ------
    HsiError
        No XML, or parameters of another number of bands.
    """
    file = metadata_file(path)
    if file is None:
        return None
    try:
        root = ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise HsiError(f"{file}: expected XML ({error}); fetch it again") from error
    stated = [
        {_local(value.tag): value.text for value in band}
        for band in root.iterfind(".//{*}bandCharacterisation/*")
    ]
    stated = [band for band in stated if "wavelengthcenterofband" in band]
    if not stated:
        return None
    if len(stated) != bands:
        raise HsiError(
            f"{file}: expected {bands} bands as in {path.name}, found {len(stated)}; keep "
            "the files of one product together"
        )
    try:
        found = {
            key: np.array([_value(band, names, default) for band in stated])
            for key, (names, default) in PARAMETERS.items()
        }
    except ValueError as error:
        raise HsiError(f"{file}: expected numbers for each band ({error})") from error
    sensor = "DESIS" if "DESIS" in path.name.upper() else "EnMAP"
    background = [node.text or "" for node in root.iter() if _local(node.tag) == "backgroundvalue"]
    attributes = {
        "wavelengths": found["wavelengths"],
        "fwhm": found["fwhm"] if np.isfinite(found["fwhm"]).all() else None,
        "bad_bands": _unexpected(root, bands),
        "scale": found["scale"],
        "offset": found["offset"],
    }
    return Product(
        attributes,
        {"product": sensor, "band parameters": str(file)},
        no_data.values(background[:1], str(file)),
    )


def _value(band: dict[str, str | None], names: tuple[str, ...], default: float) -> float:
    text = next((band[name] for name in names if band.get(name)), None)
    return default if text is None else float(text)


def _local(tag: object) -> str:
    """Return a tag's name without its namespace, in lower case."""
    return str(tag).rpartition("}")[2].lower()


def _unexpected(root: ElementTree.Element, bands: int) -> npt.NDArray[np.bool_] | None:
    lists = [node.text or "" for node in root.iterfind(".//{*}expectedChannelsList")]
    numbers = [int(part) for text in lists for part in text.split(",") if part.strip().isdecimal()]
    if not numbers or min(numbers) < 1 or max(numbers) > bands:
        return None
    bad = np.ones(bands, bool)
    bad[np.array(numbers) - 1] = False
    return bad if bad.any() else None
