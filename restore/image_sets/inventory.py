"""What there is of image sets: the lines of `restore sets`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from restore.image_sets import fetch
from restore.image_sets.catalogue import EMBEDDED, PUBLISHED
from restore.image_sets.find import find, package_file


@dataclass(frozen=True)
class SetInfo:
    """One line of `restore sets`."""

    name: str
    images: int
    megabytes: float
    origin: str
    terms: str
    state: Literal["embedded", "local", "downloaded", "to be fetched", "to be copied"]


def describe(data_root: Path | None = None) -> list[SetInfo]:
    """List every set with its size, origin, terms, and whether it is here."""
    lines = []
    for name, entries in EMBEDDED.items():
        size = sum(package_file(entry).stat().st_size for entry in entries) / 1e6
        origin = ", ".join(dict.fromkeys(entry.split("/")[0] for entry in entries))
        lines.append(SetInfo(name, len(entries), size, origin, "as the packages", "embedded"))
    for name, known in PUBLISHED.items():
        folder = find(name, data_root)
        state: Literal["local", "downloaded", "to be fetched", "to be copied"]
        if folder is not None:
            state = "downloaded" if folder == fetch.downloads() / known.folder else "local"
        else:
            state = "to be fetched" if known.origin else "to be copied"
        size = sum(entry.size for entry in fetch.checksums(name)) / 1e6
        lines.append(SetInfo(name, known.images, size, known.origin, known.terms, state))
    return lines
