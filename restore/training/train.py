"""Train a denoiser and write its weights, with all that made them in their description."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.artifacts import sha256_arrays
from engine.device import Compute, pick
from engine.revision import code_revision
from engine.training import loop, sitting
from engine.training.checkpoint import Checkpoint
from restore.errors import RestoreError
from restore.image_sets.find import ImageSet, image_set
from restore.image_sets.overlap import apart
from restore.networks import denoiser, filtered, shipped, variants
from restore.networks.dncnn import DnCNN, folded, renormalised
from restore.networks.variants import Architecture, Variant
from restore.training import schedules
from restore.training.ghost import GhostBatches
from restore.training.losses import LOSSES
from restore.training.patches import Patches
from restore.training.schedules import PatchSchedule
from restore.training.teaching import Teachers

log = logging.getLogger(__name__)


def train(
    name: str,
    images: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    schedule: str = "paper",
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    optimizer: str | None = None,
    start_from: str = "",
    apart_from: Sequence[str] = (),
    overlap: str = "refuse",
    log: str | Path | None = None,
    until: str = "",
    state: str | Path | None = None,
) -> str:
    """Train a denoiser and write its weights; an interrupted training resumes where it was.

    Parameters
    ----------
    name : str
        What to train: `dncnn-s-N` (noise of level N), `dncnn-b` (noise of any level), `dncnn-3`
        (noise, JPEG and bicubic), `dncnn-r` (the noise of photographs) or `dncnn-xN` (bicubic by
        one factor); see `restore.networks.variants.variant` for all forms.
    images : str, Path or sequence of them
        Training images: names of image sets, or folders.
    out : str or Path
        The .safetensors file to write.
    schedule : str, optional
        'demo', 'best', 'paper', or a YAML file; see `restore.training.schedules.schedule`.
    seed : int, optional
        Of the initial weights and of every batch, 0 or more.
    device : str, optional
        'auto' (CUDA where there is a GPU), 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}, optional
    optimizer : {'adam', 'sgd'}, optional
        In place of the schedule's own.
    start_from : str, optional
        Shipped name or file of the initial weights; random ones if empty.
    apart_from : sequence of str, optional
        Test sets; no training image may show the same picture as one of theirs.
    overlap : {'refuse', 'drop'}, optional
        Whether such a training image is an error or is left out.
    log : str or Path, optional
        CSV file for the loss of each step.
    until : str, optional
        Time after which the training pauses, as '150min' or '2h'; the same call goes on.
    state : str or Path, optional
        Folder for the state of an unfinished training; by default `.resume` beside `out`.

    Returns
    -------
    str
        SHA-256 of the weights, as `Denoiser.sha256`.

    Raises
    ------
    RestoreError
        A name, set, schedule or image is wrong, or training and test images overlap.
    UserError
        The device is not there, the loss is no longer finite, or `until` is no time.
    Paused
        The time is up and steps are left (`engine.errors.Paused`).

    References
    ----------
    .. [1] K. Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 26(7), 2017, section IV.

    Examples
    --------
    A schedule of one step, so that the example takes no time:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, restore
    >>> folder = Path(tempfile.mkdtemp())
    >>> image = np.add.outer(np.arange(48), np.arange(40)).astype(np.uint8)
    >>> restore.write_image(folder / "photos" / "ramp.png", image)
    >>> text = "{steps: 1, batch_size: 2, learning_rate: 0.001, patch: 16}"
    >>> _ = (folder / "short.yaml").write_text(text)
    >>> out, short = folder / "mine.safetensors", str(folder / "short.yaml")
    >>> _ = restore.train("dncnn-s-25", folder / "photos", out, schedule=short, device="cpu")
    >>> restore.load_model(out, device="cpu").schedule
    'short (1 steps)'
    """
    variant = variants.variant(name)
    chosen = schedules.schedule(schedule, variant)
    if optimizer:
        chosen = schedules.with_optimizer(chosen, optimizer)
    if overlap == "drop" and not apart_from:
        raise RestoreError(
            "overlap: expected a test set in `apart_from` for drop, found none; name the sets that "
            "no training image may show, or leave `overlap` out"
        )
    names = [images] if isinstance(images, str | Path) else images
    # Read once, to be compared and to be trained on.
    decoded = [image_set(str(name)).decoded() for name in names]
    sets, left_out = apart(decoded, [image_set(test) for test in apart_from], overlap)
    return train_variant(
        variant,
        sets,
        chosen,
        Path(out),
        seed=seed,
        compute=pick(device, precision),
        history=None if log is None else Path(log),
        left_out=left_out,
        start_from=start_from,
        until=sitting.seconds(until) if until else None,
        states=None if state is None else Path(state),
    )


def train_variant(
    variant: Variant,
    sets: Sequence[ImageSet],
    schedule: PatchSchedule,
    out: Path,
    *,
    seed: int,
    compute: Compute,
    history: Path | None = None,
    left_out: Sequence[str] = (),
    start_from: str = "",
    until: float | None = None,
    states: Path | None = None,
) -> str:
    """Train a variant on images of sets and write its weights to `out`.

    Parameters
    ----------
    variant : Variant
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
        ones. Weights files hold folded networks, so this one learns without batch normalisation,
        unless the schedule puts it back in.
    until : float, optional
        Seconds after which it pauses.
    states : Path, optional
        Folder for the state of an unfinished training.

    Returns
    -------
    str
        SHA-256 of the weights, as `Denoiser.sha256`.

    Raises
    ------
    RestoreError
        No training image is as large as a patch, `start_from` is a network of another shape, or a
        teacher cannot teach this one.
    UserError
        The loss is no longer finite.
    Paused
        The time is up and steps are left.
    """
    architecture = variant.architecture
    first = denoiser.load(start_from, compute) if start_from else None
    if first is not None:
        architecture = replace(architecture, batch_norm=False)
        _check_shape(first, variant.name, architecture)
        architecture = replace(architecture, batch_norm=schedule.renormalised)
    teachers = Teachers(schedule, variant, compute) if schedule.teachers else None
    items = [item for chosen in sets for item in chosen.items]
    images = [item.load() for item in items]
    training: dict[str, Any] = {
        "network": variant.name,
        "architecture": asdict(architecture),
        "start": None if first is None else first.origin(),
        "teachers": teachers.origins() if teachers else [],
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
    parts = training | {"torch": torch.__version__}
    with Checkpoint(out, parts, states, compute.device) as checkpoint:
        if checkpoint.finished():
            if history is not None and not history.exists():
                raise RestoreError(
                    f"{history}: expected the losses of {out}, which is trained already, found "
                    "none; leave out `log`, or delete the weights to train again"
                )
            log.info("%s: holds exactly this training already; nothing to do", out)
        else:
            patches = patches_of(images, variant, schedule, compute)
            if first is None:
                network = DnCNN(architecture, torch.Generator().manual_seed(seed))
            elif schedule.renormalised:
                example = patches.draw(0, torch.Generator().manual_seed(seed)).degraded
                network = renormalised(first.network, example)
            else:
                network = first.network
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            network.filtered = filtered.faster(architecture.features, compute)
            draw = teachers.taught(patches.draw) if teachers else patches.draw
            loss = LOSSES[schedule.loss]
            if schedule.ghost_batches > 1:
                loss = GhostBatches(loss, schedule.ghost_batches)
            seconds = loop.train(
                network,
                draw,
                loss,
                schedule,
                compute=compute,
                seed=seed,
                checkpoint=checkpoint,
                history=history,
                label=variant.name,
                until=until,
            )
            training |= {"seconds": round(seconds, 1), "kernels": checkpoint.kernels}
            origin = {"fingerprint": checkpoint.fingerprint, "training": training}
            denoiser.save(out, folded(network), variant.name, origin)
    return shipped.identity_of(out)


def patches_of(
    images: Sequence[npt.NDArray[np.uint8]],
    variant: Variant,
    schedule: PatchSchedule,
    compute: Compute,
) -> Patches:
    """Return what draws the batches that a schedule asks for."""
    return Patches(
        images,
        variant,
        patch=schedule.patch,
        batch_size=schedule.batch_size,
        scales=schedule.scales,
        darkest=schedule.darkest,
        device=compute.device,
        noise=schedule.noise,
        shares=schedule.shares,
    )


def _check_shape(first: denoiser.Denoiser, name: str, expected: Architecture) -> None:
    found = first.network.architecture
    if found != expected:
        raise RestoreError(
            f"`start_from` {first.name}: expected a network of the shape of {name} "
            f"({expected.in_words}), found {found.in_words}; start from another, or leave it out"
        )
