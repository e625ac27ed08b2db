"""Degraded images as files of their own, from which evaluation gets the very same numbers.

A folder holds one file per image and `degraded.json`. Noise is kept as float32 TIFF, never rounded;
JPEG is the file that libjpeg made; bicubic is the small image as PNG. While a folder is made, a
hidden journal says what is begun and what is done, so that the same call goes on after a stop.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts
from engine.revision import code_revision
from restore.degradations import jpeg
from restore.degradations.degradation import Degradation, parse
from restore.errors import RestoreError
from restore.evaluation import pairs
from restore.evaluation.pairs import Pair
from restore.evaluation.protocol import PUBLISHED, Scoring
from restore.image_sets.find import Item
from restore.images import files, heads
from restore.images.picture import Picture

MANIFEST = "degraded.json"
JOURNAL = ".degraded.jsonl"  # a line of settings, then one per file that is begun or done
_SUFFIX = {"noise": ".tif", "jpeg": ".jpg", "bicubic": ".png", "camera": ".png"}
_log = logging.getLogger(__name__)


def write_folder(
    items: Iterable[Item],
    out_dir: Path,
    degradation: Degradation,
    seed: int,
    *,
    colour: bool = False,
    overwrite: bool = False,
    advance: Callable[[], None] | None = None,
) -> Path:
    """Degrade images into a folder; every image is looked at before the first file is written.

    After a stop, the same call goes on with what is not done.

    Parameters
    ----------
    items : iterable of Item
        Images with names that differ.
    out_dir : Path
        Folder to write to; made if missing.
    degradation : Degradation
    seed : int
        Of the noise.
    colour : bool, optional
        Keep three channels; see `restore.evaluation.pairs.pair`.
    overwrite : bool, optional
        Replace files that no earlier call has written, and remove those of an earlier call that
        this one does not make; never the images themselves.
    advance : callable, optional
        Called after each image.

    Returns
    -------
    Path
        The manifest, which is written last.

    Raises
    ------
    RestoreError
        If an image cannot be read or degraded, two have one name, or a file would be replaced that
        is one of the images, or that no earlier call has written, or the folder holds what another
        call has made.
    """
    items = list(items)
    _check(items, degradation, colour=colour)
    settings = {"degradation": str(degradation), "seed": seed, "colour": colour}
    done = _begin(items, out_dir, settings, overwrite=overwrite)
    entries: dict[str, dict[str, str]] = {}
    for item in items:
        image = item.load()
        path = out_dir / _file(item, degradation)
        entry = {"source_sha256": artifacts.sha256_arrays(image), "file": path.name}
        known = done.get(path.name, {})
        if known.items() > entry.items() and path.is_file():
            entry["sha256"] = artifacts.sha256_file(path)
        if entry != known:
            _note(out_dir, {"file": path.name})
            try:
                _write(path, item.name, image, degradation, seed, colour=colour)
            except RestoreError as error:
                raise RestoreError(f"{item.path}: {error}") from error
            entry["sha256"] = artifacts.sha256_file(path)
            _note(out_dir, entry)
        entries[item.name] = entry
        if advance is not None:
            advance()
    artifacts.write_json(out_dir / MANIFEST, {**settings, "files": entries})
    (out_dir / JOURNAL).unlink()
    return out_dir / MANIFEST


def _file(item: Item, degradation: Degradation) -> str:
    return item.name + _SUFFIX[degradation.kind]


def _note(folder: Path, *lines: dict[str, Any]) -> None:
    with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
        # A line that a kill cut short is no part of the next one.
        journal.writelines("\n" + json.dumps(line) + "\n" for line in lines)


def _check(items: Sequence[Item], degradation: Degradation, *, colour: bool) -> None:
    if not items:
        raise RestoreError("expected images to degrade, found none")
    names = set()
    for item in items:
        if item.name in names:
            raise RestoreError(f"two images are called {item.name}; rename one of them")
        names.add(item.name)
        image = item.load()
        try:
            pairs.prepared(image, degradation, colour=colour)
        except RestoreError as error:
            raise RestoreError(f"{item.path}: {error}; take it out of the set") from error
    narrowed = [(item.path, left) for item in items if (left := heads.narrowed(item.path))]
    if narrowed:
        more = f" (and likewise of {len(narrowed) - 1} more)" if narrowed[1:] else ""
        _log.warning("%s: %s left out, as in all tests%s", *narrowed[0], more)


def _begin(
    items: Sequence[Item], out_dir: Path, settings: dict[str, Any], *, overwrite: bool
) -> dict[str, dict[str, str]]:
    """Return what a stopped call has done, by file, and begin the journal; refuse to replace."""
    wanted = {**settings, "code": code_revision(__name__)}
    sources = {item.path.resolve() for item in items}
    if out_dir.resolve() in {path.parent for path in sources}:
        raise RestoreError(
            f"{out_dir}: holds the images, to whose set what is written would belong from then on; "
            "write into another folder"
        )
    started, noted = _journal(out_dir)
    try:
        made = manifest(out_dir)
        listed = {str(entry["file"]) for entry in made["files"].values()}
    except (RestoreError, KeyError, TypeError, AttributeError):
        made, listed = started, set()
    ours = {name for name in listed | set(noted) if Path(name).name == name}
    names = {_file(item, parse(settings["degradation"])) for item in items}
    for path in (out_dir / name for name in sorted(names)):
        if path.resolve() in sources:
            raise RestoreError(f"{path}: is one of the images; write into another folder")
        if path.exists() and path.name not in ours and not overwrite:
            raise RestoreError(
                f"{path}: exists, and was not made by restore degrade; set `overwrite`, or write "
                "into another folder"
            )
    others = {out_dir / name for name in ours - names}
    others = {path for path in others if path.is_file() and path.resolve() not in sources}
    before = made.get("degradation", settings["degradation"])
    if (others or before != settings["degradation"]) and not overwrite:
        held = f"{min(others).name} of {before}" if others else before
        raise RestoreError(
            f"{out_dir}: restore degrade made {held} there, which is no part of this call; set "
            "`overwrite` to remove it, or write into another folder"
        )
    for path in others:
        path.unlink()
    if started != wanted:
        out_dir.mkdir(parents=True, exist_ok=True)
        (out_dir / JOURNAL).unlink(missing_ok=True)
        _note(out_dir, wanted, *({"file": name} for name in sorted(ours & names)))
        return {}
    return noted


def _journal(folder: Path) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Read the settings of an unfinished call, and the last line on each of its files."""
    try:
        lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
        head, *entries = [json.loads(line) for line in lines if line.endswith("}")]
        return dict(head), {entry["file"]: entry for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return {}, {}


def manifest(folder: Path) -> dict[str, Any]:
    """Read `degraded.json`: degradation, seed, colour, and files by image name.

    Raises
    ------
    RestoreError
        If it is missing or not what `write_folder` writes.
    """
    path = Path(folder) / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content["files"], dict) and {"degradation", "seed", "colour"} <= set(content):
            return dict(content)
    except FileNotFoundError:
        raise RestoreError(f"{path}: no such file; make it with restore degrade") from None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise RestoreError(f"{path}: not a manifest of restore degrade; make the folder again")


def read_observed(
    folder: Path,
    name: str,
    image: NDArray[np.uint8],
    degradation: Degradation,
    *,
    colour: bool = False,
    seed: int | None = None,
    protocol: Scoring = PUBLISHED,
) -> Pair:
    """Make the scored pair of an image and its degraded file.

    Parameters
    ----------
    folder : Path
        What `write_folder` wrote.
    name : str
        The image's name in its set.
    image : ndarray (H, W) or (H, W, 3), uint8
        The undamaged image.
    degradation : Degradation
    colour : bool, optional
        As in `write_folder`.
    seed : int, optional
        The noise's seed that is expected; by default any.
    protocol : Scoring, optional
        Other choices than the published ones; the files fix the grey of noise and JPEG.

    Returns
    -------
    Pair
        Equal, bit for bit, to what `restore.evaluation.pairs.pair` gives for the folder's seed.

    Raises
    ------
    RestoreError
        If the folder holds another degradation, seed, grey or source, or a file is missing or
        changed.
    """
    folder = Path(folder)
    content = manifest(folder)
    found = (content["degradation"], content["colour"])
    if found != (str(degradation), colour):
        raise RestoreError(
            f"{folder}: expected {degradation} with colour {colour}, "
            f"found {found[0]} with colour {found[1]}; make the folder again"
        )
    if degradation.kind in ("noise", "camera") and seed not in (None, content["seed"]):
        raise RestoreError(
            f"{folder}: expected noise of seed {seed}, found seed {content['seed']}; "
            f"use `seed` {content['seed']} or make the folder again"
        )
    fixed = image.ndim == 3 and not colour and degradation.kind != "bicubic"
    if fixed and protocol.matlab_luma(degradation) != PUBLISHED.matlab_luma(degradation):
        raise RestoreError(
            f"{folder}: expected files in the grey of `luma` {protocol.luma}, found the published "
            "one; leave out `luma` or `degraded_folder`"
        )
    entry = content["files"].get(name)
    if entry is None:
        raise RestoreError(f"{folder}: no image {name} in its manifest; make the folder again")
    if entry["source_sha256"] != artifacts.sha256_arrays(image):
        raise RestoreError(f"{folder}: {name} was made of another image; make the folder again")
    path = folder / entry["file"]
    if not path.is_file() or artifacts.sha256_file(path) != entry["sha256"]:
        raise RestoreError(f"{path}: missing or changed since it was written; make it again")
    reference = pairs.prepared(image, degradation, colour=colour)
    if degradation.kind == "jpeg":
        stored = jpeg.decode(path.read_bytes())
    else:
        stored = files.read(path).pixels
    return pairs.observe(reference, stored, degradation, colour=colour, protocol=protocol)


def _write(
    path: Path,
    name: str,
    image: NDArray[np.uint8],
    degradation: Degradation,
    seed: int,
    *,
    colour: bool,
) -> None:
    if degradation.kind == "jpeg":
        reference = pairs.prepared(image, degradation, colour=colour)
        artifacts.write_bytes(path, jpeg.encode(reference, int(degradation.level)))
    else:
        _, stored = pairs.degraded(image, degradation, seed=seed, name=name, colour=colour)
        files.write(path, Picture(stored))
