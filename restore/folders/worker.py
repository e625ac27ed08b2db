"""What happens to one image on its way: read and judged, restored, written and recorded."""

import logging
import math
import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine import artifacts
from engine.device import Compute
from engine.errors import UserError, why
from restore.denoising import choose
from restore.denoising.choose import Candidate, Choice
from restore.denoising.photographs import PhotographDenoiser, is_for_photographs
from restore.denoising.pixels import PixelDenoiser, used
from restore.errors import RestoreError
from restore.folders.journal import Journal
from restore.folders.listing import Job
from restore.folders.loaded import Loaded
from restore.folders.options import FolderOptions
from restore.folders.pipeline import Finished
from restore.folders.plane import Plane, prepare
from restore.images import extent, files, heads, metadata
from restore.images.picture import Picture
from restore.networks import engines
from restore.networks.denoiser import load

log = logging.getLogger(__name__)

Record = dict[str, Any]


class Worker:
    """Takes images through the stages of `restore.folders.pipeline`, in the order of its methods.

    Parameters
    ----------
    candidates : sequence of Candidate
        The models to choose from.
    options : FolderOptions
    journal : Journal
    compute : Compute
    ask : bool
        Choose a model for each image; otherwise the first candidate is used.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        options: FolderOptions,
        journal: Journal,
        compute: Compute,
        *,
        ask: bool,
    ) -> None:
        self.candidates, self.options, self.ask = candidates, options, ask
        self.journal, self.compute = journal, compute
        self._ready: dict[str, PixelDenoiser | PhotographDenoiser] = {}
        self._said: set[Hashable] = set()
        if not ask:
            self._denoiser(candidates[0])  # a file of something else is an error now, not later

    def size(self, job: Job) -> int:
        """Guess the bytes that an image takes while it is decoded, restored and encoded."""
        return 0 if job.problem else 2 * heads.decoded_bytes(job.source)

    def load(self, job: Job) -> Loaded | Finished[Record]:
        """Read an image, unless it is done already, and choose its model."""
        began = time.monotonic()
        try:
            if job.problem:
                raise RestoreError(job.problem)
            digest = artifacts.sha256_file(job.source)
            if self.is_done(job, digest):
                self.journal.skip(job)
                return Finished(record_of(job, "skipped"))
            pages = [_writable(page) for page in files.read_pages(job.source, finite=False)]
            planes = [plane for page in pages for plane in self.planes(page)]
            quality = heads.jpeg_quality(job.source) if pages[0].format == "JPEG" else None
            jpeg = quality is not None and quality < choose.SHOWS
            loaded = Loaded(job, began, digest, pages, planes, self.choices(planes, jpeg=jpeg))
            if self.options.strict and loaded.doubt:
                raise RestoreError(f"{loaded.models}: {loaded.doubt} (--strict)")
            return loaded
        except Exception as error:  # whatever one file does, the others go on
            return Finished(failure(job, error))

    def alike(self, loaded: Loaded) -> tuple[Hashable, int]:
        """Return what images share that go through a model together, and how many of them fit."""
        first = loaded.planes[0].values
        if len(loaded.planes) > 1:
            return object(), 1
        fitting = self.fitting(loaded.choices[0], first.shape)
        if fitting == 1:
            return object(), 1
        candidate = loaded.choices[0].candidate
        return (None if candidate is None else candidate.sha256, first.shape, first.dtype), fitting

    def fitting(self, choice: Choice, shape: tuple[int, ...]) -> int:
        """Return how many planes of a shape go through a model together."""
        if choice.candidate is None:
            return 1
        try:
            denoiser = self._denoiser(choice.candidate)
            if not isinstance(denoiser, PixelDenoiser):
                return 1
            return max(1, denoiser.side**2 // math.prod(shape[:2]))
        except Exception:  # told of by `restore`, as a failure of this image
            return 1

    def restore(self, batch: list[Loaded]) -> list[Loaded | Finished[Record]]:
        """Restore a batch in place."""
        for loaded in batch:
            self.tell(loaded.job, loaded.choices, loaded.planes[0].channels)
        try:
            if len(batch) > 1:
                self.run(batch[0].choices[0], [loaded.planes[0] for loaded in batch])
            else:
                for choice, plane in zip(batch[0].choices, batch[0].planes, strict=True):
                    self.run(choice, [plane])
        except Exception as error:
            return [Finished(failure(loaded.job, error)) for loaded in batch]
        for loaded in batch:
            self.warn(loaded.job, loaded.models, loaded.planes[0].channels, loaded.doubt)
        return list(batch)

    def run(self, choice: Choice, planes: list[Plane]) -> None:
        """Restore planes of one size by one model, in place; leave them where there is none."""
        if choice.candidate is None:
            return
        sigmas = [plane.sigma if math.isfinite(plane.sigma) else 0.0 for plane in planes]
        whites = [plane.white for plane in planes]
        denoiser = self._denoiser(choice.candidate)
        lifted = [plane for plane in planes if plane.black]
        for plane in lifted:
            plane.values -= plane.black
        if isinstance(denoiser, PixelDenoiser):
            denoiser([plane.values for plane in planes], sigmas, whites)
        else:
            for plane, sigma, white in zip(planes, sigmas, whites, strict=True):
                denoiser(plane.values, sigma, white, plane.noise)
        for plane in lifted:
            plane.values += plane.black
        for plane in planes:
            plane.upscales = choice.candidate.task in choose.UPSCALES
            plane.judge()

    def store(self, loaded: Loaded) -> Record:
        """Write the result; its line in the journal is written right before it gets its name."""
        job = loaded.job
        try:
            for plane in loaded.planes:
                plane.finish()
            lost = self._lost(loaded)
            with artifacts.atomic(job.target, folder=self.parts(job.target.parent)) as part:
                files.encode(part, loaded.pages)
                extent.check(job.source, part)
                sigma = loaded.sigma
                record = record_of(job, "done") | {
                    "model": loaded.models,
                    "why": loaded.choices[0].why,
                    "sigma": round(sigma, 2) if math.isfinite(sigma) else None,
                    "size": list(loaded.pages[0].pixels.shape),
                    "seconds": round(time.monotonic() - loaded.began, 3),
                    "input_sha256": loaded.sha256,
                    "weights_sha256": loaded.weights,
                    "noise": loaded.noise.recorded(),
                }
                if len(loaded.pages) > 1:
                    record["pages"] = len(loaded.pages)
                if doubt := loaded.doubt:
                    record["doubt"] = doubt
                if lost:
                    record["lost"] = lost
                if without := sum(plane.gaps.count for plane in loaded.planes if plane.gaps):
                    record["no_data"] = without
                job.target.unlink(missing_ok=True)
                self.journal.add(record)
        except Exception as error:
            return failure(job, error)
        return record

    def is_done(self, job: Job, sha256: str) -> bool:
        """Return whether the output is there, made of this very input; refuse to replace others."""
        options = self.options
        if self.journal.made(job) == sha256:
            if options.strict and (doubt := self.journal.doubt(job)):
                raise RestoreError(f"made before, but {doubt} (--strict)")
            return True
        known = self.journal.knows(job)
        if job.target.exists() and not (options.overwrite or (options.refresh and known)):
            option = "--refresh to make it anew" if known else "--overwrite to replace it"
            raise RestoreError(f"{job.target} exists and was made otherwise; use {option}")
        return False

    def parts(self, folder: Path) -> Path | None:
        """Return the folder of an unfinished file; None if that is on another disk."""
        folder.mkdir(parents=True, exist_ok=True)
        there = folder.stat().st_dev == self.journal.parts.stat().st_dev
        return self.journal.parts if there else None

    def planes(self, page: Picture) -> list[Plane]:
        """Prepare what of a page is denoised, each by itself."""
        white = page.white
        if white is None and self.options.white is not None:
            kind = page.pixels.dtype
            held = kind.kind == "f" or self.options.white <= np.iinfo(kind).max
            white = self.options.white if held else None
        settings: dict[str, Any] = {"white": white, "no_data": page.no_data}
        settings["sigma"] = self.options.sigma
        pixels = [prepare(part, **settings, alpha=page.alpha) for part in used(page.pixels)]
        return [*pixels, *(prepare(values, **settings) for values in page.further)]

    def choices(self, planes: list[Plane], *, jpeg: bool) -> list[Choice]:
        """Choose a model for each plane: one for all grey ones, and one for all in colour."""
        found = {}
        for channels in {plane.channels for plane in planes}:
            alike = [plane for plane in planes if plane.channels == channels]
            sigmas = [plane.sigma for plane in alike]
            noises = [plane.noise for plane in alike]
            seen = choose.seen_together(channels, sigmas, noises, jpeg=jpeg)
            if self.ask:
                asked = choose.for_all(self.candidates, sigmas), seen, self.options.noise
                choice = choose.choose(*asked)
            else:
                choice = choose.judge(self.candidates[0], seen)
            found[channels] = choose.doubted(choice, seen, sigmas)
        return [found[plane.channels] for plane in planes]

    def _lost(self, loaded: Loaded) -> list[str]:
        """Name what the output has no place for, in the log once for each case."""
        kind = heads.FORMATS.get(loaded.job.target.suffix.lower(), "")
        found = [metadata.lost(page, kind) for page in loaded.pages]
        lost = list(dict.fromkeys(name for names in found for name in names))
        if lost and (case := (kind, *lost)) not in self._said:
            self._said.add(case)
            log.warning("%s: not kept in the %s: %s", loaded.job.name, kind, ", ".join(lost))
        return lost

    def _denoiser(self, candidate: Candidate) -> PixelDenoiser | PhotographDenoiser:
        if candidate.sha256 not in self._ready:
            denoiser = engines.run_by(load(str(candidate.path), self.compute), self.options.engine)
            how, side = self.options.how, self.options.side
            suited = PhotographDenoiser if is_for_photographs(denoiser) else PixelDenoiser
            self._ready[candidate.sha256] = suited(denoiser, how, side=side)
        return self._ready[candidate.sha256]

    def tell(self, job: Job, choices: Sequence[Choice], channels: int) -> None:
        """Log which model was picked and why: once for each case."""
        models = ", ".join(dict.fromkeys(choice.name for choice in choices))
        level = logging.DEBUG if (models, channels) in self._said else logging.INFO
        log.log(level, "%s: %s (%s)", job.name, models, choices[0].why)
        self._said.add((models, channels))

    def warn(self, job: Job, models: str, channels: int, doubt: str) -> None:
        """Log what speaks against the result: once for each case."""
        case = (models, channels, doubt)
        if doubt and case not in self._said:
            self._said.add(case)
            log.warning("%s: %s: %s", job.name, models, doubt)


def _writable(page: Picture) -> Picture:
    return replace(
        page,
        pixels=np.require(page.pixels, requirements=["C", "W"]),
        further=tuple(np.require(plane, requirements=["C", "W"]) for plane in page.further),
    )


def record_of(job: Job, status: str) -> Record:
    """Return the beginning of a line in the journal."""
    return {"file": job.name, "output": job.output, "status": status}


def failure(job: Job, error: Exception) -> Record:
    """Return the line in the journal of an image that failed, with the reason."""
    log.debug("%s", job.source, exc_info=error)
    text = why(error, whole=True)
    if isinstance(error, FileNotFoundError) and job.source.is_symlink():
        target = job.source.readlink()
        text = f"expected an image, found a link to {target}, which is not there; mend the link"
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: {error.filename or job.source}"
    elif not isinstance(error, UserError | OSError):
        text = f"{type(error).__name__}: {text}"
    return record_of(job, "failed") | {"reason": text}
