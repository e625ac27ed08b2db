"""What outputs are called: as their inputs, with another suffix where the file type changes."""

import posixpath
from functools import cache
from pathlib import Path

from restore import images

# --format -> suffix of the outputs; 'auto' and 'same' keep the input's.
TARGETS = {"png": ".png", "tiff": ".tif", "jpeg": ".jpg", "webp": ".webp"}
FORMATS = ("auto", "same", *TARGETS)


def output_name(path: Path, form: str) -> str:
    """Name the output of an image: a lossy input becomes PNG unless `form` says otherwise."""
    if form in TARGETS:
        same = images.FORMATS.get(path.suffix.lower()) == images.FORMATS[TARGETS[form]]
        return path.name if same else path.stem + TARGETS[form]
    lossy = form == "auto" and images.is_lossy(path)
    return f"{path.stem}.png" if lossy else path.name


def output_below(source: Path, name: str, form: str) -> str:
    """Name the output of an image below its folder; nearly always the suffix alone decides."""
    stem, suffix = posixpath.splitext(name)
    if form == "auto" and images.FORMATS.get(suffix.lower()) == "WEBP":
        return stem + Path(output_name(source / name, form)).suffix
    return stem + _output_suffix(suffix, form)


@cache
def _output_suffix(suffix: str, form: str) -> str:
    return Path(output_name(Path(f"image{suffix}"), form)).suffix
