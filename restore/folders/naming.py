"""What files are taken for images, and how their outputs are called."""

import posixpath
from functools import cache
from pathlib import Path

from restore.images import heads

NAMED_AS_FAILED = frozenset({".gif"})  # an image to anyone, but not one that is read here
LISTED = heads.READABLE | NAMED_AS_FAILED

# Form -> suffix of the outputs; 'auto' and 'same' keep the input's.
TARGETS = {"png": ".png", "tiff": ".tif", "jpeg": ".jpg", "webp": ".webp"}
FORMATS = ("auto", "same", *TARGETS)


def output_name(path: Path, form: str) -> str:
    """Return the name of an output: a lossy input becomes PNG unless `form` says otherwise."""
    if form in TARGETS:
        same = heads.FORMATS.get(path.suffix.lower()) == heads.FORMATS[TARGETS[form]]
        return path.name if same else path.stem + TARGETS[form]
    if form == "auto" and heads.READ_ONLY.get(path.suffix.lower()) == "RAW":
        return f"{path.stem}.tif"
    lossy = form == "auto" and heads.is_lossy(path)
    return f"{path.stem}.png" if lossy else path.name


def output_below(source: Path, name: str, form: str) -> str:
    """Return the path of an output below its folder; nearly always the suffix alone decides."""
    stem, suffix = posixpath.splitext(name)
    if form == "auto" and heads.FORMATS.get(suffix.lower()) == "WEBP":
        return stem + Path(output_name(source / name, form)).suffix
    return stem + _output_suffix(suffix, form)


@cache
def _output_suffix(suffix: str, form: str) -> str:
    if suffix.lower() not in LISTED:  # a Zarr store
        return suffix
    return Path(output_name(Path(f"image{suffix}"), form)).suffix
