"""Score denoisers: weights × image sets × degradations → one row an image."""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.progress import progress
from restore import baselines, metrics
from restore.degrade import Degradation, Pair, pair
from restore.degraded import read_observed
from restore.errors import RestoreError
from restore.models import Denoiser
from restore.sets import ImageSet, Item

log = logging.getLogger(__name__)

COLUMNS = (
    "model",
    "set",
    "degradation",
    "level",
    "image",
    "psnr_db",
    "ssim",
    "psnr_input_db",
    "ssim_input",
    "seed",
    "weights_sha256",
    "precision",
)


class Baseline:
    """A classical method behind the interface of `Denoiser`.

    Parameters
    ----------
    name : str
        A key of `restore.baselines.BASELINES`.
    """

    sha256 = ""
    channels = 1
    schedule = "none"

    def __init__(self, name: str) -> None:
        self.name = name
        self._method = baselines.BASELINES[name]

    def restore(
        self, observed: npt.NDArray[np.float64], degradation: Degradation
    ) -> npt.NDArray[np.float64]:
        """Denoise an image whose noise level is known."""
        if degradation.kind != "noise":
            raise RestoreError(f"model {self.name}: expected noise, found {degradation}")
        estimate: npt.NDArray[np.float64] = self._method(observed, degradation.level)
        return estimate


def evaluate(
    model: Denoiser | Baseline,
    sets: Sequence[ImageSet],
    degradations: Sequence[Degradation],
    *,
    seed: int,
    prepared: Path | None = None,
) -> list[dict[str, Any]]:
    """Score one model by the protocol of the DnCNN paper.

    The input is neither clipped nor rounded; the output is clipped and rounded to 8 bit, but for
    super-resolution, where nothing is; scores are on grey or luma for a grey model, on all three
    channels for a colour one.

    Parameters
    ----------
    model : Denoiser or Baseline
    sets : sequence of ImageSet
    degradations : sequence of Degradation
    seed : int
        Of the noise.
    prepared : Path, optional
        Folder with one folder a degradation, as `restore degrade` writes them; without it images
        are degraded in memory, to the same values.

    Returns
    -------
    list of dict
        One an image, with the keys of `COLUMNS`.
    """
    rows = []
    total = len(degradations) * sum(len(chosen.items) for chosen in sets)
    with progress(total, f"{model.name}", "images") as bar:
        for chosen in sets:
            for degradation in degradations:
                for item, case in cases(chosen, degradation, model.channels, seed, prepared):
                    score = score_case(model, case, degradation)
                    rows.append(
                        {
                            "model": model.name,
                            "set": chosen.name,
                            "degradation": degradation.kind,
                            "level": f"{degradation.level:g}",
                            "image": item.name,
                            **{key: round(value, 4) for key, value in score.items()},
                            "seed": seed,
                            "weights_sha256": model.sha256,
                            "precision": precision(model),
                        }
                    )
                    bar.advance(psnr_db=score["psnr_db"])
    return rows


def cases(
    chosen: ImageSet, degradation: Degradation, channels: int, seed: int, prepared: Path | None
) -> Iterator[tuple[Item, Pair]]:
    """Yield each image of a set with its target and its degraded form."""
    colour = channels == 3
    for item in chosen.items:
        image = item.load()
        if prepared is None:
            case = pair(image, degradation, seed=seed, name=item.name, colour=colour)
        else:
            folder = prepared / str(degradation)
            case = read_observed(folder, item.name, image, degradation, colour=colour)
        yield item, case


def restored(
    model: Denoiser | Baseline, case: Pair, degradation: Degradation
) -> npt.NDArray[np.float64]:
    """Restore one image; clipped and rounded to 8 bit where the papers do so."""
    if isinstance(model, Baseline):
        output = model.restore(case.observed, degradation)
    else:
        output = model(case.observed)
    return metrics.quantise(output) if case.quantised else output


def score_case(
    model: Denoiser | Baseline, case: Pair, degradation: Degradation
) -> dict[str, float]:
    """Return PSNR and SSIM of one restored image and of its input."""
    output = restored(model, case, degradation)
    scores: dict[str, Callable[..., float]] = {"psnr": metrics.psnr, "ssim": metrics.ssim}
    unit = {"psnr": "_db", "ssim": ""}
    return {
        f"{name}{infix}{unit[name]}": score(case.target, values, case.border)
        for infix, values in (("", output), ("_input", case.observed))
        for name, score in scores.items()
    }


def precision(model: Denoiser | Baseline) -> str:
    """Name the precision that a row was computed with."""
    return model.compute.precision if isinstance(model, Denoiser) else "float64"
