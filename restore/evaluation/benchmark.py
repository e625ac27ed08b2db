"""Score denoisers: weights × image sets × degradations → one row per image."""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.device import pick
from engine.progress import progress
from restore.degradations.degradation import Degradation, parse
from restore.errors import RestoreError
from restore.evaluation import baselines, metrics, pairs
from restore.evaluation.degraded_files import read_observed
from restore.evaluation.pairs import Pair
from restore.evaluation.protocol import PUBLISHED, Scoring
from restore.image_sets.find import ImageSet, Item, image_set
from restore.networks.denoiser import Denoiser, load

if TYPE_CHECKING:
    import pandas as pd

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


def benchmark(
    models: str | Sequence[str],
    images: str | Path | Sequence[str | Path],
    degradations: str | Sequence[str],
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    degraded_folder: Path | None = None,
    protocol: Scoring = PUBLISHED,
) -> "pd.DataFrame":
    """Score models on image sets by PSNR and SSIM, by the protocol of the DnCNN paper [1]_.

    Parameters
    ----------
    models : str or sequence of str
        Shipped names, weights files, or baselines ('nlm', 'wavelet', 'tv', 'bm3d').
    images : str, Path or sequence of them
        Names of image sets, or folders.
    degradations : str or sequence of str
        ``noise:25``, ``jpeg:10``, ``bicubic:3``.
    seed : int, optional
        Of the noise, 0 or more.
    device : str, optional
        'auto' (CUDA where there is a GPU), 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}, optional
    degraded_folder : Path, optional
        Outputs of `restore degrade`, one folder per degradation; see `evaluate`.
    protocol : Scoring, optional
        Other choices than the published ones.

    Returns
    -------
    DataFrame
        One row per image, with `COLUMNS`; PSNR in dB.

    Raises
    ------
    RestoreError
        Before any work: a wrong name, a model that cannot do a degradation, or an image that
        cannot be read or is too small to be scored.
    UserError
        The device is not there.

    References
    ----------
    .. [1] K. Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 26(7), 2017.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, restore
    >>> folder = Path(tempfile.mkdtemp())
    >>> restore.write_image(folder / "flat.png", np.full((32, 32), 90, np.uint8))
    >>> scores = restore.benchmark("dncnn-s-25", folder, "noise:25", device="cpu")
    >>> list(scores["image"]), bool((scores["psnr_db"] > scores["psnr_input_db"] + 5).all())
    (['flat'], True)
    """
    import pandas as pd

    wanted = [parse(text) for text in _several(degradations)]
    sets = [image_set(name) for name in _several(images)]
    chosen = load_models(_several(models), device, precision)
    check(chosen, sets, wanted, protocol)
    rows = [
        row
        for model in chosen
        for row in evaluate(
            model, sets, wanted, seed=seed, degraded_folder=degraded_folder, protocol=protocol
        )
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def load_models(names: Sequence[str], device: str, precision: str) -> list[Denoiser | Baseline]:
    """Return weights, by name or file, and baselines, ready to run."""
    compute = pick(device, precision)
    return [
        Baseline(name) if name in baselines.BASELINES else load(name, compute) for name in names
    ]


def _several(given: str | Path | Sequence[str | Path]) -> list[str]:
    """Return a list of one or of several names."""
    return [str(given)] if isinstance(given, str | Path) else [str(name) for name in given]


def evaluate(
    model: Denoiser | Baseline,
    sets: Sequence[ImageSet],
    degradations: Sequence[Degradation],
    *,
    seed: int,
    degraded_folder: Path | None = None,
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
    degraded_folder : Path, optional
        Folder with one folder a degradation, as `restore degrade` writes them; without it images
        are degraded in memory, to the same values.
    protocol : Scoring, optional
        Choices that are not the published ones are logged, and named beside the precision:
        'float32; rounding off'.

    Returns
    -------
    list of dict
        One per image, with the keys of `COLUMNS`.
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
                    chosen, degradation, model.channels, seed, degraded_folder, protocol
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
    degraded_folder: Path | None,
    protocol: Scoring = PUBLISHED,
) -> Iterator[tuple[Item, Pair]]:
    """Yield each image of a set with its target and its degraded form."""
    colour = channels == 3
    for item in chosen.items:
        image = item.load()
        if degraded_folder is None:
            case = pairs.pair(
                image, degradation, seed=seed, name=item.name, colour=colour, protocol=protocol
            )
        else:
            case = read_observed(
                degraded_folder / str(degradation),
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
    """Return the precision that a row was computed with."""
    return model.compute.precision if isinstance(model, Denoiser) else "float64"
