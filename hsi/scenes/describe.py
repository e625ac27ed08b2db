"""A summary of a scene in words, for `hsi info`."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.scenes.scene import Scene


def describe(scene: Scene) -> dict[str, str]:
    """Return what was read of a scene, one line per item.

    Returns
    -------
    dict of str to str
        `scene`, `size`, `type`, `wavelengths`, `bad bands`, `no data`, `scale`; what the reader
        noted (`format`, `interleave`, …); `georeference`, or `crs` and `transform`.
    """
    height, width, bands = scene.cube.shape
    size = height * width * bands * scene.cube.dtype.itemsize / 2**20
    lines: dict[str, Any] = {
        "scene": scene.name,
        "size": f"{height} rows × {width} columns × {bands} bands",
        "type": f"{scene.cube.dtype.name}, {size:.1f} MiB",
        "wavelengths": "not stated"
        if scene.wavelengths is None
        else f"{scene.wavelengths.min():g} to {scene.wavelengths.max():g} nm",
        "bad bands": _bad_bands(scene),
        "no data": "no value stated" if scene.ignore_value is None else f"{scene.ignore_value:g}",
        "scale": "none stated" if scene.scale is None else f"{_range(scene.scale)}, not applied",
    }
    if scene.offset is not None:
        lines["offset"] = f"{_range(scene.offset)}, not applied"
    lines |= scene.provenance
    return {key: str(value) for key, value in lines.items()} | _place(scene)


def _place(scene: Scene) -> dict[str, str]:
    if not scene.georeference:
        return {"georeference": "none"}
    return {key: _in_short(value) for key, value in scene.georeference.items()}


def _in_short(value: Any) -> str:
    """Return the name of a coordinate system in place of its definition; list numbers."""
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
