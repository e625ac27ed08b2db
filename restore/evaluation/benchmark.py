"""Score denoisers: weights × image sets × degradations, or pairs → one row per image."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import sha256_arrays, write_json
from engine.progress import progress
from engine.revision import code_revision
from restore.degradations.degradation import Degradation, parse
from restore.errors import RestoreError
from restore.evaluation import metrics
from restore.evaluation.degraded_files import manifest
from restore.evaluation.methods import Automatic, Baseline, Method, load_methods, precision
from restore.evaluation.pairs import Pair
from restore.evaluation.protocol import COLUMNS, PUBLISHED, Scoring
from restore.evaluation.real_pairs import RealPairs
from restore.evaluation.restorations import Test, check, restorations, sets_of, tests_of
from restore.image_sets.find import ImageSet

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def benchmark(
    models: str | Sequence[str],
    images: str | Path | Sequence[str | Path],
    degradations: str | Sequence[str] = (),
    *,
    truth: str | Path | None = None,
    names: str = "auto",
    name: str = "",
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    degraded_folder: Path | None = None,
    protocol: Scoring = PUBLISHED,
    kept: Path | None = None,
) -> "pd.DataFrame":
    """Score models on image sets by PSNR and SSIM, by the protocol of the DnCNN paper [1]_.

    Parameters
    ----------
    models : str or sequence of str
        Shipped names, weights files, baselines ('nlm', 'wavelet', 'tv', 'bm3d'), or 'auto': what
        `restore denoise` without options makes of each image, in its colours.
    images : str, Path or sequence of them
        Names of image sets, or folders; with `truth` the folder of noisy images.
    degradations : str or sequence of str, optional
        ``noise:25``, ``jpeg:10``, ``bicubic:3``, ``camera:1600``; none for pairs of real noise
        and its ground truth: a set of pairs (PolyU), or two folders.
    truth : str or Path, optional
        The folder of ground truths; scores are as in `restore.evaluation.real_pairs`.
    names : str, optional
        How names of noisy images and of ground truths belong together: 'auto', 'same', or
        ``_noisy=_clean``; see `restore.image_sets.find.paired`.
    name : str, optional
        Of the pairs in the table; by default that of the folder of noisy images.
    seed : int, optional
        Of the noise, 0 or more.
    device : str, optional
        'auto' (CUDA where there is a GPU), 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}, optional
    degraded_folder : Path, optional
        Outputs of `restore degrade`, one folder per degradation; see `evaluate`.
    protocol : Scoring, optional
        Other choices than the published ones.
    kept : Path, optional
        Folder for the rows of finished tests, which a later call reuses; see `evaluate`.

    Returns
    -------
    DataFrame
        One row per image, with `COLUMNS`; PSNR in dB; the degradation of pairs is pairs:NAME.

    Raises
    ------
    RestoreError
        Before any work: a wrong name, a model that cannot do a degradation, an image that cannot
        be read or is too small to be scored, or one without a partner of its size.
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
    sets = sets_of(_several(images), wanted, truth, names, name)
    if degraded_folder is not None and not wanted:
        raise RestoreError("`degraded_folder`: pairs bring their noise with them; leave it out")
    methods = load_methods(_several(models), device, precision)
    check(methods, sets, wanted, protocol)
    rows = [
        row
        for method in methods
        for row in evaluate(
            method,
            sets,
            wanted,
            seed=seed,
            degraded_folder=degraded_folder,
            protocol=protocol,
            kept=kept,
        )
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _several(given: str | Path | Sequence[str | Path]) -> list[str]:
    """Return a list of one or of several names."""
    return [str(given)] if isinstance(given, str | Path) else [str(name) for name in given]


def evaluate(
    method: Method,
    sets: Sequence[ImageSet],
    degradations: Sequence[Degradation],
    *,
    seed: int,
    degraded_folder: Path | None = None,
    protocol: Scoring = PUBLISHED,
    kept: Path | None = None,
) -> list[dict[str, Any]]:
    """Score one method by the protocol of the DnCNN paper, or by another one that is asked for.

    The input is neither clipped nor rounded; the output is clipped and rounded to 8 bit, but for
    super-resolution, where nothing is; scores are on grey or luma for a grey model, on all three
    channels for a colour one, and in the colours of the images for `auto` and for pairs.

    Parameters
    ----------
    method : Denoiser, Baseline or Automatic
    sets : sequence of ImageSet
    degradations : sequence of Degradation
        None where the sets are pairs of real noise and its ground truth.
    seed : int
        Of the noise.
    degraded_folder : Path, optional
        Folder with one folder a degradation, as `restore degrade` writes them; without it images
        are degraded in memory, to the same values.
    protocol : Scoring, optional
        Choices that are not the published ones are logged, and named beside the precision:
        'float32; rounding off'.
    kept : Path, optional
        Folder for the rows of each finished test, one file per image set and degradation. A test
        is not run again where a file there is of the same method, precision, protocol, seed,
        images, degraded files, code and libraries.

    Returns
    -------
    list of dict
        One per image, with the keys of `COLUMNS`.
    """
    tests = [(chosen, test) for chosen in sets for test in tests_of(chosen, degradations)]
    rows: list[dict[str, Any]] = []
    computed = {}
    for test in dict.fromkeys(test for _, test in tests):
        colour = isinstance(method, Automatic) or method.channels == 3
        departures = protocol.departures(test, colour=colour or isinstance(test, RealPairs))
        computed[test] = "; ".join([precision(method), *departures])
        if departures:
            log.warning("%s: not the published protocol: %s", test, ", ".join(departures))
    with progress(sum(len(chosen) for chosen, _ in tests), method.name, "images") as bar:
        for chosen, test in tests:
            file = None
            if kept is not None:
                decided = _decided_by(method, chosen, test, seed, degraded_folder, protocol)
                file = kept / f"{hashlib.sha256(decided.encode()).hexdigest()}.json"
                if (found := _finished(file, chosen)) is not None:
                    log.info("%s on %s, %s: kept from %s", method.name, chosen.name, test, file)
                    rows += found
                    bar.resume(len(rows))
                    continue
            made = []
            for item, case, output in restorations(
                method, chosen, test, seed, degraded_folder, protocol
            ):
                score = _score(case, output)
                made.append(
                    {
                        "model": method.name,
                        "set": chosen.name,
                        "degradation": test.kind,
                        "level": test.level if isinstance(test.level, str) else f"{test.level:g}",
                        "image": item.name,
                        **{key: round(value, 4) for key, value in score.items()},
                        "seed": seed,
                        "weights_sha256": method.sha256,
                        "precision": computed[test],
                    }
                )
                bar.advance(psnr_db=score["psnr_db"])
            if file is not None:
                write_json(file, made)
            rows += made
    return rows


def _decided_by(
    method: Method,
    chosen: ImageSet,
    test: Test,
    seed: int,
    degraded_folder: Path | None,
    protocol: Scoring,
) -> str:
    """Return all that decides the rows of a test, as JSON."""
    device = None if isinstance(method, Baseline) else method.compute.device.type
    return json.dumps(
        {
            "method": [method.name, method.sha256, precision(method), device],
            "protocol": asdict(protocol),
            "set": chosen.name,
            "images": [[i.name, sha256_arrays(i.load())] for i in (*chosen.items, *chosen.noisy)],
            "test": str(test),
            "seed": seed,
            "degraded": manifest(degraded_folder / str(test)) if degraded_folder else None,
            "code": code_revision(__name__),
            "libraries": [version(name) for name in ("torch", "scikit-image", "scipy", "Pillow")],
        }
    )


def _finished(file: Path, chosen: ImageSet) -> list[dict[str, Any]] | None:
    """Return the rows of a finished test; None where there are none or a file is damaged."""
    try:
        rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        named = [row["image"] for row in rows if set(row) == set(COLUMNS)]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return rows if sorted(named) == sorted(item.name for item in chosen.items) else None


def _score(case: Pair, output: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return PSNR and SSIM of one restored image and of its input."""
    scores: dict[str, Callable[..., float]] = {"psnr": metrics.psnr, "ssim": metrics.ssim}
    unit = {"psnr": "_db", "ssim": ""}
    return {
        f"{name}{infix}{unit[name]}": score(case.target, values, case.border, white=metrics.WHITE)
        for infix, values in (("", output), ("_input", case.observed))
        for name, score in scores.items()
    }
