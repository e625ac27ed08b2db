"""A folder's images in parts, each for a job or a machine of its own."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.parts import read_part
from restore.errors import RestoreError
from restore.folders.listing import Job


@dataclass(frozen=True)
class Shard:
    """A part of a folder's images: those whose name falls on `number` of `count`.

    The part depends on the name alone, so that a new image leaves all others in their shards.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read 'K/N', K from 1 to N.

        Raises
        ------
        RestoreError
            Another form, or K out of its range.
        """
        return cls(*read_part(text, "shard", RestoreError))

    @classmethod
    def of(cls, name: str, count: int) -> "Shard":
        """Return on which of `count` shards the image called `name` falls."""
        return cls(_number(name, count), count)

    def holds(self, name: str) -> bool:
        """Return whether the image called `name` belongs to this shard."""
        return self.count == 1 or _number(name, self.count) == self.number

    @property
    def label(self) -> str:
        """Return number and count for file names, such as '03-of-12'."""
        return f"{self.number:0{len(str(self.count))}d}-of-{self.count}"

    @property
    def suffix(self) -> str:
        """Return the end of the name of this shard's journal; empty where there is one shard."""
        return "" if self.count == 1 else f"-{self.label}"


def _number(name: str, count: int) -> int:
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8]) % count + 1


def shard_count(images: int, images_per_shard: int) -> int:
    """Choose a number of shards that seldom changes while a folder grows.

    Parameters
    ----------
    images : int
        In the folder.
    images_per_shard : int
        More than these fall on no shard, on average.

    Returns
    -------
    int
        A power of two, so that it stays until the folder has doubled, and then each shard falls
        in two.

    Examples
    --------
    >>> [shard_count(images, 300) for images in (1, 300, 301, 1000, 1200, 1_000_000)]
    [1, 1, 2, 4, 4, 4096]
    """
    needed = max(1, -(-images // images_per_shard))
    return 1 << (needed - 1).bit_length()


def divide(jobs: Iterable[Job], images_per_shard: int) -> dict[str, list[Job]]:
    """Divide a folder's images into shards.

    Parameters
    ----------
    jobs : iterable of Job
        As `restore.folders.listing.folder` gives them.
    images_per_shard : int
        See `shard_count`.

    Returns
    -------
    dict of str to list of Job
        By the shard's label, in order; shards on which no image falls are left out.
    """
    jobs = list(jobs)
    count = shard_count(len(jobs), images_per_shard)
    parts: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        parts[Shard.of(job.name, count).label].append(job)
    return dict(sorted(parts.items()))


def state(jobs: Iterable[Job]) -> str:
    """Hash what a glance tells of images: names, sizes, times of change; not their content.

    Parameters
    ----------
    jobs : iterable of Job

    Returns
    -------
    str
        16 hexadecimal digits; another state where an image came, went or changed.
    """
    digest = hashlib.sha256()
    for job in jobs:
        size, changed = _glance(job.source)
        digest.update(f"{job.name}\0{size}\0{changed}\0{job.problem}\0".encode("utf-8", "replace"))
    return digest.hexdigest()[:16]


def _glance(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # a link that leads nowhere: told of when it is read
        return 0, 0
    return found.st_size, found.st_mtime_ns
