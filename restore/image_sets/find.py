"""Named image sets: embedded in packages, a local folder, or downloaded with a checksum.

A published set is looked for under `data_root`, then under the folder that the environment variable
``RESTORE_DATA`` names, then among earlier downloads; only then is it fetched
(`restore.image_sets.fetch`).
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError
from restore.image_sets.catalogue import EMBEDDED, PUBLISHED, VARIABLE, names
from restore.images import files, heads

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Item:
    """One image of a set: its name there, and the file it is read from.

    Attributes
    ----------
    name : str
    path : Path
    pixels : ndarray (H, W) or (H, W, 3), uint8, optional
        Once it is decoded and kept in memory; see `ImageSet.decoded`.
    """

    name: str
    path: Path
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)

    def load(self) -> NDArray[np.uint8]:
        """Read the pixels as uint8, (H, W) or (H, W, 3), without alpha.

        Raises
        ------
        RestoreError
            If the file is no readable image, or has floating point pixels.
        """
        if self.path.suffix == ".npz":
            with np.load(self.path) as archive:
                return np.asarray(archive["data"], dtype=np.uint8)
        if self.pixels is not None:
            return self.pixels
        try:
            return files.as_uint8(files.read(self.path))
        except RestoreError as error:
            text = str(error)
            raise RestoreError(
                text if str(self.path) in text else f"{self.path}: {text}"
            ) from error


@dataclass(frozen=True)
class ImageSet:
    """A set of images, in a fixed order.

    Attributes
    ----------
    name : str
    items : tuple of Item
    """

    name: str
    items: tuple[Item, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def decoded(self) -> "ImageSet":
        """Return the same set with all images in memory, so that none is decoded twice."""
        items = (replace(item, pixels=item.load()) for item in self.items)
        return replace(self, items=tuple(items))


@dataclass(frozen=True)
class SetInfo:
    """One line of `restore sets`."""

    name: str
    images: int
    megabytes: float
    origin: str
    terms: str
    state: Literal["embedded", "local", "downloaded", "to be fetched", "to be copied"]


def image_set(
    name_or_dir: str | Path, data_root: Path | None = None, *, fetch: bool = True
) -> ImageSet:
    """Find a set by its name, or take the images of a folder.

    Parameters
    ----------
    name_or_dir : str or Path
        One of `restore.image_sets.catalogue.names()`, or a folder. A name comes first; write
        ``./Set5`` for a folder of a name.
    data_root : Path, optional
        Folder in which published sets are looked for first.
    fetch : bool, optional
        Download a published set that is nowhere; an error otherwise.

    Returns
    -------
    ImageSet
        In the order of the file names; items are named by the stem of their file.

    Raises
    ------
    RestoreError
        If there is no such set or folder, or no image in it.

    Examples
    --------
    >>> import restore
    >>> images = restore.image_set("embedded-test")
    >>> [image.name for image in images]
    ['camera', 'coins', 'moon', 'ascent', 'aero']
    >>> next(iter(images)).load().shape
    (512, 512)
    """
    name_or_dir = str(name_or_dir)
    if name_or_dir in EMBEDDED:
        paths = [_package_file(entry) for entry in EMBEDDED[name_or_dir]]
        return ImageSet(name_or_dir, tuple(Item(path.stem, path) for path in paths))
    if name_or_dir in PUBLISHED:
        folder = find(name_or_dir, data_root)
        if folder is None:
            if not fetch:
                raise RestoreError(
                    f"image set {name_or_dir} is not here; fetch it, or set {VARIABLE} to the "
                    f"folder that holds {PUBLISHED[name_or_dir].folder}"
                )
            from restore.image_sets.fetch import download

            folder = download(name_or_dir)
        return _published(name_or_dir, folder)
    folder = Path(name_or_dir)
    if not folder.is_dir():
        raise RestoreError(
            f"image set {name_or_dir!r}: no such folder, and not one of {', '.join(names())}"
        )
    return ImageSet(folder.resolve().name, _listed(folder))


def find(name: str, data_root: Path | None = None) -> Path | None:
    """Find the folder of a published set under the data folders, or give None."""
    from restore.image_sets.fetch import downloads

    known = PUBLISHED[name]
    named = os.environ.get(VARIABLE)
    for root in (data_root, Path(named) if named else None):
        for folder in (name, known.folder):
            if root is not None and (Path(root) / folder).is_dir():
                return Path(root) / folder
    # A download is complete once its folder has its final name.
    kept = downloads() / known.folder
    return kept if kept.is_dir() else None


def grey_image(name_or_dir: str, data_root: Path | None = None) -> str | None:
    """Return the name of a grey image of a set, by the heads of its files; '' if it is not here.

    None where all images are in colour, or nothing is known of them.
    """
    known = PUBLISHED.get(name_or_dir)
    if known and not find(name_or_dir, data_root):
        return "" if known.grey else None
    found = image_set(name_or_dir, data_root)
    grey = (item.name for item in found if item.path.suffix == ".npz" or heads.is_grey(item.path))
    return next(grey, None)


def describe(data_root: Path | None = None) -> list[SetInfo]:
    """List every set with its size, origin, terms, and whether it is here."""
    from restore.image_sets.fetch import checksums, downloads

    lines = []
    for name, entries in EMBEDDED.items():
        size = sum(_package_file(entry).stat().st_size for entry in entries) / 1e6
        origin = ", ".join(dict.fromkeys(entry.split("/")[0] for entry in entries))
        lines.append(SetInfo(name, len(entries), size, origin, "as the packages", "embedded"))
    for name, known in PUBLISHED.items():
        folder = find(name, data_root)
        state: Literal["local", "downloaded", "to be fetched", "to be copied"]
        if folder is not None:
            state = "downloaded" if folder == downloads() / known.folder else "local"
        else:
            state = "to be fetched" if known.origin else "to be copied"
        size = sum(entry.size for entry in checksums(name)) / 1e6
        lines.append(SetInfo(name, known.images, size, known.origin, known.terms, state))
    return lines


def _published(name: str, folder: Path) -> ImageSet:
    known = PUBLISHED[name]
    items = _listed(folder)
    if known.subset and folder.name == Path(known.folder).name:
        items = tuple(item for item in items if item.name in known.subset)
    if len(items) != known.images:
        log.warning(
            "image set %s: expected %d images, found %d in %s",
            name,
            known.images,
            len(items),
            folder,
        )
    return ImageSet(name, items)


def _listed(folder: Path) -> tuple[Item, ...]:
    """List the images of a folder; where two share a stem, the suffix stays in their names."""
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in heads.READABLE and path.is_file() and path.name[0] != "."
    )
    if not paths:
        kinds = " ".join(sorted(heads.READABLE))
        raise RestoreError(f"{folder}: expected images ({kinds}), found none")
    stems = [path.stem for path in paths]
    return tuple(
        Item(path.stem if stems.count(path.stem) == 1 else path.name, path) for path in paths
    )


@cache
def _package_file(entry: str) -> Path:
    """Find a data file of a package without importing the package."""
    package, _, rest = entry.partition("/")
    spec = find_spec(package)
    path = Path(spec.origin).parent / rest if spec and spec.origin else None
    if path is None or not path.is_file():
        raise RestoreError(f"{entry}: not in the installed {package}; install restore-hsi again")
    return path
