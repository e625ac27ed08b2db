"""Named image sets: embedded in packages, a local folder, or downloaded with a checksum.

A published set is looked for under `data_root`, then under the folder that the environment variable
``RESTORE_DATA`` names, then among earlier downloads; only then is it fetched
(`restore.image_sets.fetch`).
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restore.errors import RestoreError
from restore.image_sets.catalogue import EMBEDDED, PUBLISHED, VARIABLE, names
from restore.image_sets.partners import SAME, rule_for
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
    noisy : tuple of Item
        The noisy image of each item, in a set of real noise with its ground truth; else empty.
    """

    name: str
    items: tuple[Item, ...]
    noisy: tuple[Item, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def decoded(self) -> "ImageSet":
        """Return the same set with all images in memory, so that none is decoded twice."""
        items = (replace(item, pixels=item.load()) for item in self.items)
        return replace(self, items=tuple(items))


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
        paths = [package_file(entry) for entry in EMBEDDED[name_or_dir]]
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


def paired(noisy: str | Path, truth: str | Path, names: str = "auto", name: str = "") -> ImageSet:
    """Pair the noisy images of a folder with their ground truth.

    Parameters
    ----------
    noisy, truth : str or Path
        Folders; one and the same where names tell the two apart.
    names : str, optional
        'same': the files are called alike, but for their suffix; ``NOISY=CLEAN`` such as
        ``_noisy=_clean``: the one text stands in place of the other; 'auto' finds it out
        (`restore.image_sets.partners.rule_for`).
    name : str, optional
        Of the set; by default that of the folder of noisy images.

    Returns
    -------
    ImageSet
        The ground truths, with their `noisy` images.

    Raises
    ------
    RestoreError
        No such folder, no image in it, an image without its partner, or one folder for both.
    """
    noisy, truth = Path(noisy), Path(truth)
    for argument, folder in (("images", noisy), ("truth", truth)):
        if not folder.is_dir():
            raise RestoreError(f"`{argument}` {folder}: expected a folder of images, found none")
    before, clean = ({item.name: item for item in _listed(folder)} for folder in (noisy, truth))
    together = noisy.resolve() == truth.resolve()
    rule = rule_for(before, clean, names, together=together)
    if together:
        if rule == SAME:
            raise RestoreError(
                f"`truth` {truth}: is the folder of the noisy images; name that of their ground "
                "truth, or say by `names` which is which, such as _noisy=_clean"
            )
        before = {key: item for key, item in before.items() if rule.noisy in key}
        clean = {key: item for key, item in clean.items() if rule.truth in key}
    wanted = {key: rule.partner(key) if rule.noisy in key else "" for key in before}
    _expect_partners(before, [key for key in wanted if wanted[key] not in clean], "ground truth")
    _expect_partners(clean, [key for key in clean if key not in wanted.values()], "noisy image")
    called = sorted((rule.common(key), key) for key in wanted)
    return ImageSet(
        name or noisy.resolve().name,
        tuple(replace(clean[wanted[key]], name=shown) for shown, key in called),
        tuple(replace(before[key], name=shown) for shown, key in called),
    )


def _expect_partners(items: Mapping[str, Item], alone: Sequence[str], what: str) -> None:
    """Refuse images without a partner; none at all are refused, too."""
    if alone or not items:
        first = items[alone[0]].path if alone else ""
        raise RestoreError(
            f"{first}: expected a {what} that belongs to it by name, found none ({len(alone)} of "
            f"{len(items)} have none); add or remove files, or say by `names` how the names of "
            "noisy images and their ground truth differ, such as _noisy=_clean"
        )


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


def _published(name: str, folder: Path) -> ImageSet:
    known = PUBLISHED[name]
    if known.pairs:
        noisy, truth, names = known.pairs
        apart = (folder / noisy).is_dir()
        pairs = (folder / noisy, folder / truth) if apart else (folder, folder)
        found = paired(*pairs, "same" if apart else names, name)
        _warn_of_count(name, len(found), folder)
        return found
    items = _listed(folder)
    if known.subset and folder.name == Path(known.folder).name:
        items = tuple(item for item in items if item.name in known.subset)
    _warn_of_count(name, len(items), folder)
    return ImageSet(name, items)


def _warn_of_count(name: str, found: int, folder: Path) -> None:
    expected = PUBLISHED[name].images
    if found != expected:
        log.warning(
            "image set %s: expected %d images, found %d in %s", name, expected, found, folder
        )


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
def package_file(entry: str) -> Path:
    """Find a data file of a package without importing the package."""
    package, _, rest = entry.partition("/")
    spec = find_spec(package)
    path = Path(spec.origin).parent / rest if spec and spec.origin else None
    if path is None or not path.is_file():
        raise RestoreError(f"{entry}: not in the installed {package}; install restore-hsi again")
    return path
