"""Train a classifier on a split of a scene and write one model file."""

import logging
from pathlib import Path

import numpy as np
import torch

from engine.artifacts import sha256_file, versions
from engine.device import Compute
from engine.revision import code_revision
from engine.training.checkpoint import Checkpoint
from hsi.classifiers.model import Model
from hsi.classifiers.protocol import Classifier, Training
from hsi.classifiers.schedules import schedule
from hsi.errors import HsiError
from hsi.features.components import Reduced
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split

log = logging.getLogger(__name__)

ROWS = 64  # of the scene that are looked at together


def train(
    classifier: Classifier,
    scene: Scene,
    labels: Labels,
    split: Split,
    out: Path,
    *,
    compute: Compute,
    schedule_name: str = "paper",
    seed: int = 0,
    reduced: Reduced | None = None,
    history: Path | None = None,
) -> str:
    """Train `classifier` on the training pixels and write it to `out`.

    A run that was killed goes on where its last state was saved; a file that already holds exactly
    this training is left as it is.

    Parameters
    ----------
    classifier : Classifier
        Untrained.
    scene, labels, split
        Of one size; `split` made from `labels`.
    out : Path
        A .safetensors file.
    compute : Compute
    schedule_name : str
        See `hsi.classifiers.schedules.schedule`; counts for classifiers that train in steps.
    seed : int
    reduced : Reduced, optional
        Prepared components of the scene; classifiers that work on spectra leave them aside.
    history : Path, optional
        CSV of the loss, from classifiers that train in steps.

    Returns
    -------
    str
        SHA-256 of `out`.

    Raises
    ------
    HsiError
        Inputs that do not belong together, fewer than two classes to learn, or a training pixel
        without data.
    """
    labels.check_fits(scene)
    split.check_fits(labels)
    pixels = int(split.train.sum())
    if len(set(labels.indices[split.train].tolist())) < 2:
        raise HsiError(f"split {split.how}: expected training pixels of at least two classes")
    _check_data(scene, split)
    for given, what in ((reduced, "--reduced"), (history, "--log")):
        if given is not None and not classifier.stepwise:
            log.info("%s works on the spectra at once; %s is not used", classifier.name, what)
    steps = schedule(schedule_name, pixels)
    description = {
        "classifier": classifier.name,
        "options": dict(classifier.options),
        "scene": scene.name,
        "classes": labels.classes.tolist(),
        "class_names": list(labels.class_names),
        "colours": labels.colours.tolist(),
        "bands": scene.cube.shape[2],
        "wavelengths": None if scene.wavelengths is None else scene.wavelengths.tolist(),
        "split": split.describe(),
        "schedule": steps.describe() if classifier.stepwise else None,
        "seed": seed,
        "data": {
            "scene": scene.checksum(),
            "labels": labels.checksum(),
            "projection": None if reduced is None else reduced.pca.checksum(),
        },
        "device": compute.device.type,
        "precision": compute.precision,
        "code_revision": code_revision("hsi.classifiers.train"),
        "versions": versions(),
    }
    with Checkpoint(out, {**description, "torch": torch.__version__}) as checkpoint:
        if checkpoint.finished():
            log.info("%s: holds exactly this training already; nothing to do", out)
            return sha256_file(out)
        if out.is_file():
            log.warning("%s: what another training left there will be replaced", out)
        log.info(
            "%s on %s, %s: %d training pixels of %d classes",
            classifier.name, scene.name, split.how, pixels, len(labels.classes),
        )  # fmt: skip
        seconds = classifier.fit(
            Training(
                scene,
                labels,
                split,
                seed,
                steps,
                compute,
                checkpoint,
                reduced if classifier.stepwise else None,
                history if classifier.stepwise else None,
            )
        )
        description |= {"seconds_train": round(seconds, 3), "fingerprint": checkpoint.fingerprint}
        return Model(classifier, description).save(out)


def _check_data(scene: Scene, split: Split) -> None:
    """Refuse training pixels that hold no measurement."""
    empty: list[list[int]] = []
    for start in range(0, scene.shape[0], ROWS):
        rows = slice(start, min(start + ROWS, scene.shape[0]))
        if split.train[rows].any():
            found = np.argwhere(scene.no_data(rows) & split.train[rows])
            found[:, 0] += start
            empty += found.tolist()
    if empty:
        row, column = empty[0]
        every = len(empty) == split.train.sum()
        if every and not np.isfinite(scene.cube[row, column][scene.good_bands]).all():
            scene.refuse_not_finite()  # whole bands, not a few pixels
        raise HsiError(
            f"{scene.name}: expected data at every training pixel, found {len(empty)} of "
            f"{split.train.sum()} without (all zero, not finite, or the ignore value), first at "
            f"row {row}, column {column}; set their labels to 0 and split again"
        )
