"""ENVI's text headers: keys and values, lists in braces."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.units import decoded

log = logging.getLogger(__name__)

REQUIRED = ("samples", "lines", "bands", "data type", "interleave")
DATA_TYPES = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 6: "c8", 9: "c16", 12: "u2", 13: "u4", 14: "i8",
    15: "u8",
}  # fmt: skip
# Where pixels lie on the ground.
GEOREFERENCE = (
    "map info", "coordinate system string", "projection info", "geo points", "rpc info",
)  # fmt: skip
# All keys that are understood; copies in ENVI and GeoTIFF keep the others as they are.
UNDERSTOOD = (
    *REQUIRED, *GEOREFERENCE, "header offset", "file type", "byte order", "file compression",
    "major frame offsets", "minor frame offsets", "wavelength", "wavelength units", "fwhm", "bbl",
    "band names", "default bands", "data ignore value", "reflectance scale factor",
    "data gain values", "data offset values", "classes", "class names", "class lookup",
)  # fmt: skip
LONGEST_LINE = 1000  # characters that are written
FLAGS = {"true": 1.0, "yes": 1.0, "good": 1.0, "false": 0.0, "no": 0.0, "bad": 0.0}


class Header(dict[str, str]):
    """Keys in lower case, values as text without braces; `braced` holds the keys that had some."""

    def __init__(self) -> None:
        super().__init__()
        self.braced: set[str] = set()


def read_header(path: Path) -> Header:
    """Return a header: keys in lower case, values as text, those in braces without the braces.

    Raises
    ------
    HsiError
        No ENVI header, cut short, or without one of the keys that every image has.
    """
    text = decoded(path.read_bytes()).removeprefix("\ufeff")
    first, *lines = text.splitlines() or [""]
    if not first.strip().startswith("ENVI"):
        raise HsiError(f"{path}: expected an ENVI header, whose first line is ENVI, found another")
    header = Header()
    rest = iter(lines)
    for line in rest:
        key, equals, value = line.partition("=")
        if not equals or line.startswith(";"):
            continue
        key, value = " ".join(key.lower().split()), value.strip()
        if value.startswith("{"):
            while "}" not in value:
                following = next(rest, None)
                if following is None:
                    raise HsiError(
                        f"{path}: {key}: expected a list that ends with a brace, found the "
                        "end of the header; it is cut short"
                    )
                if not following.startswith(";"):
                    value += "\n" + following.strip()
            value = value[1 : value.rindex("}")].strip()
            header.braced.add(key)
        header[key] = value
    missing = [key for key in REQUIRED if key not in header]
    if missing and "library" not in header.get("file type", "").lower():
        raise HsiError(
            f"{path}: expected a whole ENVI header, found none of: {', '.join(missing)}; add "
            f"{'it' if len(missing) == 1 else 'them'}"
        )
    return header


def entries(value: str) -> list[str]:
    """Return the entries of a list, split at its commas; one at its end ends the last entry."""
    parts = [" ".join(part.split()) for part in value.split(",")] if value else []
    return parts[:-1] if len(parts) > 1 and not parts[-1] else parts


def number(path: Path, header: Header, key: str, default: int | None = None) -> int:
    """Return a whole number of a header."""
    value = header.get(key, default)
    try:
        return int(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise HsiError(f"{path}: {key}: expected a whole number, found '{value}'") from error


def numbers(
    path: Path, header: Header, key: str, count: int | None = None
) -> npt.NDArray[np.float64] | None:
    """Return a list of numbers of a header, float64, or None.

    A list that cannot be read, or of another length, is logged and left out: such lists describe
    the values, and do not say where they lie.

    Parameters
    ----------
    path : Path
        For messages.
    header : Header
    key : str
    count : int, optional
        How many there must be.
    """
    text = header.get(key, "")
    parts = entries(text) if "," in text else text.split()
    if not parts:
        return None
    try:
        found = np.array([FLAGS.get(part.lower().strip("'\""), part) for part in parts], np.float64)
    except ValueError as error:
        log.warning("%s: %s: expected numbers (%s); the list is left out", path, key, error)
        return None
    if count is not None and found.size != count:
        log.warning(
            "%s: %s: expected %d numbers, one per band, found %d; the list is left out",
            path, key, count, found.size,
        )  # fmt: skip
        return None
    return found


def extra(header: Header) -> dict[str, str]:
    """Return the keys that are not understood, with their text, in braces where it was."""
    return {
        key: f"{{{value}}}" if key in header.braced else value
        for key, value in header.items()
        if key not in UNDERSTOOD and value
    }


def format_header(values: Mapping[str, Any]) -> str:
    """Return the text of a header; characters that would end an entry or list are replaced.

    GDAL reads no line of 10,000 characters, nor any behind it, so long lists take several.
    """
    lines = ["ENVI"]
    for key, value in values.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            parts = (str(part).translate(str.maketrans(",{}\n", ";() ")) for part in value)
            value = "{" + ",\n ".join(_wrapped(parts)) + "}"
        lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _wrapped(parts: Iterable[str]) -> Iterator[str]:
    """Join as many entries of a list as a line holds."""
    line: list[str] = []
    for part in parts:
        if line and sum(map(len, line)) + 2 * len(line) + len(part) > LONGEST_LINE:
            yield ", ".join(line)
            line = []
        line.append(part)
    yield ", ".join(line)
