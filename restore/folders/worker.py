"""What happens to one image on its way: read and judged, restored, written and recorded."""

import logging
import math
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine import artifacts
from engine.device import Compute
from engine.errors import UserError, why
from restore.denoising import choose, levels, noise_level
from restore.denoising.choose import Candidate, Choice, Seen
from restore.denoising.pixels import PixelDenoiser
from restore.errors import RestoreError
from restore.folders.journal import Journal
from restore.folders.listing import Job
from restore.folders.options import FolderOptions
from restore.folders.pipeline import Finished
from restore.images import files, heads
from restore.images.picture import Picture
from restore.networks.denoiser import load

log = logging.getLogger(__name__)

Record = dict[str, Any]


@dataclass
class Loaded:
    """An image that is read, and its model chosen; its pixels are restored in place."""

    job: Job
    began: float
    sha256: str
    pages: list[Picture]
    sigmas: list[float]
    choice: Choice


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
        self._ready: dict[str, PixelDenoiser] = {}
        self._said: set[Hashable] = set()
        if not ask:
            self._denoiser(candidates[0])  # a file of something else is an error now, not later

    def size(self, job: Job) -> int:
        """Return about how many bytes an image takes while it is decoded, restored, encoded."""
        return 0 if job.problem else 2 * heads.decoded_bytes(job.source)

    def load(self, job: Job) -> Loaded | Finished[Record]:
        """Read an image, unless it is done already, and choose its model."""
        began = time.monotonic()
        try:
            if job.problem:
                raise RestoreError(job.problem)
            digest = artifacts.sha256_file(job.source)
            if self._is_done(job, digest):
                self.journal.skip(job)
                return Finished(_record(job, "skipped"))
            pages = [_writable(page) for page in files.read_pages(job.source)]
            sigmas = [self._sigma(page) for page in pages]
            loaded = Loaded(job, began, digest, pages, sigmas, self._choice(pages, sigmas))
            choice = loaded.choice
            if self.options.strict and choice.doubt:
                raise RestoreError(f"{choice.candidate.name}: {choice.doubt} (--strict)")
            return loaded
        except Exception as error:  # whatever one file does, the others go on
            return Finished(_failure(job, error))

    def alike(self, loaded: Loaded) -> tuple[Hashable, int]:
        """Return what images share that go through a model together, and how many of them fit."""
        first = loaded.pages[0].pixels
        if len(loaded.pages) > 1:
            return object(), 1
        try:
            side = self._denoiser(loaded.choice.candidate).side
        except Exception:  # told of by `restore`, as a failure of this image
            return object(), 1
        kind = (loaded.choice.candidate.sha256, first.shape, first.dtype)
        return kind, max(1, side**2 // math.prod(first.shape[:2]))

    def restore(self, batch: list[Loaded]) -> list[Loaded | Finished[Record]]:
        """Restore a batch in place."""
        for loaded in batch:
            self._say(loaded)
        try:
            denoiser = self._denoiser(batch[0].choice.candidate)
            sigmas = [[value if math.isfinite(value) else 0 for value in x.sigmas] for x in batch]
            if len(batch) > 1:
                denoiser([x.pages[0].pixels for x in batch], [values[0] for values in sigmas])
            else:
                for page, sigma in zip(batch[0].pages, sigmas[0], strict=True):
                    denoiser([page.pixels], [sigma])
        except Exception as error:
            return [Finished(_failure(loaded.job, error)) for loaded in batch]
        return list(batch)

    def store(self, loaded: Loaded) -> Record:
        """Write the result; its line in the journal is written right before it gets its name."""
        job, candidate = loaded.job, loaded.choice.candidate
        try:
            with artifacts.atomic(job.target, folder=self._parts(job.target.parent)) as part:
                files.encode(part, loaded.pages)
                sigma = float(np.mean(loaded.sigmas))
                record = _record(job, "done") | {
                    "model": candidate.name,
                    "why": loaded.choice.why,
                    "sigma": round(sigma, 2) if math.isfinite(sigma) else None,
                    "size": list(loaded.pages[0].pixels.shape),
                    "seconds": round(time.monotonic() - loaded.began, 3),
                    "input_sha256": loaded.sha256,
                    "weights_sha256": candidate.sha256,
                }
                if len(loaded.pages) > 1:
                    record["pages"] = len(loaded.pages)
                if loaded.choice.doubt:
                    record["doubt"] = loaded.choice.doubt
                job.target.unlink(missing_ok=True)
                self.journal.add(record)
        except Exception as error:
            return _failure(job, error)
        return record

    def _is_done(self, job: Job, sha256: str) -> bool:
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

    def _parts(self, folder: Path) -> Path | None:
        """Return the folder of an unfinished file; None if that is on another disk."""
        folder.mkdir(parents=True, exist_ok=True)
        there = folder.stat().st_dev == self.journal.parts.stat().st_dev
        return self.journal.parts if there else None

    def _sigma(self, page: Picture) -> float:
        if self.options.sigma is not None:
            return self.options.sigma
        return noise_level.estimate(page.pixels, levels.white(page.pixels))

    def _choice(self, pages: list[Picture], sigmas: list[float]) -> Choice:
        channels = 3 if pages[0].pixels.ndim == 3 else 1
        seen = Seen(channels, pages[0].format == "JPEG", float(np.mean(sigmas)))
        if self.ask:
            choice = choose.choose(self.candidates, seen)
        else:
            choice = choose.judge(self.candidates[0], seen)
        doubts = [choice.doubt, *dict.fromkeys(levels.doubt(page.pixels) for page in pages)]
        return replace(choice, doubt="; ".join(filter(None, doubts)))

    def _denoiser(self, candidate: Candidate) -> PixelDenoiser:
        if candidate.sha256 not in self._ready:
            denoiser = load(str(candidate.path), self.compute)
            how, side = self.options.how, self.options.side
            self._ready[candidate.sha256] = PixelDenoiser(denoiser, how, side=side)
        return self._ready[candidate.sha256]

    def _say(self, loaded: Loaded) -> None:
        """Log which model was picked and why, and what speaks against it: once for each case."""
        choice = loaded.choice
        case = (
            choice.candidate.sha256,
            loaded.pages[0].pixels.ndim,
            loaded.pages[0].format == "JPEG",
        )
        level = logging.DEBUG if case in self._said else logging.INFO
        log.log(level, "%s: %s (%s)", loaded.job.name, choice.candidate.name, choice.why)
        if choice.doubt and (*case, "doubt") not in self._said:
            self._said.add((*case, "doubt"))
            log.warning("%s: %s: %s", loaded.job.name, choice.candidate.name, choice.doubt)
        self._said.add(case)


def _writable(page: Picture) -> Picture:
    return replace(page, pixels=np.require(page.pixels, requirements=["C", "W"]))


def _record(job: Job, status: str) -> Record:
    return {"file": job.name, "output": job.output, "status": status}


def _failure(job: Job, error: Exception) -> Record:
    log.debug("%s", job.source, exc_info=error)
    text = why(error, whole=True)
    if not isinstance(error, UserError | OSError):
        text = f"{type(error).__name__}: {text}"
    return _record(job, "failed") | {"reason": text}
