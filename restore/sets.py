"""Named image sets: embedded in packages, a local folder, or downloaded with a checksum.

A published set is looked for under `data_root`, then under the folder that the environment variable
``RESTORE_DATA`` names, then among earlier downloads; only then is it fetched (`restore.fetch`).
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from restore import images
from restore.errors import RestoreError

log = logging.getLogger(__name__)

VARIABLE = "RESTORE_DATA"


@dataclass(frozen=True)
class Item:
    """One image of a set: its name there, and the file it is read from."""

    name: str
    path: Path

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
        try:
            return images.as_uint8(images.read(self.path))
        except RestoreError as error:
            text = str(error)
            raise RestoreError(
                text if str(self.path) in text else f"{self.path}: {text}"
            ) from error


@dataclass(frozen=True)
class ImageSet:
    """A set of images, in a fixed order."""

    name: str
    items: tuple[Item, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)


@dataclass(frozen=True)
class Published:
    """What is known of a set that people publish figures on.

    Attributes
    ----------
    folder : str
        Where it lies under a data folder.
    images : int
    origin : str
        URL of the folder its files are fetched from; empty where only the user can get it.
    terms : str
    subset : tuple of str
        Names of the images, where the set is a part of `folder`.
    grey : bool
        Whether it has grey images.
    """

    folder: str
    images: int
    origin: str
    terms: str
    subset: tuple[str, ...] = ()
    grey: bool = False


@dataclass(frozen=True)
class SetInfo:
    """One line of `restore sets`."""

    name: str
    images: int
    megabytes: float
    origin: str
    terms: str
    state: Literal["embedded", "local", "downloaded", "to be fetched", "to be copied"]


_DNCNN = "https://raw.githubusercontent.com/cszn/DnCNN/master"
_BSDS = "https://raw.githubusercontent.com/BIDS/BSDS500/master/BSDS500/data/images"
_RESEARCH = "research; no licence file"
_BSDS_TERMS = "non-commercial research and education (Berkeley segmentation data set)"
# BSD68 in colour: test001.png ... test068.png are these, in this order.
_CBSD68 = """
101085 101087 102061 103070 105025 106024 108005 108070 108082 109053 119082 12084 123074 126007
130026 134035 14037 143090 145086 147091 148026 148089 157055 159008 160068 16077 163085 167062
167083 170057 175032 175043 182053 189080 19021 196073 197017 208001 210088 21077 216081 219090
220075 223061 227092 229036 236037 24077 241004 241048 253027 253055 260058 271035 285079 291000
295087 296007 296059 299086 300091 302008 304034 304074 306005 3096 33039 351093
"""
PUBLISHED = {
    "Train400": Published(
        "Train400",
        400,
        f"{_DNCNN}/TrainingCodes/DnCNN_TrainingCodes_v1.0/data/Train400",
        _BSDS_TERMS,
        grey=True,
    ),
    "BSD68": Published("BSD68", 68, f"{_DNCNN}/testsets/BSD68", _BSDS_TERMS, grey=True),
    "CBSD68": Published("BSDS500/val", 68, f"{_BSDS}/val", _BSDS_TERMS, tuple(_CBSD68.split())),
    "Set12": Published("Set12", 12, f"{_DNCNN}/testsets/Set12", _RESEARCH, grey=True),
    "Set5": Published("Set5", 5, f"{_DNCNN}/testsets/Set5", _RESEARCH),
    "Set14": Published("Set14", 14, "", _RESEARCH),
    "Classic5": Published("Classic5", 5, f"{_DNCNN}/testsets/Classic5", _RESEARCH, grey=True),
    "LIVE1": Published("LIVE1", 29, f"{_DNCNN}/testsets/LIVE1", "research (LIVE, UT Austin)"),
    "T91": Published(
        "T91",
        91,
        "https://raw.githubusercontent.com/tegg89/SRCNN-Tensorflow/master/Train",
        _RESEARCH,
    ),
    "BSDS500-train": Published("BSDS500/train", 200, f"{_BSDS}/train", _BSDS_TERMS),
    "BSDS500-test": Published("BSDS500/test", 200, f"{_BSDS}/test", _BSDS_TERMS),
    "BSDS500-val": Published("BSDS500/val", 100, f"{_BSDS}/val", _BSDS_TERMS),
}
# Package and file; the functions of skimage.data are avoided because some of them download.
_SKIMAGE, _SKLEARN, _PYWT = "skimage/data", "sklearn/datasets/images", "pywt/data"
EMBEDDED = {
    "embedded-train": (
        f"{_SKIMAGE}/astronaut.png",
        f"{_SKIMAGE}/coffee.png",
        f"{_SKIMAGE}/chelsea.png",
        f"{_SKIMAGE}/rocket.jpg",
        f"{_SKIMAGE}/motorcycle_left.png",
        f"{_SKLEARN}/china.jpg",
        f"{_SKLEARN}/flower.jpg",
        f"{_SKIMAGE}/grass.png",
        f"{_SKIMAGE}/gravel.png",
        f"{_SKIMAGE}/brick.png",
    ),
    "embedded-test": (
        f"{_SKIMAGE}/camera.png",
        f"{_SKIMAGE}/coins.png",
        f"{_SKIMAGE}/moon.png",
        f"{_PYWT}/ascent.npz",
        f"{_PYWT}/aero.npz",
    ),
}


def names() -> tuple[str, ...]:
    """Name every set that `resolve` knows beside folders."""
    return (*EMBEDDED, *PUBLISHED)


def resolve(name_or_dir: str, data_root: Path | None = None, *, fetch: bool = True) -> ImageSet:
    """Find a set by its name, or take the images of a folder.

    Parameters
    ----------
    name_or_dir : str
        One of `names()`, or a folder. A name comes first; write ``./Set5`` for a folder of a name.
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
    """
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
            from restore.fetch import download

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
    from restore.fetch import downloads

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
    """Name a grey image of a set, found by the heads of the files; '' where it is not here yet.

    None where all images are in colour, or nothing is known of them.
    """
    known = PUBLISHED.get(name_or_dir)
    if known and not find(name_or_dir, data_root):
        return "" if known.grey else None
    found = resolve(name_or_dir, data_root)
    grey = (item.name for item in found if item.path.suffix == ".npz" or images.is_grey(item.path))
    return next(grey, None)


def describe(data_root: Path | None = None) -> list[SetInfo]:
    """List every set with its size, origin, terms, and whether it is here."""
    from restore.fetch import checksums, downloads

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
        if path.suffix.lower() in images.SUFFIXES and path.is_file() and path.name[0] != "."
    )
    if not paths:
        kinds = " ".join(sorted(images.SUFFIXES))
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
