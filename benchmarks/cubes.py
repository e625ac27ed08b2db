"""`hsi denoise` of a made cube, against FastHyDe where it is installed, else against PCA."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.side_by_side import Row, machine, medians
from engine.device import Compute
from hsi.degradations.degradation import degrade
from hsi.denoising.comparison.benchmark import scores
from hsi.denoising.comparison.methods import METHODS, Cube, Setting, check
from hsi.errors import HsiError
from hsi.scenes.scene import Scene

SHAPE = (256, 256, 100)  # rows, columns, bands
MATERIALS = 6
NOISE = "gaussian:25"
PEER, PLAIN = "fasthyde", "pca"
_IN_WORDS = {
    PEER: "FastHyDe of hyde-images",
    PLAIN: "PCA (a mere projection, which leaves the noise in its components)",
}

log = logging.getLogger(__name__)


def rows(
    compute: Compute,
    *,
    shape: tuple[int, int, int] = SHAPE,
    rounds: int = 3,
    methods: Mapping[str, Callable[[Cube, Setting], Cube]] = METHODS,
) -> Iterator[Row]:
    """Denoise one noisy cube by the peer that is here and by `hsi denoise`.

    Parameters
    ----------
    compute : Compute
    shape : (int, int, int)
        Rows, columns and bands.
    rounds : int
    methods : mapping of str to callable
        Ways to denoise, by name.
    """
    peer = PEER
    try:
        check(PEER)
    except HsiError as error:
        log.info("hsi denoise: compared with PCA: %s", error)
        peer = PLAIN
    clean = made_cube(shape)
    degraded = degrade(Scene("made", clean), NOISE, seed=0).cube[:]
    noisy = np.asarray(degraded, np.float32)
    setting = Setting(str(compute.device), compute.precision)
    ways = {name: partial(methods[name], noisy, setting) for name in (peer, "denoise")}
    reached = {name: scores(way(), clean)["mpsnr_db"] for name, way in ways.items()}
    seconds = medians(ways, rounds)
    rate = {name: clean.size / 1e6 / spent for name, spent in seconds.items()}
    yield Row(
        "hsi denoise",
        f"a made cube of {'x'.join(map(str, shape))}, {MATERIALS} spectra, {NOISE}: "
        f"{_IN_WORDS[peer]} against hsi denoise ({compute.precision}), both in memory; "
        f"{rate[peer]:.3g} against {rate['denoise']:.3g} megapixel-bands/s; mean PSNR "
        f"{reached[peer]:.2f} against {reached['denoise']:.2f} dB: the results are not the same",
        round(seconds[peer], 5),
        round(seconds["denoise"], 5),
        round(seconds[peer] / seconds["denoise"], 2),
        None,
        machine(compute),
    )


def made_cube(shape: tuple[int, int, int], seed: int = 0) -> npt.NDArray[np.float64]:
    """Return a clean cube: smooth shares of a few spectra, and a field with straight edges.

    Parameters
    ----------
    shape : (int, int, int)
    seed : int

    Returns
    -------
    ndarray (H, W, B)
        0 to 1.
    """
    height, width, bands = shape
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.25, (MATERIALS, bands))
    spectra = np.abs(np.cumsum(steps, axis=1)) + 0.1
    y, x = np.mgrid[:height, :width] / max(height, width)
    centres = rng.random((MATERIALS, 2))
    shares = np.stack([np.exp(-8 * ((y - a) ** 2 + (x - b) ** 2)) for a, b in centres], axis=-1)
    shares[height // 3 : height // 2, width // 4 : width // 2, 0] += 0.6
    cube = (shares / shares.sum(axis=-1, keepdims=True)) @ spectra
    return np.asarray(cube / cube.max())
