"""Pair every image of a folder with its output, before any work."""

import fnmatch
import logging
import os
import posixpath
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine import artifacts
from engine.errors import why
from restore.errors import RestoreError
from restore.folders.naming import LISTED, NAMED_AS_FAILED, TARGETS, output_below, output_name
from restore.images import heads
from restore.images.zarr import layout

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One image to denoise.

    A folder may hold a million: the two paths are made of their parts when they are asked for.

    Attributes
    ----------
    inputs, outputs : Path
        The input folder and the output folder.
    name : str
        The input below the input folder, with '/'; what the journal calls it.
    output : str
        The output below the output folder, likewise.
    problem : str
        Why the image cannot be denoised, known before any work; empty for none.
    """

    inputs: Path
    outputs: Path
    name: str
    output: str
    problem: str = ""

    @property
    def source(self) -> Path:
        """Return the input file."""
        return self.inputs / self.name

    @property
    def target(self) -> Path:
        """Return the output file."""
        return self.outputs / self.output

    @property
    def is_store(self) -> bool:
        """Return whether the input is a Zarr store, or a folder that should be one."""
        return self.source.suffix.lower() not in LISTED and self.source.is_dir()


def single(source: Path, target: Path | str, form: str) -> Job:
    """Pair one image, or one Zarr store, with its output: a name of its own, or a folder.

    A text that ends with a slash is a folder, whatever its suffix.

    Raises
    ------
    RestoreError
        The output is the input itself, or lies in it, or has no image's name.
    """
    if layout.is_store(source):
        return _single_store(source, target, form)
    is_folder = artifacts.names_folder(target)
    out = Path(target) / output_name(source, form) if is_folder else Path(target)
    if is_folder and Path(target).is_file():
        raise RestoreError(f"{target}: expected a folder, found a file; leave out the slash")
    if out.resolve() == source.resolve():
        raise RestoreError(f"{out}: the output is the input itself; name another file or folder")
    if out.suffix.lower() == ".dng":
        raise RestoreError(f"{out}: {heads.NO_DNG}")
    if out.suffix.lower() not in heads.SUFFIXES:
        known = ", ".join(sorted(heads.SUFFIXES))
        raise RestoreError(f"{out}: expected an image name ending in one of {known}")
    wanted = source.suffix.lower() if form == "same" else TARGETS.get(form, "")
    if wanted in heads.FORMATS and heads.FORMATS[out.suffix.lower()] != heads.FORMATS[wanted]:
        raise RestoreError(
            f"`form` {form}: expected a name ending in {wanted}, found {out}; rename it, or leave "
            "`form` out"
        )
    return Job(source.parent, out.parent, source.name, out.name)


def _single_store(source: Path, named: Path | str, form: str) -> Job:
    target, slash = Path(named), str(named).endswith("/")
    if problem := _problem_of_store(source, form):
        raise RestoreError(f"{source}: {problem}")
    is_store = target.suffix.lower() == layout.SUFFIX or layout.is_store(target)
    out = target if is_store else target / source.name
    if target.suffix and not (is_store or slash or target.is_dir()):
        raise RestoreError(f"{target}: expected a name ending in {layout.SUFFIX}, as the input is")
    inner, outer = out.resolve(), source.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise RestoreError(f"{out}: the output is, holds or lies in the input; name another one")
    return Job(source.parent, out.parent, source.name, out.name)


def folder(
    source: Path,
    target: Path,
    *,
    recursive: bool = False,
    exclude: Sequence[str] = (),
    form: str = "auto",
    holds: Callable[[str], bool] | None = None,
) -> list[Job]:
    """Pair the images of a folder with their outputs, sub-folders mirrored.

    Parameters
    ----------
    source, target : Path
    recursive : bool
        Sub-folders too. Links to folders, and links out of `source`, are not followed, and names
        that begin with a dot are left out, which is said.
    exclude : sequence of str
        Patterns such as 'drafts' or '*.bak.png'; what matches, by its name or by its path below
        `source`, is left out.
    form : str
        One of `restore.folders.naming.FORMATS`.
    holds : callable, optional
        Predicate on the image's name. Images it rejects are not returned, but still count when
        two inputs share an output.

    A Zarr store is one image: a folder that ends with .zarr, or, among sub-folders, one that holds
    Zarr's metadata.

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
    if source.suffix.lower() == layout.SUFFIX:
        raise RestoreError(f"{source}: {_problem_of_store(source, form)}")
    _apart(source, target, exclude)
    names = sorted(_images(source, recursive, exclude))
    if not names:
        hint = "" if recursive else "; `recursive` looks into sub-folders"
        raise RestoreError(f"{source}: expected a folder with images, found none{hint}")
    outputs = {name: output_below(source, name, form) for name in names}
    shared: defaultdict[str, list[str]] = defaultdict(list)
    for name, output in outputs.items():
        shared[_key(output)].append(name)
    return [
        _checked(
            Job(source, target, name, output),
            [other for other in shared[_key(output)] if other != name],
            form,
        )
        for name, output in outputs.items()
        if holds is None or holds(name)
    ]


def _apart(source: Path, target: Path, exclude: Sequence[str]) -> None:
    """Refuse an output folder that is, holds or lies in the input folder."""
    inner, outer = source.resolve(), target.resolve()
    inside = inner in outer.parents and not any(
        _excluded(part.relative_to(inner).as_posix(), exclude)
        for part in (outer, *outer.parents)
        if inner in part.parents
    )
    if inner == outer or inside or outer in inner.parents:
        raise RestoreError(
            f"{target}: the output folder is, holds or lies in the input folder {source}; "
            "name one beside it, or leave one inside it out with `exclude`"
        )


def _images(source: Path, recursive: bool, exclude: Sequence[str]) -> Iterator[str]:
    """Find image files, named below `source` with '/'; say what else was left alone.

    A folder may hold a million: no `Path` is made of each, and none is looked at twice.
    """
    others: Counter[str] = Counter()
    root = source.resolve()
    pending = [""]
    while pending:
        at = pending.pop()
        entries = _entries(source / at)
        if at and any(entry.name in layout.METADATA[:3] for entry in entries):
            yield at.rstrip("/")
            continue
        for entry in entries:
            name = at + entry.name
            if _is_folder(entry):
                if _excluded(name, exclude):
                    continue
                if entry.is_symlink() or entry.name.startswith("."):
                    if recursive:
                        kind = "links to folders" if entry.is_symlink() else "hidden folders"
                        others[kind] += 1
                elif posixpath.splitext(name)[1].lower() == layout.SUFFIX:
                    yield name
                elif recursive:
                    pending.append(f"{name}/")
                continue
            suffix = posixpath.splitext(entry.name)[1].lower()
            hidden = entry.name.startswith(".")
            if _excluded(name, exclude) or (hidden and suffix not in LISTED):
                continue
            if hidden:
                others["hidden images"] += 1
            elif suffix not in LISTED:
                others[suffix or "no suffix"] += 1
            elif entry.is_symlink() and root not in Path(entry.path).resolve().parents:
                others["links out of the folder"] += 1
            elif entry.is_file() or entry.is_symlink():
                yield name
    if others:
        kinds = ", ".join(f"{count} {kind}" for kind, count in others.most_common(8))
        log.info("%s: left alone: %s", source, kinds)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder; its entries know without another look whether they are files."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError as error:
        raise RestoreError(f"{folder}: cannot be listed ({why(error)})") from error


def _excluded(name: str, patterns: Sequence[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(part, pattern.rstrip("/"))
        for pattern in patterns
        for part in (name.rpartition("/")[2], name)
    )


def _key(output: str) -> str:
    """Return what two outputs share if one would replace the other."""
    if sys.platform == "darwin":  # its file systems take these for the same name
        return unicodedata.normalize("NFC", output).casefold()
    return output


def _checked(job: Job, sharing: list[str], form: str) -> Job:
    suffix, becomes = (posixpath.splitext(name)[1].lower() for name in (job.name, job.output))
    if suffix in NAMED_AS_FAILED:
        problem = "expected a still image, found a GIF by its name; convert it to PNG first"
    elif sharing:
        problem = f"{', '.join(sharing)} would be written to {job.output} too; rename one of them"
    elif suffix not in heads.READABLE:
        problem = _problem_of_store(job.source, form)
    elif becomes not in heads.SUFFIXES:
        problem = f"{job.target.suffix} is read and not written; choose png or tiff as `form`"
    else:
        return job
    return replace(job, problem=problem)


def _problem_of_store(source: Path, form: str) -> str:
    """Return why a folder that should be a Zarr store cannot be denoised; '' for nothing."""
    if not layout.is_store(source):
        known = ", ".join(layout.METADATA[:3])
        return f"expected a Zarr store, found a folder with none of {known}; copy it again"
    if form not in ("auto", "same"):
        return f"expected auto or same as `form` of a Zarr store, found {form}"
    return ""
