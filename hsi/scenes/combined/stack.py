"""Several files of one place as one cube: the bands of Sentinel-2, Landsat, and others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.georeference import for_geotiff
from hsi.formats.lazy import LazyCube, repeated
from hsi.formats.no_data import IgnoredValues, Mask
from hsi.formats.registry import files
from hsi.scenes.grid import APART, corners_apart
from hsi.scenes.quality import masked
from hsi.scenes.scene import Scene, open_scene

PER_BAND = ("wavelengths", "fwhm", "scale", "offset")
DEFAULTS = {"scale": 1.0, "offset": 0.0}  # of files that state none beside others that do


class StackedCube(LazyCube):
    """The bands of several cubes of one size, one after another.

    Parameters
    ----------
    parts : sequence of Cube (H, W, B)
    factors : sequence of int
        How often each pixel of a part is repeated, down and across.
    """

    def __init__(self, parts: Sequence[Any], factors: Sequence[int]) -> None:
        rows, columns = (factors[0] * size for size in parts[0].shape[:2])
        bands = sum(part.shape[2] for part in parts)
        dtype = np.result_type(*(part.dtype for part in parts))
        stored = max(getattr(p, "stored_rows", 1) * n for p, n in zip(parts, factors, strict=True))
        super().__init__((rows, columns, bands), dtype.newbyteorder("="), stored)
        self.parts, self.factors = list(parts), list(factors)

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        """Read a block; see `LazyCube`."""
        blocks, first = [], 0
        for part, factor in zip(self.parts, self.factors, strict=True):
            count = part.shape[2]
            here = slice(max(bands.start - first, 0), min(max(bands.stop - first, 0), count))
            first += count
            if here.stop > here.start:
                block = repeated(part, rows, columns, factor, here)
                blocks.append(np.asarray(block, self.dtype))
        return np.concatenate(blocks, axis=-1)


class StackedMask:
    """Where all parts hold data."""

    def __init__(self, parts: Sequence[tuple[Mask, int]], shape: tuple[int, ...]) -> None:
        self.parts, self.shape = list(parts), shape

    def __getitem__(self, key: Any) -> npt.NDArray[np.bool_]:
        keys = (*key, slice(None)) if isinstance(key, tuple) else (key, slice(None))
        rows, columns = (
            slice(*part.indices(size)[:2]) for part, size in zip(keys[:2], self.shape, strict=True)
        )
        valid = np.ones((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
        for mask, factor in self.parts:
            valid &= repeated(mask, rows, columns, factor)
        return valid


def stack(
    sources: Sequence[str | Path], *, repeat: bool = False, quality: str | None = None
) -> Scene:
    """Return several files as one scene, their bands in the order given.

    Parameters
    ----------
    sources : sequence of str or Path
        Files of known formats, of one place.
    repeat : bool
        Repeat the pixels of files that are two, three, … times as coarse as the finest.
    quality : str, optional
        Marks of the quality layers beside the files whose pixels hold no data; see
        `hsi.scenes.quality.masked`.

    Returns
    -------
    Scene
        Read from the files when it is sliced. Wavelengths and widths are kept if all files state
        them; scale and offset, band names and values for no data for each file.

    Raises
    ------
    HsiError
        Files of other sizes, or that lie elsewhere; only one band.
    """
    scenes = [masked(open_scene(source), quality) for source in sources]
    if len(scenes) < 2:
        raise HsiError(f"`sources`: expected several files, found {len(scenes)}")
    finest = max(scenes, key=lambda scene: scene.shape)
    factors = [_factor(scene, finest, repeat=repeat) for scene in scenes]
    cube = StackedCube([scene.cube for scene in scenes], factors)
    stated: dict[str, Any] = {key: _joined(scenes, key) for key in PER_BAND}
    bad = [np.zeros(s.cube.shape[2], bool) if s.bad_bands is None else s.bad_bands for s in scenes]
    ignored, mask = _no_data(scenes, factors, cube)
    names = [name for scene in scenes for name in _names(scene)]
    products = sorted({str(s.provenance["product"]) for s in scenes if "product" in s.provenance})
    known = {"product": ", ".join(products)} if products else {}
    return Scene(
        Path(str(sources[0]).rpartition(":")[0] or str(sources[0])).stem,
        cube,
        bad_bands=np.concatenate(bad) if any(s.bad_bands is not None for s in scenes) else None,
        georeference=finest.georeference,
        ignore_value=ignored,
        band_names=names,
        mask=mask,
        provenance={
            "format": f"{scenes[0].provenance.get('format', '')}, {len(scenes)} files",
            **known,
            "files": [str(file) for source in sources for file in files(source)],
        },
        **stated,
    )


def _factor(scene: Scene, finest: Scene, *, repeat: bool) -> int:
    """Return how often the pixels of a scene are repeated; raise if it does not fit."""
    factor = finest.shape[0] // scene.shape[0]
    fits = tuple(size * factor for size in scene.shape) == finest.shape
    if not fits or (factor > 1 and not repeat):
        fitting = "`repeat` repeats its pixels" if fits else "give files of one grid"
        raise HsiError(
            f"{scene.name}: expected {finest.shape[0]} × {finest.shape[1]} pixels as {finest.name} "
            f"has, found {scene.shape[0]} × {scene.shape[1]}; {fitting}"
        )
    here, there = (for_geotiff(each.georeference) for each in (scene, finest))
    same = here.get("crs") == there.get("crs") and ("transform" in here) == ("transform" in there)
    if same and "transform" in here:
        pixels = here["transform"] @ here["transform"].scale(1 / factor)
        same = corners_apart(there["transform"], pixels, finest.shape) <= APART
    if not same:
        raise HsiError(
            f"{scene.name}: expected the place of {finest.name}, found another coordinate system "
            "or corner; give files of one grid"
        )
    return factor


def _joined(scenes: Sequence[Scene], key: str) -> npt.NDArray[np.float64] | None:
    values = [getattr(scene, key) for scene in scenes]
    if all(value is None for value in values):
        return None
    if key not in DEFAULTS and any(value is None for value in values):
        return None
    return np.concatenate(
        [
            np.full(scene.cube.shape[2], DEFAULTS.get(key, np.nan)) if value is None else value
            for scene, value in zip(scenes, values, strict=True)
        ]
    )


def _names(scene: Scene) -> list[str]:
    if scene.band_names is not None:
        return list(scene.band_names)
    count = scene.cube.shape[2]
    return [scene.name] if count == 1 else [f"{scene.name} {n}" for n in range(1, count + 1)]


def _no_data(
    scenes: Sequence[Scene], factors: Sequence[int], cube: StackedCube
) -> tuple[float | None, Mask | None]:
    """Return the value for no data if all files state the same, and a mask of all else."""
    told = {repr(scene.ignore_value) for scene in scenes}
    one = scenes[0].ignore_value if len(told) == 1 else None
    parts: list[tuple[Mask, int]] = []
    for scene, factor in zip(scenes, factors, strict=True):
        if scene.mask is not None:
            parts.append((scene.mask, factor))
        elif one is None and scene.ignore_value is not None:
            good = None if scene.bad_bands is None else ~scene.bad_bands
            if good is None or good.any():
                parts.append((IgnoredValues(scene.cube, [scene.ignore_value], good), factor))
    return one, StackedMask(parts, cube.shape[:2]) if parts else None
