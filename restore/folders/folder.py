"""Denoise an image or a folder of images: nothing lost, nothing overwritten, a run that resumes.

`OUTPUT/denoise.jsonl` gets one line per file: what was done with which weights, or why it failed. A
second run skips what is done and tries again what failed.
"""

import hashlib
import json
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from engine import memory
from engine.device import Compute, pick
from engine.errors import Partial, why
from engine.progress import progress
from restore.denoising import choose
from restore.denoising.choose import Candidate
from restore.denoising.pixels import How
from restore.errors import RestoreError
from restore.folders import contact_sheet, listing, stacks
from restore.folders.contact_sheet import BeforeAfter
from restore.folders.journal import Journal
from restore.folders.listing import Job
from restore.folders.options import FolderOptions
from restore.folders.pipeline import Stages, overlapped
from restore.folders.shards import Shard
from restore.folders.worker import Record, Worker
from restore.images.zarr import layout

log = logging.getLogger(__name__)

_ROOM = 2**29  # bytes of images in work at once


def denoise_folder(
    source: str | Path,
    target: str | Path,
    model: str = "auto",
    *,
    sigma: float | None = None,
    white: float | None = None,
    noise: str = "auto",
    strength: float = 1.0,
    self_ensemble: bool = False,
    recursive: bool = False,
    exclude: Sequence[str] = (),
    overwrite: bool = False,
    refresh: bool = False,
    strict: bool = False,
    form: str = "auto",
    shard: str = "1/1",
    compare: str | Path | None = None,
    tile: str = "auto",
    engine: str = "torch",
    device: str = "auto",
    precision: str = "auto",
) -> None:
    """Denoise an image file or a folder of them into other files; the command is `restore denoise`.

    Depth, channels, alpha and metadata are kept. What was done with each image is in
    ``denoise.jsonl`` of the output folder; a second run skips what is done and tries again what
    failed.

    Parameters
    ----------
    source, target : str or Path
        An image and an image or folder, or a folder and a folder. A Zarr store is an image. A
        target that ends with a slash is a folder.
    model : str, optional
        'auto' chooses among the shipped weights for each image; or a shipped name or a file.
    sigma : float, optional
        Noise level of all images on the 0..255 scale; estimated for each by default.
    white : float, optional
        The value of white of images that have fewer bits than their type and do not say so: 4095
        for 12 bits in 16.
    noise : {'auto', 'gaussian', 'camera', 'jpeg'}, optional
        What there is to remove, where a model is chosen; 'auto' for what is seen in each image.
    strength : float, optional
        Share of the noise to remove, above 0 and at most 1.
    self_ensemble : bool, optional
        Average over 8 orientations of the image; 8 times slower.
    recursive : bool, optional
        Denoise the images in sub-folders too.
    exclude : sequence of str, optional
        Patterns of files and sub-folders that are left out.
    overwrite, refresh : bool, optional
        Replace existing files; `refresh` only those of earlier runs whose input or options changed.
    strict : bool, optional
        An image that does not suit the model is an error instead of a warning.
    form : {'auto', 'same', 'png', 'tiff', 'jpeg', 'webp'}, optional
        Format of the outputs; 'auto' is that of the input, and PNG for a lossy one.
    shard : str, optional
        'K/N': only the K-th of N parts.
    compare : str or Path, optional
        Before/after sheet to write (.png or .html).
    tile : str, optional
        'auto', 'off', or the side of a tile in pixels; the result does not depend on it.
    engine : {'torch', 'onnx', 'openvino', 'auto'}, optional
        What runs the networks (`restore.networks.engines`); 'auto' for the fastest measured.
    device : str, optional
        'auto', 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}, optional

    Raises
    ------
    RestoreError
        Before any work: a wrong argument, nothing to read, or folders inside each other.
    Partial
        After all work: some images failed, each named in the log and in the journal.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, restore
    >>> photos, clean = (Path(tempfile.mkdtemp()) / name for name in ("photos", "clean"))
    >>> image = np.random.default_rng(0).normal(128, 25, (32, 32)).clip(0, 255).astype(np.uint8)
    >>> restore.write_image(photos / "a.png", image)
    >>> restore.denoise_folder(photos, clean, "dncnn-s-25", device="cpu")
    >>> bool(restore.read_image(clean / "a.png").std() < image.std() / 2)
    True
    """
    if model != "auto" and noise != "auto":
        raise RestoreError(
            f"`noise` {noise}: expected auto, as `model` {model} is named; leave one of them out"
        )
    if compare is not None:
        contact_sheet.check(Path(compare), overwrite=overwrite)
    options = FolderOptions(
        sigma=sigma,
        white=white,
        noise=noise,
        recursive=recursive,
        exclude=tuple(exclude),
        overwrite=overwrite,
        refresh=refresh,
        tile=tile,
        engine=engine,
        form=form,
        strict=strict,
        how=How(strength, self_ensemble),
        shard=Shard.parse(shard),
        compare=None if compare is None else Path(compare),
    )
    denoise_files(Path(source), target, str(model), options, lambda: pick(device, precision))


def denoise_files(
    source: Path,
    target: Path | str,
    model: str,
    options: FolderOptions,
    compute: Callable[[], Compute],
) -> None:
    """Denoise `source` into `target`.

    Parameters
    ----------
    source : Path
        An image (a Zarr store is one), or a folder of them.
    target : Path or str
        An image or a folder; for a folder `source`, a folder. A text that ends with a slash is a
        folder.
    model : str
        'auto', a shipped name or a weights file.
    options : FolderOptions
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
    if options.compare is not None:
        contact_sheet.check_apart(options.compare, map(_before_after, jobs))
    candidates = choose.candidates(model)
    if not jobs:
        log.info("shard %d of %d: no image falls on it", options.shard.number, options.shard.count)
        return
    folder = jobs[0].target.parent if _is_single(source) else Path(target)
    with Journal(folder, _fingerprint(candidates, options), options.shard) as journal:
        worker = Worker(candidates, options, journal, compute(), ask=model == "auto")
        failed = _run(jobs, worker, journal)
        if options.compare is not None:
            shown = [_before_after(job) for job in jobs if journal.made(job)]
            contact_sheet.sheet(shown, options.compare)
    if len(jobs) == len(failed) == 1:
        file = why(RestoreError(str(jobs[0].source)), whole=True)  # one line, as the reason is
        reason = str(failed[0]["reason"])
        raise Partial(reason if reason.startswith(file) else f"{file}: {reason}")
    if failed:
        raise Partial(
            f"{len(failed)} of {len(jobs)} images failed; the reasons are in {journal.path}"
        )


def _jobs(source: Path, target: Path | str, options: FolderOptions) -> list[Job]:
    if _is_single(source):
        return [listing.single(source, target, options.form)]
    return listing.folder(
        source,
        Path(target),
        recursive=options.recursive,
        exclude=options.exclude,
        form=options.form,
        holds=options.shard.holds,
    )


def _before_after(job: Job) -> BeforeAfter:
    return BeforeAfter(job.name, job.source, job.target)


def _is_single(source: Path) -> bool:
    return source.is_file() or layout.is_store(source)


def _fingerprint(candidates: list[Candidate], options: FolderOptions) -> str:
    """Hash all that decides an output beside the input; tiles, device and precision do not."""
    weights = sorted(model.sha256 for model in candidates)
    how: list[float | str | None] = [options.how.strength, options.how.self_ensemble, options.sigma]
    how += [options.white] * (options.white is not None)
    how += [options.noise] * (options.noise != "auto")
    return hashlib.sha256(json.dumps([weights, how]).encode()).hexdigest()[:16]


def _run(jobs: list[Job], worker: Worker, journal: Journal) -> list[Record]:
    """Work through the jobs, and return the records of those that failed."""
    stages = Stages(worker.size, worker.load, worker.alike, worker.restore, worker.store)
    room = min(_ROOM, memory.free_bytes(worker.compute.device) // 4)
    outcomes: Counter[str] = Counter()
    failed: list[Record] = []
    began, megapixels = time.monotonic(), 0.0
    stored = [job for job in jobs if job.is_store]
    others = [job for job in jobs if not job.is_store]
    with (
        progress(len(jobs), "denoise", "images") as bar,
        closing(overlapped(others, stages, room)) as records,
    ):
        for record in chain(records, (stacks.denoise(job, worker) for job in stored)):
            outcomes[_outcome(record)] += 1
            if record["status"] == "failed":
                failed.append(record)
                if len(jobs) > 1:  # of one image, the error that ends the run says it
                    log.error("%s: %s", record["file"], record["reason"])
                journal.add(record)
            megapixels += math.prod(record.get("size", [0])[:2]) * record.get("planes", 1) / 1e6
            speed = megapixels / max(time.monotonic() - began, 1e-9)
            bar.advance(**{"megapixels/s": speed})
    log.info("%s", ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items())))
    return failed


def _outcome(record: Record) -> str:
    return f"by {record['model']}" if record["status"] == "done" else str(record["status"])
