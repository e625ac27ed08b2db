"""ENVI's text headers: keys and values, lists in braces."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

REQUIRED = ("samples", "lines", "bands", "data type", "interleave")
DATA_TYPES = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 6: "c8", 9: "c16", 12: "u2", 13: "u4", 14: "i8",
    15: "u8",
}  # fmt: skip

Header = dict[str, str]


def read_header(path: Path) -> Header:
    """Return a header: keys in lower case, values as text, those in braces without the braces.

    Raises
    ------
    HsiError
        No ENVI header, cut short, or without one of the keys that every image has.
    """
    text = path.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")
    first, *lines = text.splitlines() or [""]
    if not first.strip().startswith("ENVI"):
        raise HsiError(f"{path}: expected an ENVI header, whose first line is ENVI, found another")
    header: Header = {}
    rest = iter(lines)
    for line in rest:
        key, equals, value = line.partition("=")
        if not equals or line.startswith(";"):
            continue
        value = value.strip()
        if value.startswith("{"):
            while "}" not in value:
                following = next(rest, None)
                if following is None:
                    raise HsiError(
                        f"{path}: {key.strip()}: expected a list that ends with a brace, found the "
                        "end of the header; it is cut short"
                    )
                if not following.startswith(";"):
                    value += "\n" + following.strip()
            value = value[1 : value.rindex("}")].strip()
        header[" ".join(key.lower().split())] = value
    missing = [key for key in REQUIRED if key not in header]
    if missing and "library" not in header.get("file type", "").lower():
        raise HsiError(
            f"{path}: expected a whole ENVI header, found none of: {', '.join(missing)}; add "
            f"{'it' if len(missing) == 1 else 'them'}"
        )
    return header


def entries(value: str) -> list[str]:
    """Return the entries of a list, split at its commas."""
    return [" ".join(part.split()) for part in value.split(",")] if value else []


def number(path: Path, header: Header, key: str, default: int | None = None) -> int:
    """Return a whole number of a header."""
    value = header.get(key, default)
    try:
        return int(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise HsiError(f"{path}: {key}: expected a whole number, found '{value}'") from error


def numbers(path: Path, header: Header, key: str) -> npt.NDArray[np.float64] | None:
    """Return a list of numbers of a header, float64, or None if the key is missing."""
    if not header.get(key):
        return None
    try:
        return np.array([float(part) for part in entries(header[key])])
    except ValueError as error:
        raise HsiError(f"{path}: {key}: expected numbers ({error})") from error


def format_header(values: Mapping[str, Any]) -> str:
    """Return the text of a header; characters that would end an entry or list are replaced."""
    lines = ["ENVI"]
    for key, value in values.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            parts = (str(part).translate(str.maketrans(",{}\n", ";() ")) for part in value)
            value = "{" + ", ".join(parts) + "}"
        lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"
