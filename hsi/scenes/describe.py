"""A summary of a scene in words, for `hsi info`."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats.no_data import IgnoredValues
from hsi.scenes import quality
from hsi.scenes.scene import Scene

SHOWN = 8  # names of bands
COUNTED_BYTES = 2**30  # of a cube whose pixels are counted unasked


def describe(scene: Scene, *, count: bool = False) -> dict[str, str]:
    """Return what was read of a scene, one line per item.

    Parameters
    ----------
    scene : Scene
    count : bool
        Count the pixels without data of large scenes, too: that reads the whole cube. Up to 1 GiB
        they are always counted.

    Returns
    -------
    dict of str to str
        `scene`, `size`, `type`, `wavelengths`, `fwhm`, `band names`, `default bands`, `bad bands`,
        `no data`, `pixels without data`, `scale`; what the reader noted (`format`, `interleave`,
        …); `quality layers`; `georeference`, or `crs`, `transform` and others; `also kept`,
        `left out`.
    """
    height, width, bands = scene.cube.shape
    size = height * width * bands * scene.cube.dtype.itemsize
    lines: dict[str, Any] = {
        "scene": scene.name,
        "size": f"{height} rows × {width} columns × {bands} bands",
        "type": f"{scene.cube.dtype.name}, {size / 2**20:.1f} MiB",
        "wavelengths": "not stated"
        if scene.wavelengths is None
        else f"{scene.wavelengths.min():g} to {scene.wavelengths.max():g} nm",
    }
    if scene.fwhm is not None:
        lines["fwhm"] = f"{_range(scene.fwhm)} nm"
    if scene.band_names is not None:
        more = ", …" if bands > SHOWN else ""
        lines["band names"] = ", ".join(scene.band_names[:SHOWN]) + more
    if scene.default_bands is not None:
        lines["default bands"] = ", ".join(str(band + 1) for band in scene.default_bands)
    lines |= {
        "bad bands": _bad_bands(scene),
        "no data": _no_data(scene),
        "pixels without data": _pixels_without_data(scene, size, count),
        "scale": "none stated" if scene.scale is None else f"{_range(scene.scale)}, not applied",
    }
    if scene.offset is not None:
        lines["offset"] = f"{_range(scene.offset)}, not applied"
    lines |= scene.provenance
    if marks := quality.counted(scene):
        told = ", ".join(f"{word} {number}" for word, number in marks.items())
        lines["quality layers"] = f"pixels marked {told}; `hsi convert --quality` takes them out"
    lines |= _place(scene)
    if scene.extra:
        lines["also kept"] = ", ".join(scene.extra)
    lines["left out"] = "; ".join(scene.left_out) or "nothing"
    return {key: str(value) for key, value in lines.items()}


def _no_data(scene: Scene) -> str:
    told = [] if scene.ignore_value is None else [f"{scene.ignore_value:g}"]
    if isinstance(scene.mask, IgnoredValues):
        told = [f"{value:g}" for value in scene.mask.ignored]
    elif scene.mask is not None:
        told.append("a mask")
    return ", ".join(told) or "no value stated"


def _pixels_without_data(scene: Scene, size: int, count: bool) -> str:
    if size > COUNTED_BYTES and not count:
        return f"not counted ({size / 2**30:.1f} GiB); --count counts them"
    if scene.bad_bands is not None and scene.bad_bands.all():
        return "not counted: all bands are marked as bad"
    return f"{scene.pixels_without_data()} of {scene.shape[0] * scene.shape[1]}"


def _place(scene: Scene) -> dict[str, str]:
    if not scene.georeference:
        return {"georeference": "none"}
    return {key: _in_short(value) for key, value in scene.georeference.items()}


def _in_short(value: Any) -> str:
    """Return the name of a coordinate system in place of its definition; list numbers."""
    if isinstance(value, dict):
        return f"{len(value)} coefficients and offsets"
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], tuple):
        return f"{len(value)} ground control points"
    if isinstance(value, str):
        name = re.search(r'^\w+\["([^"]*)"', value)
        if name is None:
            return value
        # The last authority in well-known text is that of the whole.
        codes = re.findall(r'(?:AUTHORITY|ID)\["(\w+)",\s*"?(\w+)"?\]\s*\]\s*$', value)
        return name[1] + (f" ({codes[-1][0]}:{codes[-1][1]})" if codes else "")
    return ", ".join(f"{part:.12g}" if isinstance(part, float) else str(part) for part in value)


def _bad_bands(scene: Scene) -> str:
    if scene.bad_bands is None:
        return "no list"
    numbers = np.flatnonzero(scene.bad_bands) + 1
    if not numbers.size:
        return "none of the list"
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    named = ", ".join(f"{run[0]}–{run[-1]}" if run.size > 1 else f"{run[0]}" for run in runs)
    return f"{numbers.size} ({named}, counted from 1)"


def _range(values: npt.NDArray[np.float64]) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
