"""Pair every image of a folder with its output, before any work."""

import fnmatch
import hashlib
import logging
import os
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from restore import images
from restore.errors import RestoreError

log = logging.getLogger(__name__)

# --format -> suffix of the outputs; 'auto' and 'same' keep the input's.
TARGETS = {"png": ".png", "tiff": ".tif", "jpeg": ".jpg", "webp": ".webp"}
FORMATS = ("auto", "same", *TARGETS)
_NAMED_AS_FAILED = frozenset({".gif"})  # an image to anyone, but not one that is read here


@dataclass(frozen=True)
class Job:
    """One image to denoise.

    Attributes
    ----------
    source, target : Path
        The input file and the output file.
    name : str
        The input below the input folder, with '/'; what the journal calls it.
    output : str
        The output below the output folder, likewise.
    problem : str
        Why the image cannot be denoised, known before any work; empty for none.
    """

    source: Path
    target: Path
    name: str
    output: str
    problem: str = ""


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
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise RestoreError(f"--shard {text}: expected K/N with K from 1 to N, such as 3/10")
        return cls(int(found[1]), int(found[2]))

    def holds(self, name: str) -> bool:
        """Tell whether the image called `name` belongs to this shard."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.count == self.number - 1

    @property
    def suffix(self) -> str:
        """What tells this shard's journal from the others'; empty where there is one shard."""
        if self.count == 1:
            return ""
        width = len(str(self.count))
        return f"-{self.number:0{width}d}-of-{self.count}"


def single(source: Path, target: Path, form: str) -> Job:
    """Pair one image with its output, which may be named as a file or as a folder.

    Raises
    ------
    RestoreError
        The output is the input itself, or has no image's name.
    """
    is_folder = target.is_dir() or not target.suffix
    out = target / output_name(source, form) if is_folder else target
    if out.resolve() == source.resolve():
        raise RestoreError(f"{out}: the output is the input itself; name another file or folder")
    if out.suffix.lower() not in images.SUFFIXES:
        known = ", ".join(sorted(images.SUFFIXES))
        raise RestoreError(f"{out}: expected an image name ending in one of {known}")
    return Job(source, out, source.name, out.name)


def folder(
    source: Path,
    target: Path,
    *,
    recursive: bool = False,
    exclude: Sequence[str] = (),
    form: str = "auto",
) -> list[Job]:
    """Pair the images of a folder with their outputs, sub-folders mirrored.

    Parameters
    ----------
    source, target : Path
    recursive : bool
        Sub-folders too. Links to folders, and links out of `source`, are not followed.
    exclude : sequence of str
        Patterns such as 'drafts' or '*.bak.png'; what matches, by its name or by its path below
        `source`, is left out.
    form : str
        One of `FORMATS`.

    Returns
    -------
    list of Job
        By name. Images that would share an output have a `problem`, all of them.

    Raises
    ------
    RestoreError
        No folder, no image in it, or folders inside each other.
    """
    if not source.is_dir():
        raise RestoreError(f"{source}: no such image or folder")
    _apart(source, target, exclude)
    paths = sorted(_images(source, recursive, exclude))
    if not paths:
        hint = "" if recursive else "; --recursive looks into sub-folders"
        raise RestoreError(f"{source}: expected a folder with images, found none{hint}")
    shared: defaultdict[str, list[Job]] = defaultdict(list)
    for path in paths:
        below = path.relative_to(source)
        output = below.parent / output_name(path, form)
        job = Job(path, target / output, below.as_posix(), output.as_posix())
        shared[_key(job.output)].append(job)
    return [_checked(job, shared[_key(job.output)]) for jobs in shared.values() for job in jobs]


def output_name(path: Path, form: str) -> str:
    """Name the output of an image: a lossy input becomes PNG unless `form` says otherwise."""
    if form in TARGETS:
        same = images.FORMATS.get(path.suffix.lower()) == images.FORMATS[TARGETS[form]]
        return path.name if same else path.stem + TARGETS[form]
    lossy = form == "auto" and images.is_lossy(path)
    return f"{path.stem}.png" if lossy else path.name


def _apart(source: Path, target: Path, exclude: Sequence[str]) -> None:
    """Refuse an output folder that is, holds or lies in the input folder."""
    inner, outer = source.resolve(), target.resolve()
    inside = inner in outer.parents and not any(
        _excluded(part.relative_to(inner), exclude)
        for part in (outer, *outer.parents)
        if inner in part.parents
    )
    if inner == outer or inside or outer in inner.parents:
        raise RestoreError(
            f"{target}: the output folder is, holds or lies in the input folder {source}; "
            "name one beside it, or leave one inside it out with --exclude"
        )


def _images(source: Path, recursive: bool, exclude: Sequence[str]) -> Iterator[Path]:
    """Find image files; say what else was left alone."""
    others: Counter[str] = Counter()
    root = source.resolve()
    for place, folders, names in os.walk(source, onerror=_stop):
        at = Path(place)
        folders[:] = [
            name
            for name in sorted(folders)
            if recursive and not _excluded((at / name).relative_to(source), exclude)
        ]
        for name in names:
            path = at / name
            if name.startswith(".") or _excluded(path.relative_to(source), exclude):
                continue
            if path.suffix.lower() not in images.SUFFIXES | _NAMED_AS_FAILED:
                others[path.suffix.lower() or "no suffix"] += 1
            elif path.is_symlink() and root not in path.resolve().parents:
                others["links out of the folder"] += 1
            elif path.is_file() or path.is_symlink():
                yield path
    if others:
        kinds = ", ".join(f"{count} {kind}" for kind, count in others.most_common(8))
        log.info("%s: left alone, as no images: %s", source, kinds)


def _stop(error: OSError) -> None:
    raise RestoreError(f"{error.filename}: cannot be listed ({error.strerror})") from error


def _excluded(below: Path, patterns: Sequence[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(below.name, pattern.rstrip("/"))
        or fnmatch.fnmatchcase(below.as_posix(), pattern.rstrip("/"))
        for pattern in patterns
    )


def _key(output: str) -> str:
    """Give what two outputs share if one would replace the other."""
    if sys.platform == "darwin":  # its file systems take these for the same name
        return unicodedata.normalize("NFC", output).casefold()
    return output


def _checked(job: Job, sharing: list[Job]) -> Job:
    others = [other.name for other in sharing if other is not job]
    if job.source.suffix.lower() in _NAMED_AS_FAILED:
        problem = "expected a still image, found a GIF by its name; convert it to PNG first"
    elif others:
        problem = f"{', '.join(others)} would be written to {job.output} too; rename one of them"
    else:
        return job
    return Job(job.source, job.target, job.name, job.output, problem)
