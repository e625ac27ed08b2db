"""EnMAP: a GeoTIFF whose METADATA.XML, beside it, states the bands."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

IMAGE, METADATA = "SPECTRAL_IMAGE", "METADATA.XML"
PARAMETERS = ("wavelengthCenterOfBand", "GainOfBand", "OffsetOfBand")


@dataclass(frozen=True)
class BandParameters:
    """What METADATA.XML states, one value per band.

    Attributes
    ----------
    source : str
        The file.
    wavelengths : ndarray (B,), float64
        In nanometres.
    scale, offset : ndarray (B,), float64
    bad_bands : ndarray (B,), bool, optional
        Bands that the product's lists of expected channels leave out; they hold no data.
    """

    source: str
    wavelengths: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    bad_bands: npt.NDArray[np.bool_] | None


def metadata_file(path: Path) -> Path | None:
    """Return the METADATA.XML of an EnMAP image, which may be named after it."""
    prefix, image, _ = path.name.upper().rpartition(IMAGE)
    wanted = {f"{prefix}{METADATA}"} if image else {METADATA}
    found = (file for file in path.parent.glob("*.[xX][mM][lL]") if file.name.upper() in wanted)
    return next(found, None)


def beside(path: Path, bands: int) -> BandParameters | None:
    """Return the METADATA.XML beside an EnMAP image, or None if it has none of its own.

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
        [band.findtext(f"{{*}}{key}") for key in PARAMETERS]
        for band in root.iterfind(".//{*}bandCharacterisation/{*}bandID")
    ]
    if not stated:
        return None
    if len(stated) != bands:
        raise HsiError(
            f"{file}: expected {bands} bands as in {path.name}, found {len(stated)}; keep "
            "the files of one product together"
        )
    defaults = ("nan", "1", "0")
    centres, gains, offsets = np.array(
        [[float(value or d) for value, d in zip(band, defaults, strict=True)] for band in stated]
    ).T
    return BandParameters(str(file), centres, gains, offsets, _unexpected(root, bands))


def _unexpected(root: ElementTree.Element, bands: int) -> npt.NDArray[np.bool_] | None:
    lists = [node.text or "" for node in root.iterfind(".//{*}expectedChannelsList")]
    numbers = [int(part) for text in lists for part in text.split(",") if part.strip().isdecimal()]
    if not numbers or min(numbers) < 1 or max(numbers) > bands:
        return None
    bad = np.ones(bands, bool)
    bad[np.array(numbers) - 1] = False
    return bad if bad.any() else None
