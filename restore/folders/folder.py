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
from pathlib import Path

from engine import memory
from engine.device import Compute
from engine.errors import Partial
from engine.progress import progress
from restore.denoising.choose import Model, describe
from restore.errors import RestoreError
from restore.folders import contact_sheet, listing
from restore.folders.journal import Journal
from restore.folders.listing import Job
from restore.folders.options import Options
from restore.folders.pipeline import Stages, overlapped
from restore.folders.worker import Record, Worker
from restore.images import heads
from restore.networks import denoiser

log = logging.getLogger(__name__)

_ROOM = 2**29  # bytes of images in work at once


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
            shown = [(job.name, job.source, job.target) for job in done]
            contact_sheet.sheet(shown, options.compare)
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
        return [describe(denoiser.find(model))]
    shipped = denoiser.shipped()
    if not shipped:
        raise RestoreError(
            "--model auto: no weights are shipped with this installation; name a file with "
            "--model, as `restore train` or `restore import` writes it"
        )
    return [describe(path) for path in shipped.values()]


def _fingerprint(candidates: list[Model], options: Options) -> str:
    """Hash all that decides an output beside the input; tiles, device and precision do not."""
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
    return 0 if job.problem else 2 * heads.decoded_bytes(job.source)
