"""Denoise an image that comes from standard input, or goes to standard output.

The image passes through a temporary folder, as the readers and writers need files. No journal is
kept: each call does its work.
"""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from engine import artifacts
from engine.command import kept_output, read_input
from engine.errors import Partial, UserError
from restore.errors import RestoreError
from restore.folders import contact_sheet, naming
from restore.folders.contact_sheet import BeforeAfter
from restore.folders.folder import denoise_folder
from restore.images import codecs, heads
from restore.images.zarr import layout

PIPE = "-"  # as an input or output; a file of that name is given by its full path


def denoise_piped(source: str, target: str, model: str = "auto", **options: Any) -> None:
    """Denoise one image, of which the input, the output or both are pipes.

    Parameters
    ----------
    source : str
        '-' for standard input, or an image file.
    target : str
        '-' for standard output, or a file to write. On standard output the form 'auto' is the
        format of the input; where that is only read (HEIC, JPEG XL, AVIF, JPEG 2000), PNG, and TIFF
        for a camera RAW.
    model : str
    **options
        Those of `denoise_folder`.

    Raises
    ------
    RestoreError
        Before any work: not one image, or an output that exists.
    Partial
        The image cannot be denoised; the message says why.
    """
    with ExitStack() as stack:
        out = stack.enter_context(kept_output()) if target == PIPE else None
        if source != PIPE and not Path(source).is_file():
            raise RestoreError(f"{source}: {_no_file(Path(source))}")
        if target != PIPE:
            _check(target, overwrite=options.get("overwrite", False))
            if options.get("compare"):
                sheet = BeforeAfter(target, Path(source), Path(target))
                contact_sheet.check_apart(Path(options["compare"]), [sheet])
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="restore-")))
        read = _received(folder) if source == PIPE else Path(source)
        form = options.pop("form", "auto")
        if out is not None and form == "auto" and read.suffix.lower() in heads.FORMATS:
            form = "same"
        name = naming.output_name(read, form) if out is not None else Path(target).name
        made = folder / "out" / name
        try:
            denoise_folder(read, made, model, form=form, **options)
        except (UserError, Partial) as error:
            said = str(error).replace(str(made), target if out is None else "standard output")
            if source == PIPE:
                said = said.replace(str(read), "standard input")
            raise type(error)(said) from error
        _deliver(made, target, out)


def _received(folder: Path) -> Path:
    """Write standard input to a file whose suffix is that of its content; .png for no image."""
    path = folder / "stdin"
    read_input(path, "an image")
    try:
        return path.rename(path.with_suffix(codecs.suffix_of(path) or ".png"))
    except RestoreError as error:
        raise RestoreError(str(error).replace(str(path), "standard input")) from error


def _no_file(source: Path) -> str:
    if layout.is_store(source):
        return "expected an image file, found a Zarr store, which is no file; name a store to write"
    if source.is_dir():
        return "expected one image, found a folder; only one goes through a pipe"
    return "no such image"


def _check(target: str, *, overwrite: bool) -> None:
    """Refuse an output that is no image's name, or exists."""
    path = Path(target)
    if artifacts.names_folder(target):
        raise RestoreError(f"{target}: expected an image to write, found a folder; name a file")
    if path.exists() and not overwrite:
        raise RestoreError(f"{target} exists; use `overwrite` to replace it")


def _deliver(made: Path, target: str, out: BinaryIO | None) -> None:
    """Write what was made to its place."""
    if out is not None:
        with made.open("rb") as file:
            shutil.copyfileobj(file, out)
        out.flush()
    else:
        with artifacts.atomic(target) as part:
            shutil.copyfile(made, part)
