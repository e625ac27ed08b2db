"""Denoise an image or a folder of images: nothing lost, nothing overwritten, a run that resumes.

`OUTPUT/denoise.jsonl` gets a line a file: what was done with which weights, or why it failed. A
second run skips what is done and tries again what failed.
"""

import hashlib
import json
import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from engine.device import Compute
from engine.errors import Partial
from engine.progress import progress
from restore import contact, images, listing, memory, models
from restore.choose import Model, describe
from restore.errors import RestoreError
from restore.journal import Journal
from restore.listing import Job
from restore.one_image import Record, Worker
from restore.pipeline import Stages, overlapped
from restore.pixels import How
from restore.shards import Shard

log = logging.getLogger(__name__)

_ROOM = 2**29  # bytes of images in work at once


@dataclass(frozen=True)
class Options:
    """How a folder is denoised.

    Attributes
    ----------
    sigma : str
        'auto' (estimated for each image) or the noise's sigma on the 0..255 scale.
    recursive : bool
        Mirror sub-folders too.
    exclude : tuple of str
        Patterns of files and sub-folders that are left out.
    overwrite : bool
        Replace outputs, whatever made them.
    refresh : bool
        Replace outputs that an earlier run made of another form of the same image or by other
        options, and no others.
    tile : str
        'auto', 'off', or the side of a tile in pixels.
    form : str
        Of the outputs: one of `restore.listing.FORMATS`.
    strict : bool
        Fail an image that the model does not suit, where otherwise a warning is given.
    how : How
    shard : Shard
        The part of the images that is worked on.
    compare : Path or None
        A before/after sheet to write at the end.
    """

    sigma: str = "auto"
    recursive: bool = False
    exclude: tuple[str, ...] = ()
    overwrite: bool = False
    refresh: bool = False
    tile: str = "auto"
    form: str = "auto"
    strict: bool = False
    how: How = field(default_factory=How)
    shard: Shard = field(default_factory=Shard)
    compare: Path | None = None

    def __post_init__(self) -> None:
        if self.tile not in ("auto", "off") and not (self.tile.isdigit() and int(self.tile) > 0):
            raise RestoreError(f"--tile {self.tile}: expected auto, off or a side in pixels")
        if self.form not in listing.FORMATS:
            known = ", ".join(listing.FORMATS)
            raise RestoreError(f"--format {self.form}: expected one of {known}")
        try:
            fine = self.sigma == "auto" or 0 <= float(self.sigma) <= 255
        except ValueError:
            fine = False
        if not fine:
            raise RestoreError(f"--sigma {self.sigma}: expected auto or a number from 0 to 255")

    @property
    def side(self) -> int | None:
        """Side of a tile in pixels, 0 for none, None for what fits in memory."""
        if self.tile == "auto":
            return None
        return 0 if self.tile == "off" else int(self.tile)

    @property
    def known_sigma(self) -> float | None:
        """The noise level that was given, if any."""
        return None if self.sigma == "auto" else float(self.sigma)


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
        'auto', a shipped name or a weights file.
    options : Options
    compute : callable
        Picks the device, once it is known that there is work to do.

    Raises
    ------
    RestoreError
        Before any work: nothing to read, no model, or folders inside each other.
    Partial
        After all work: some images failed, each named in the log and in the journal.
    """
    jobs = _jobs(source, target, options)
    candidates = _candidates(model)
    if not jobs:
        log.info("shard %d of %d: no image falls on it", options.shard.number, options.shard.count)
        return
    folder = jobs[0].target.parent if source.is_file() else target
    with Journal(folder, _fingerprint(candidates, options), options.shard) as journal:
        worker = Worker(
            candidates,
            journal,
            compute(),
            how=options.how,
            side=options.side,
            sigma=options.known_sigma,
            overwrite=options.overwrite,
            refresh=options.refresh,
            strict=options.strict,
            ask=model == "auto",
        )
        failed = _run(jobs, worker, journal)
        if options.compare is not None:
            done = [job for job in jobs if journal.made(job)]
            contact.sheet([(job.name, job.source, job.target) for job in done], options.compare)
    if failed:
        raise Partial(f"{failed} of {len(jobs)} images failed; the reasons are in {journal.path}")


def _jobs(source: Path, target: Path, options: Options) -> list[Job]:
    if source.is_file():
        return [listing.single(source, target, options.form)]
    return listing.folder(
        source,
        target,
        recursive=options.recursive,
        exclude=options.exclude,
        form=options.form,
        holds=options.shard.holds,
    )


def _candidates(model: str) -> list[Model]:
    """Describe the models to choose from: the one that was named, or all that are shipped."""
    if model != "auto":
        return [describe(models.find(model))]
    shipped = models.shipped()
    if not shipped:
        raise RestoreError(
            "--model auto: no weights are shipped with this installation; name a file with "
            "--model, as `restore train` or `restore import` writes it"
        )
    return [describe(path) for path in shipped.values()]


def _fingerprint(candidates: list[Model], options: Options) -> str:
    """Hash all that decides an output beside the input; tiles and device do not."""
    weights = sorted(model.sha256 for model in candidates)
    how = [options.how.strength, options.how.self_ensemble, options.known_sigma]
    return hashlib.sha256(json.dumps([weights, how]).encode()).hexdigest()[:16]


def _run(jobs: list[Job], worker: Worker, journal: Journal) -> int:
    """Work through the jobs, and count those that failed."""
    stages = Stages(_bytes, worker.load, worker.alike, worker.restore, worker.store)
    room = min(_ROOM, memory.free_bytes(worker.compute.device) // 4)
    outcomes: Counter[str] = Counter()
    began, megapixels = time.monotonic(), 0.0
    with (
        progress(len(jobs), "denoise", "images") as bar,
        closing(overlapped(jobs, stages, room)) as records,
    ):
        for record in records:
            outcomes[_outcome(record)] += 1
            if record["status"] == "failed":
                log.error("%s: %s", record["file"], record["reason"])
                journal.add(record)
            megapixels += math.prod(record.get("size", [0])[:2]) / 1e6
            speed = megapixels / max(time.monotonic() - began, 1e-9)
            bar.advance(**{"megapixels/s": speed})
    log.info("%s", ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items())))
    return outcomes["failed"]


def _outcome(record: Record) -> str:
    return f"by {record['model']}" if record["status"] == "done" else str(record["status"])


def _bytes(job: Job) -> int:
    """Guess what an image takes in memory while it is decoded, restored and encoded."""
    return 0 if job.problem else 2 * images.decoded_bytes(job.source)
