"""Denoise an image or a folder of images: nothing lost, nothing overwritten, a run that resumes.

`OUTPUT/denoise.jsonl` gets a line a file: what was done with which weights, or why it failed. A
second run skips what is done and tries again what failed.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import sha256_file
from engine.device import Compute
from engine.errors import Partial, UserError
from engine.progress import progress
from restore import images, tiles
from restore.errors import RestoreError
from restore.models import Denoiser, find, load

log = logging.getLogger(__name__)

JOURNAL = "denoise.jsonl"
LOSSY = frozenset({".jpg", ".jpeg", ".webp"})  # written as PNG: restoring and losing again is vain


@dataclass(frozen=True)
class Options:
    """How a folder is denoised.

    Attributes
    ----------
    recursive : bool
        Mirror sub-folders too.
    overwrite : bool
        Replace outputs that another model or another input made.
    tile : str
        'auto', 'off', or the side of a tile in pixels.
    """

    recursive: bool = False
    overwrite: bool = False
    tile: str = "auto"

    def __post_init__(self) -> None:
        if self.tile not in ("auto", "off") and not (self.tile.isdigit() and int(self.tile) > 0):
            raise RestoreError(f"--tile {self.tile}: expected auto, off or a side in pixels")

    @property
    def side(self) -> int:
        """Side of a tile in pixels, 0 for none."""
        if self.tile == "auto":
            return tiles.DEFAULT_TILE
        return 0 if self.tile == "off" else int(self.tile)


def denoise_folder(
    source: Path,
    target: Path,
    model: str,
    options: Options,
    compute: Callable[[], Compute],
) -> None:
    """Denoise `source` into `target`.

    Parameters
    ----------
    source : Path
        An image, or a folder of them.
    target : Path
        An image or a folder; for a folder `source`, a folder.
    model : str
        A shipped name or a weights file.
    options : Options
    compute : callable
        Picks the device, once it is known that there is work to do.

    Raises
    ------
    RestoreError
        Before any work: nothing to read, two inputs for one output, or folders inside each other.
    Partial
        After all work: some images failed, each named in the log and in the journal.
    """
    single = source.is_file()
    jobs = [(source, _single_target(source, target))] if single else _jobs(source, target, options)
    weights = find(model)
    settings = {"weights_sha256": sha256_file(weights), "tile": options.tile}
    journal = (jobs[0][1].parent if single else target) / JOURNAL
    done = _done(journal, settings)
    denoiser = load(str(weights), compute())
    failed = 0
    journal.parent.mkdir(parents=True, exist_ok=True)
    with progress(len(jobs), "denoise", "images") as bar, journal.open("a") as lines:
        for path, out in jobs:
            record = _one(path, out, denoiser, options, done, settings)
            if record["status"] == "failed":
                failed += 1
                log.error("%s: %s", path, record["reason"])
            if record["status"] != "skipped":
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
                lines.flush()
            bar.advance()
    if failed:
        raise Partial(f"{failed} of {len(jobs)} images failed; the reasons are in {journal}")


def _one(
    path: Path,
    out: Path,
    denoiser: Denoiser,
    options: Options,
    done: dict[str, str],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Denoise one file and return its line for the journal."""
    began = time.monotonic()
    record: dict[str, Any] = {"file": str(path), "output": str(out)}
    try:
        digest = sha256_file(path)
        if out.exists() and done.get(str(out)) == digest:
            return record | {"status": "skipped"}
        if out.exists() and not options.overwrite:
            raise RestoreError(
                f"{out} exists and was made otherwise; use --overwrite to replace it"
            )
        picture = images.read(path)
        pixels = denoise_pixels(picture.pixels, denoiser, side=options.side)
        images.write(out, replace(picture, pixels=pixels))
    except (UserError, OSError) as error:
        return record | {"status": "failed", "reason": " ".join(str(error).split())}
    return record | {
        "status": "done",
        "model": denoiser.name,
        "size": list(pixels.shape),
        "seconds": round(time.monotonic() - began, 3),
        "input_sha256": digest,
        **settings,
    }


def denoise_pixels(
    pixels: npt.NDArray[Any], denoiser: Denoiser, *, side: int = tiles.DEFAULT_TILE
) -> npt.NDArray[Any]:
    """Denoise pixels of any depth; the result has the same shape and type.

    Parameters
    ----------
    pixels : ndarray (H, W) or (H, W, 3)
        uint8, uint16, or float32 in 0..1 (in 0..255 or 0..65535 where larger values occur).
    denoiser : Denoiser
        A grey one runs on each channel of a colour image by itself; a colour one on a grey image
        sees it as three equal channels.
    side : int
        Of a tile, in pixels; 0 for none.
    """
    white = _white(pixels)
    values = pixels.astype(np.float64) * (255 / white)
    if pixels.ndim == 3 and denoiser.channels == 1:
        planes = [denoiser(values[..., c], side=side) for c in range(pixels.shape[2])]
        restored = np.stack(planes, axis=2)
    elif pixels.ndim == 2 and denoiser.channels == 3:
        restored = denoiser(np.repeat(values[..., None], 3, axis=2), side=side).mean(axis=2)
    else:
        restored = denoiser(values, side=side)
    restored *= white / 255
    if pixels.dtype.kind == "f":
        return restored.astype(pixels.dtype)
    return np.clip(np.rint(restored), 0, white).astype(pixels.dtype)


def _white(pixels: npt.NDArray[Any]) -> float:
    if pixels.dtype.kind != "f":
        return float(np.iinfo(pixels.dtype).max)
    largest = float(pixels.max(initial=0))
    return next((white for white in (1.0, 255.0, 65535.0) if largest <= white), largest)


def _single_target(source: Path, target: Path) -> Path:
    out = target / _name(source) if target.is_dir() or not target.suffix else target
    if out.resolve() == source.resolve():
        raise RestoreError(f"{out}: the output is the input itself; name another file or folder")
    if out.suffix.lower() not in images.SUFFIXES:
        known = ", ".join(sorted(images.SUFFIXES))
        raise RestoreError(f"{out}: expected an image name ending in one of {known}")
    return out


def _jobs(source: Path, target: Path, options: Options) -> list[tuple[Path, Path]]:
    """Pair every image with its output; refuse what could lose one."""
    if not source.is_dir():
        raise RestoreError(f"{source}: no such image or folder")
    inner, outer = source.resolve(), target.resolve()
    if inner == outer or (options.recursive and inner in outer.parents) or outer in inner.parents:
        raise RestoreError(
            f"{target}: the output folder is, holds or lies in the input folder {source}; "
            "name one beside it"
        )
    found = source.rglob("*") if options.recursive else source.iterdir()
    paths = sorted(p for p in found if p.suffix.lower() in images.SUFFIXES and p.is_file())
    paths = [p for p in paths if inner in p.resolve().parents]  # no link out of the tree
    if not paths:
        hint = "" if options.recursive else "; --recursive looks into sub-folders"
        raise RestoreError(f"{source}: expected a folder with images, found none{hint}")
    jobs: dict[Path, Path] = {}
    for path in paths:
        out = target / path.relative_to(source).parent / _name(path)
        if out in jobs:
            raise RestoreError(
                f"{path} and {jobs[out]} would both be written to {out}; rename one of them"
            )
        jobs[out] = path
    return [(path, out) for out, path in jobs.items()]


def _name(path: Path) -> str:
    return f"{path.stem}.png" if path.suffix.lower() in LOSSY else path.name


def _done(journal: Path, settings: dict[str, Any]) -> dict[str, str]:
    """Return the input checksum of each output that these settings made, from an earlier run."""
    done: dict[str, str] = {}
    if not journal.is_file():
        return done
    for line in journal.read_text(errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:  # the last line of a killed run
            continue
        same = all(record.get(key) == value for key, value in settings.items())
        if record.get("status") == "done" and same:
            done[record["output"]] = record["input_sha256"]
        else:
            done.pop(record.get("output", ""), None)
    return done
