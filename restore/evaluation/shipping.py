"""Put trained weights into the package, and check those that are there."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from engine.artifacts import write_text
from engine.device import Compute
from engine.tables import write_csv
from engine.tensors import load_tensors, save_tensors
from restore.degradations.degradation import parse
from restore.errors import RestoreError
from restore.evaluation.benchmark import evaluate
from restore.evaluation.cards import read_scores, write_card
from restore.evaluation.protocol import COLUMNS
from restore.evaluation.summary import summarise, write_tables
from restore.image_sets.find import image_set
from restore.networks import denoiser, shipped

log = logging.getLogger(__name__)

TOLERANCE = 0.02  # dB between a card and what its weights score
HALF_LOSS = 0.003  # dB that float16 may cost


def ship(weights: Path, tests: Sequence[str], out: Path, compute: Compute) -> Path:
    """Write weights and their card into a folder, as float16 where that costs next to nothing.

    Parameters
    ----------
    weights : Path
        Of `restore train`.
    tests : sequence of str
        Image sets with degradations: 'Set12,noise:25'.
    out : Path
        Folder for VARIANT.safetensors and VARIANT.md.
    compute : Compute

    Returns
    -------
    Path
        The card.

    Raises
    ------
    RestoreError
        The weights were not trained by this package, or a test is none.
    """
    pairs = [_test(text) for text in tests]
    model = denoiser.load(str(weights), compute)
    tensors, description = load_tensors(weights)
    if "training" not in description:
        raise RestoreError(f"{weights}: expected weights of `restore train`, found imported ones")
    scored = pd.concat([_scores(model, *pair) for pair in pairs])
    target = out / f"{model.name}.safetensors"
    halves = {name: value.to(torch.float16) for name, value in tensors.items()}
    lost = math.inf
    if all(bool(value.isfinite().all()) for value in halves.values()):
        save_tensors(target, halves, description)
        loaded = denoiser.load(str(target), compute)
        rounded = pd.concat([_scores(loaded, *pair) for pair in pairs])
        case = ["set", "degradation", "level"]
        change = rounded.groupby(case)["psnr_db"].mean() - scored.groupby(case)["psnr_db"].mean()
        lost = float(change.abs().max())
    if lost <= HALF_LOSS:
        form = f"float16: within {max(lost, 0.0001):.4f} dB of float32"
    else:
        save_tensors(target, tensors, description)
        cost = f"{lost:.4f} dB" if math.isfinite(lost) else "all of it, as it cannot hold them"
        rounded, form = scored, f"float32: float16 would cost {cost}"
    card = target.with_suffix(".md")
    write_text(card, write_card(description, form, summarise(rounded, {})))
    return card


def verify(names: Sequence[str], out: Path, compute: Compute) -> list[str]:
    """Score shipped weights anew on what their cards name, and write the tables.

    Parameters
    ----------
    names : sequence of str
        Shipped weights.
    out : Path
        Folder for `psnr_ssim.csv` and `psnr_ssim_summary.csv`.
    compute : Compute

    Returns
    -------
    list of str
        A line for each score that is more than 0.02 dB from its card.
    """
    apart, parts, schedules = [], [], {}
    cards = {name: read_scores(shipped.find(name).with_suffix(".md")) for name in names}
    for name, card in cards.items():
        model = denoiser.load(name, compute)
        schedules[model.sha256] = model.schedule
        for stated in card:
            parts.append(_scores(model, stated.images, stated.degradation))
            found = float(parts[-1]["psnr_db"].mean())
            if abs(found - stated.psnr_db) > TOLERANCE:
                apart.append(
                    f"{name}: {stated.images}, {stated.degradation}: expected "
                    f"{stated.psnr_db:.2f} dB as its card says, found {found:.2f}"
                )
    rows = out / "psnr_ssim.csv"
    write_csv(pd.concat(parts), rows, COLUMNS)
    write_tables([rows], schedules, out)
    return apart


def _test(text: str) -> tuple[str, str]:
    images, comma, degradation = text.rpartition(",")
    if not (comma and images):
        raise RestoreError(f"`test` {text}: expected a set and a degradation: Set12,noise:25")
    return images, str(parse(degradation))


def _scores(model: denoiser.Denoiser, images: str, degradation: str) -> pd.DataFrame:
    log.info("%s: %s, %s", model.name, images, degradation)
    return pd.DataFrame(evaluate(model, [image_set(images)], [parse(degradation)], seed=0))
