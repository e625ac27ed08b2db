"""Score denoisers: weights × image sets × degradations → one row an image."""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.progress import progress
from restore.degradations.degradation import Degradation
from restore.errors import RestoreError
from restore.evaluation import baselines, metrics, pairs
from restore.evaluation.degraded_files import read_observed
from restore.evaluation.pairs import Pair
from restore.evaluation.protocol import PUBLISHED, Scoring
from restore.image_sets.find import ImageSet, Item
from restore.networks.denoiser import Denoiser

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
        A key of `restore.evaluation.baselines.BASELINES`.
    """

    sha256 = ""
    channels = 1
    schedule = "none"

    def __init__(self, name: str) -> None:
        self.name = name
        self._method = baselines.method(name)

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
    protocol: Scoring = PUBLISHED,
) -> list[dict[str, Any]]:
    """Score one model by the protocol of the DnCNN paper, or by another one that is asked for.

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
    protocol : Scoring, optional
        Choices that are not the published ones are logged, and named beside the precision:
        'float32; rounding off'.

    Returns
    -------
    list of dict
        One an image, with the keys of `COLUMNS`.
    """
    rows = []
    computed = {}
    for degradation in degradations:
        departures = protocol.departures(degradation, colour=model.channels == 3)
        computed[degradation] = "; ".join([precision(model), *departures])
        if departures:
            log.warning("%s: not the published protocol: %s", degradation, ", ".join(departures))
    total = len(degradations) * sum(len(chosen.items) for chosen in sets)
    with progress(total, f"{model.name}", "images") as bar:
        for chosen in sets:
            for degradation in degradations:
                for item, case in cases(
                    chosen, degradation, model.channels, seed, prepared, protocol
                ):
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
                            "precision": computed[degradation],
                        }
                    )
                    bar.advance(psnr_db=score["psnr_db"])
    return rows


def check(
    models: Sequence[Denoiser | Baseline],
    sets: Sequence[ImageSet],
    degradations: Sequence[Degradation],
    protocol: Scoring = PUBLISHED,
) -> None:
    """Look at every image before any work, so that none stops a run of hours.

    A set that a model learned from, by its name, is logged: scores there say nothing of others.

    Raises
    ------
    RestoreError
        A model cannot do a degradation, or an image cannot be read or is too small to be scored.
    """
    for model in models:
        for degradation in degradations:
            if isinstance(model, Baseline) and degradation.kind != "noise":
                raise RestoreError(f"model {model.name}: expected noise, found {degradation}")
        learned = () if isinstance(model, Baseline) else model.learned_from
        for name in (chosen.name for chosen in sets if chosen.name in learned):
            log.warning(
                "%s learned from %s: its scores there say nothing of others", model.name, name
            )
    colours = {model.channels == 3 for model in models}
    for item in (item for chosen in sets for item in chosen.items):
        image = item.load()
        try:
            for degradation in degradations:
                for colour in colours:
                    reference = pairs.prepared(image, degradation, colour=colour)
                    metrics.check_size(reference.shape, protocol.shaved(degradation))
        except RestoreError as error:
            raise RestoreError(f"{item.path}: {error}; take it out of the set") from error


def cases(
    chosen: ImageSet,
    degradation: Degradation,
    channels: int,
    seed: int,
    prepared: Path | None,
    protocol: Scoring = PUBLISHED,
) -> Iterator[tuple[Item, Pair]]:
    """Yield each image of a set with its target and its degraded form."""
    colour = channels == 3
    for item in chosen.items:
        image = item.load()
        if prepared is None:
            case = pairs.pair(
                image, degradation, seed=seed, name=item.name, colour=colour, protocol=protocol
            )
        else:
            case = read_observed(
                prepared / str(degradation),
                item.name,
                image,
                degradation,
                colour=colour,
                seed=seed,
                protocol=protocol,
            )
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
