"""Train a denoiser and write its weights, with all that made them in their description."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from engine.artifacts import sha256_arrays, sha256_file
from engine.device import Compute
from engine.revision import code_revision
from engine.training.checkpoint import Checkpoint
from engine.training.loop import train as run_schedule
from restore.errors import RestoreError
from restore.image_sets.find import ImageSet
from restore.networks import denoiser
from restore.networks.dncnn import Architecture, DnCNN, Variant, folded
from restore.training.losses import LOSSES
from restore.training.patches import Patches
from restore.training.schedules import PatchSchedule

log = logging.getLogger(__name__)


def train(
    network: Variant,
    sets: Sequence[ImageSet],
    schedule: PatchSchedule,
    out: Path,
    *,
    seed: int,
    compute: Compute,
    history: Path | None = None,
    left_out: Sequence[str] = (),
    start_from: str = "",
) -> str:
    """Train `network` and write its weights to `out`.

    Parameters
    ----------
    network : Variant
        What to train, and on which degradations.
    sets : sequence of ImageSet
        The training images.
    schedule : PatchSchedule
    out : Path
        A .safetensors file; batch normalisation is folded into the convolutions.
    seed : int
        Of the initial weights and of every batch.
    compute : Compute
    history : Path, optional
        CSV of the loss.
    left_out : sequence of str
        Images that `sets` lack because they show test images; only written down.
    start_from : str
        Shipped name or file of the initial weights, of a network of the same shape; '' for random
        ones. Weights files hold folded networks, so this one learns without batch normalisation.

    Returns
    -------
    str
        SHA-256 of `out`.

    Raises
    ------
    RestoreError
        No training image is as large as a patch, or `start_from` is a network of another shape.
    UserError
        The loss is no longer finite.
    """
    architecture = network.architecture
    first = denoiser.load(start_from, compute) if start_from else None
    if first is not None:
        architecture = replace(architecture, batch_norm=False)
        _check_shape(first, network.name, architecture)
    items = [item for chosen in sets for item in chosen.items]
    images = [item.load() for item in items]
    training: dict[str, Any] = {
        "network": network.name,
        "architecture": asdict(architecture),
        "start": None if first is None else first.origin(),
        "schedule": schedule.describe(),
        "seed": seed,
        "sets": [chosen.name for chosen in sets],
        "images": len(items),
        "images_sha256": sha256_arrays(*images),
        "left_out": list(left_out),
        "precision": compute.precision,
        "device": compute.device.type,
        "code_revision": code_revision("restore.training.train"),
    }
    with Checkpoint(out, training | {"torch": torch.__version__}) as checkpoint:
        if checkpoint.finished():
            if history is not None and not history.exists():
                raise RestoreError(
                    f"{history}: expected the losses of {out}, which is trained already, found "
                    "none; leave out --log, or delete the weights to train again"
                )
            log.info("%s: holds exactly this training already; nothing to do", out)
        else:
            patches = Patches(
                images,
                network,
                patch=schedule.patch,
                batch_size=schedule.batch_size,
                scales=schedule.scales,
                darkest=schedule.darkest,
                device=compute.device,
            )
            model = DnCNN(architecture, torch.Generator().manual_seed(seed))
            if first is not None:
                model.load_state_dict(first.network.state_dict())
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            seconds = run_schedule(
                model,
                patches.draw,
                LOSSES[schedule.loss],
                schedule,
                compute=compute,
                seed=seed,
                checkpoint=checkpoint,
                history=history,
                label=network.name,
            )
            training["seconds"] = round(seconds, 1)
            origin = {"fingerprint": checkpoint.fingerprint, "training": training}
            denoiser.save(out, folded(model), network.name, origin)
    return sha256_file(out)


def _check_shape(first: denoiser.Denoiser, name: str, expected: Architecture) -> None:
    found = first.network.architecture
    if found != expected:
        shown = [
            f"{shape.depth} layers, {shape.channels} channels, {shape.features} features, "
            f"{'residual' if shape.residual else 'direct'}"
            for shape in (expected, found)
        ]
        raise RestoreError(
            f"--start-from {first.name}: expected a network of the shape of {name} ({shown[0]}), "
            f"found {shown[1]}; start from another, or leave it out"
        )
