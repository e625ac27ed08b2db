"""Denoising measured: a clean scene is degraded, denoised by several methods, and compared.

The clean scene is a real one reduced to its first principal components, because a real scene has
noise of its own; its values lie on 0..1.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.tables import read_csv, write_csv
from hsi.degradations.degradation import degrade, parse
from hsi.denoising.comparison.methods import METHODS, Setting, check, noise_levels
from hsi.errors import HsiError
from hsi.scenes.scene import Scene

COLUMNS = (
    "scene", "degradation", "method", "seed", "mpsnr_db", "mssim", "sam_degrees", "ergas",
    "seconds",
)  # fmt: skip
FIGURES = COLUMNS[4:]
MEANS = ("scene", "degradation", "method", "seeds", *FIGURES)
RANK = 12

Cube = npt.NDArray[np.float64]


def truth(scene: Scene, rank: int = RANK) -> Cube:
    """Return a clean version of a scene, (H, W, B) on 0..1: its mean and `rank` components.

    Raises
    ------
    HsiError
        Pixels without data; fewer bands than `rank`.
    """
    if scene.no_data(slice(0, scene.shape[0])).any():
        raise HsiError(f"{scene.name}: expected a scene without missing pixels; cut them off")
    cube = np.asarray(scene.cube[:], np.float64)[..., scene.good_bands]
    if not 1 <= rank <= cube.shape[2]:
        raise HsiError(f"`rank` {rank}: expected 1 to {cube.shape[2]}, the number of bands")
    spectra = cube.reshape(-1, cube.shape[2])
    mean = spectra.mean(axis=0)
    _, vectors = np.linalg.eigh((spectra - mean).T @ (spectra - mean))
    basis = vectors[:, -rank:]
    clean = ((spectra - mean) @ basis @ basis.T + mean).reshape(cube.shape)
    return np.asarray((clean - clean.min()) / np.ptp(clean))


def scores(found: npt.NDArray[Any], clean: Cube) -> dict[str, float]:
    """Return how far a cube is from the clean one.

    Parameters
    ----------
    found, clean : ndarray (H, W, B)

    Returns
    -------
    dict of str to float
        `mpsnr_db` and `mssim`: means over the bands, the peak being the largest value of the clean
        band; `sam_degrees`: mean angle between spectra; `ergas`: root mean square over the bands of
        the error relative to the band's mean, times 100.
    """
    from skimage.metrics import structural_similarity

    similarity: Any = structural_similarity  # has no types

    found = np.asarray(found, np.float64)
    error = np.square(found - clean).mean(axis=(0, 1))
    peak = clean.max(axis=(0, 1))
    alike = [
        similarity(
            clean[..., band], found[..., band], data_range=peak[band], gaussian_weights=True,
            sigma=1.5, use_sample_covariance=False,
        )
        for band in range(clean.shape[2])
    ]  # fmt: skip
    product = (found * clean).sum(axis=-1)
    lengths = np.linalg.norm(found, axis=-1) * np.linalg.norm(clean, axis=-1)
    cosine = np.clip(product / np.maximum(lengths, 1e-12), -1, 1)
    return {
        "mpsnr_db": float(np.mean(10 * np.log10(peak**2 / np.maximum(error, 1e-20)))),
        "mssim": float(np.mean(alike)),
        "sam_degrees": float(np.degrees(np.arccos(cosine)).mean()),
        "ergas": float(100 * np.sqrt(np.mean(error / clean.mean(axis=(0, 1)) ** 2))),
    }


def benchmark(
    scene: Scene,
    degradation: str,
    methods: Sequence[str],
    out: Path,
    *,
    seed: int = 0,
    rank: int = RANK,
    name: str = "",
    setting: Setting | None = None,
) -> None:
    """Write a table of methods on one degraded scene, and a picture of `denoise` beside it.

    Parameters
    ----------
    scene : Scene
    degradation : str
    methods : sequence of str
        Of `METHODS`.
    out : Path
        The table (.csv).
    seed : int
        Of the degradation.
    rank : int
        Components of the clean scene.
    name : str
        What the table calls the scene.
    setting : Setting, optional

    Raises
    ------
    HsiError
        Another method or degradation; a library is missing.
    """
    import pandas as pd

    for method in methods:
        check(method)
    parse(degradation)
    clean = truth(scene, rank)
    degraded = np.asarray(degrade(Scene(scene.name, clean), degradation, seed=seed).cube[:])
    rows, setting = [], setting or Setting()
    for method in methods:
        began = time.monotonic()
        found = METHODS[method](degraded, setting)
        seconds = time.monotonic() - began
        figures = {key: f"{value:.4f}" for key, value in scores(found, clean).items()}
        figures |= {"mpsnr_db": f"{float(figures['mpsnr_db']):.2f}", "seconds": f"{seconds:.1f}"}
        about: dict[str, str] = {
            "scene": name or scene.name,
            "degradation": degradation,
            "method": method,
        }
        rows.append(about | {"seed": str(seed)} | figures)
        if method == "denoise":
            picture(out.with_suffix(".png"), clean, degraded, found, about["scene"], degradation)
    write_csv(pd.DataFrame(rows), out, COLUMNS)


def picture(
    path: Path,
    clean: Cube,
    degraded: npt.NDArray[Any],
    found: npt.NDArray[Any],
    name: str,
    degradation: str,
) -> None:
    """Draw a band, the spectra of three pixels, and the noise per band."""
    from hsi.figures import save_restoration

    added = np.std(degraded - clean, axis=(0, 1))
    levels = {"added": added, "estimated": noise_levels(np.asarray(degraded, np.float32))}
    cubes = {"degraded": degraded, "denoised": found, "clean": clean}
    save_restoration(path, cubes, levels, f"{name}, {degradation}")


def join(parts: Sequence[Path], out: Path) -> None:
    """Write the rows of several tables into one, and their means over seeds beside it."""
    import pandas as pd

    table = pd.concat([read_csv(part) for part in parts], ignore_index=True)
    write_csv(table, out, COLUMNS)
    numbers = table.copy()
    numbers[list(FIGURES)] = numbers[list(FIGURES)].astype(float)
    grouped = numbers.groupby(["scene", "degradation", "method"], sort=False)
    means = grouped[list(FIGURES)].mean().reset_index()
    means["seeds"] = grouped.size().to_numpy()
    for figure in FIGURES:
        digits = {"mpsnr_db": 2, "seconds": 1}.get(figure, 4)
        means[figure] = means[figure].map(lambda value, digits=digits: f"{value:.{digits}f}")
    write_csv(means, out.with_name(f"{out.stem}_means.csv"), MEANS)
