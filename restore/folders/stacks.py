"""A Zarr stack on its way: looked at, restored slab by slab into a copy, and recorded.

What is in memory is a slab of planes, however large the stack. Each channel of an image has one
model, chosen by planes spread over all of it.
"""

import math
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts
from engine.errors import parsing
from engine.threads.ahead import ahead
from restore.denoising.choose import Choice
from restore.denoising.noise_seen import Noise, combined
from restore.errors import RestoreError
from restore.folders.listing import Job
from restore.folders.plane import Plane
from restore.folders.worker import Record, Worker, failure, record_of
from restore.images import gaps
from restore.images.picture import Picture
from restore.images.zarr import layout, store
from restore.images.zarr.layout import Stored

LOOKED_AT = 8  # planes of a channel

Choices = dict[tuple[int, int], Choice]  # of a channel, and of planes of one or three channels


@dataclass
class _Seen:
    """What was seen and done, for the journal."""

    choices: list[Choice] = field(default_factory=list)
    sigmas: list[float] = field(default_factory=list)
    noises: list[Noise] = field(default_factory=list)
    doubts: dict[str, None] = field(default_factory=dict)  # in their order
    planes: int = 0
    no_data: int = 0
    exact: bool = True

    def add(self, plane: Plane) -> None:
        """Note what a plane was, and came to."""
        self.sigmas.append(plane.sigma)
        self.noises.append(plane.noise)
        self.no_data += 0 if plane.gaps is None else plane.gaps.count
        self.doubts |= {plane.doubt: None} if plane.doubt else {}


def denoise(job: Job, worker: Worker) -> Record:
    """Denoise the images of a Zarr store into a copy of it, which appears whole or not at all."""
    began = time.monotonic()
    try:
        if job.problem:
            raise RestoreError(job.problem)
        if job.target.exists() and not layout.is_store(job.target):
            raise RestoreError(f"{job.target}: exists and is no Zarr store; name another output")
        digest = store.sha256(job.source)
        if worker.is_done(job, digest):
            worker.journal.skip(job)
            return record_of(job, "skipped")
        with (
            parsing(job.source, "cannot be denoised", RestoreError),
            artifacts.atomic_folder(job.target, folder=worker.parts(job.target.parent)) as part,
        ):
            record = _denoised(job, worker, part) | {
                "seconds": round(time.monotonic() - began, 3),
                "input_sha256": digest,
            }
            artifacts.remove_folder(job.target)
            worker.journal.add(record)
    except Exception as error:  # whatever one store does, the other images go on
        return failure(job, error)
    return record


def _denoised(job: Job, worker: Worker, part: Path) -> Record:
    """Write a denoised copy of a store into an empty folder, and return what there is to record."""
    images = layout.images(job.source)
    for image in images:
        store.check(image)
    store.copy(job.source, part, images)
    seen = _Seen()
    for image in images:
        choices = _choose(image, worker)
        found = list(choices.values())
        seen.choices += found
        seen.doubts |= {choice.doubt: None for choice in found if choice.doubt}
        _refuse_doubts(seen, worker)
        if found:
            worker.tell(job, found, 3 if image.colours is not None else 1)
        _restore(image, choices, worker, store.opened(part, image.name), seen)
        store.reduce(image, part)
    _refuse_doubts(seen, worker)
    expected = sum(image.planes for image in images)
    if seen.planes != expected:
        raise RestoreError(
            f"expected all {expected} planes of the input in the output, found {seen.planes}; "
            "nothing is written"
        )
    if seen.doubts:
        worker.warn(job, "Zarr", 0, "; ".join(seen.doubts))
    return _record(job, images, seen)


def _choose(image: Stored, worker: Worker) -> Choices:
    """Choose a model for each channel."""
    everywhere: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for key in store.slabs(image):
        for place in store.places(image, key):
            everywhere[image.channel(place)].append(place)
    chosen: Choices = {}
    for channel, places in everywhere.items():
        spread = np.linspace(0, len(places) - 1, min(LOOKED_AT, len(places)))
        planes: list[Plane] = []
        for number in spread:
            found = store.read(image, image.array, store.key_of(image, places[int(number)]))
            page = store.picture(image, found[0])
            planes += worker.planes(page) if _has_data(page) else []
        if planes:
            choices = worker.choices(planes, jpeg=False)
            for plane, choice in zip(planes, choices, strict=True):
                chosen[channel, plane.channels] = choice
    return chosen


def _restore(image: Stored, choices: Choices, worker: Worker, target: Any, seen: _Seen) -> None:
    """Restore an image slab by slab; slabs are read while others are restored."""

    def read(key: store.Key) -> NDArray[Any]:
        return store.read(image, image.array, key)

    for key, stored in ahead(read, store.slabs(image)):
        pages: dict[int, Picture] = {}
        planes: dict[tuple[int, int], list[Plane]] = defaultdict(list)
        for number, place in enumerate(store.places(image, key)):
            seen.planes += 1
            page = store.picture(image, stored[number])
            if not _has_data(page):
                continue
            pages[number] = page
            for plane in worker.planes(page):
                planes[image.channel(place), plane.channels].append(plane)
        for case, alike in planes.items():
            if case not in choices:  # such as grey among colours
                choices |= {case: worker.choices(alike, jpeg=False)[0]}
                seen.choices.append(choices[case])
            count = worker.fitting(choices[case], alike[0].values.shape)
            for first in range(0, len(alike), count):
                worker.run(choices[case], alike[first : first + count])
            for plane in alike:
                plane.finish()
                seen.add(plane)
        for number, page in pages.items():
            stored[number] = store.samples_of(page)
        seen.exact &= store.write(image, target, key, stored)


def _has_data(page: Picture) -> bool:
    found = gaps.find(page.pixels, page.no_data)
    return found is None or found.count < found.where.size


def _refuse_doubts(seen: _Seen, worker: Worker) -> None:
    if worker.options.strict and seen.doubts:
        raise RestoreError(f"{'; '.join(seen.doubts)} (--strict)")


def _record(job: Job, images: list[Stored], seen: _Seen) -> Record:
    sigma = float(np.mean(seen.sigmas)) if seen.sigmas else math.nan
    candidates = [choice.candidate for choice in seen.choices if choice.candidate is not None]
    first = seen.choices[0] if seen.choices else None
    record = record_of(job, "done") | {
        "model": ", ".join(dict.fromkeys(choice.name for choice in seen.choices)) or "none",
        "why": "no plane with data in it" if first is None else first.why,
        "sigma": round(sigma, 2) if math.isfinite(sigma) else None,
        "size": [images[0].array.shape[axis] for axis in (images[0].rows, images[0].columns)],
        "planes": seen.planes,
        "weights_sha256": candidates[0].sha256 if candidates else None,
        "noise": combined(seen.noises).recorded() if seen.noises else None,
    }
    if seen.doubts:
        record["doubt"] = "; ".join(seen.doubts)
    if seen.no_data:
        record["no_data"] = seen.no_data
    if not seen.exact:
        record["lost"] = ["exact values: the store's codec rounds them"]
    return record
