"""One scene in several versions: as it is, and denoised by several methods.

They are the arms of a study on whether denoising helps to classify.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.degradations.degradation import degrade, parse
from hsi.denoising.comparison.methods import METHODS, Setting, check
from hsi.errors import HsiError
from hsi.scenes.scene import Scene, write_scene

log = logging.getLogger(__name__)

RAW = "raw"
CLEAN = "clean"  # in place of a degradation: the scene as it is
STEPS = 65535  # of the range of a scene of floats, to which all its versions are rounded


def check_noise(text: str) -> None:
    """Raise an HsiError unless this is 'clean' or a degradation."""
    if text != CLEAN:
        parse(text)


def arms(
    scene: Scene,
    folder: Path,
    noise: str,
    methods: Sequence[str],
    *,
    seed: int = 0,
    setting: Setting | None = None,
) -> list[Path]:
    """Write a scene with noise as it is, and denoised by several methods.

    Every version is rounded alike, to whole numbers if the scene holds whole numbers, else to a
    65,535th of its range: a sensor's file has no more. So the components in which a denoised
    version holds nothing are left with rounding, as those of the raw one are with noise, and every
    classifier has the same number of components of all.

    Parameters
    ----------
    scene : Scene
        Without missing pixels; held in memory several times over.
    folder : Path
        Gets `raw.hdr` and one ENVI file per method, float32.
    noise : str
        'clean' for the scene as it is, else a degradation (`hsi.degrade`).
    methods : sequence of str
        Of `METHODS`. They know nothing of the noise but what they see.
    seed : int
        Of the degradation.
    setting : Setting, optional

    Returns
    -------
    list of Path
        The headers, `raw.hdr` first.

    Raises
    ------
    HsiError
        Another method or degradation; a library is missing; pixels without data.
    """
    for method in methods:
        check(method)
    check_noise(noise)
    if scene.no_data(slice(0, scene.shape[0])).any():
        raise HsiError(f"{scene.name}: expected a scene without missing pixels; cut them off")
    noisy = scene if noise == CLEAN else degrade(scene, noise, seed=seed)
    cube = np.asarray(noisy.cube[:], np.float32)
    step = 1.0 if scene.cube.dtype.kind in "iu" else float(np.ptp(scene.cube[:])) / STEPS
    seen = np.ascontiguousarray(cube[..., scene.good_bands])
    written = [_write(scene, cube, step, folder / f"{RAW}.hdr")]
    for method in methods:
        began = time.monotonic()
        found = cube.copy()
        found[..., scene.good_bands] = METHODS[method](seen, setting or Setting())
        log.info("%s, %s: %s in %.1f s", scene.name, noise, method, time.monotonic() - began)
        written.append(_write(scene, found, step, folder / f"{method}.hdr"))
    return written


def _write(scene: Scene, cube: npt.NDArray[Any], step: float, path: Path) -> Path:
    """Write one version, rounded to steps."""
    rounded = (np.rint(cube.astype(np.float64) / step) * step).astype(np.float32)
    write_scene(path, replace(scene, cube=rounded))
    return path
