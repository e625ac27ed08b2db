"""Train a classifier on a split of a scene and write one model file."""

import logging
from pathlib import Path

import numpy as np
import torch

from engine.artifacts import sha256_file, versions
from engine.device import Compute, pick
from engine.errors import expect_seed
from engine.revision import code_revision
from engine.training.checkpoint import Checkpoint
from hsi.classifiers.model import Model
from hsi.classifiers.protocol import Classifier, Training
from hsi.classifiers.schedules import schedule as schedule_of
from hsi.errors import HsiError, expect_kind
from hsi.features.components import ComponentsFile
from hsi.features.levels import levels
from hsi.scenes.bands import Bands
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import refuse_empty_bands
from hsi.splits.split import Split

log = logging.getLogger(__name__)

ROWS = 64  # of the scene that are looked at together


def train(
    classifier: Classifier,
    scene: Scene,
    labels: Labels,
    split: Split,
    out: Path | str,
    *,
    schedule: str = "paper",
    seed: int = 0,
    device: str = "auto",
    compute: Compute | None = None,
    reduced: ComponentsFile | None = None,
    history: Path | str | None = None,
) -> str:
    """Train a classifier on the training pixels of a split and write it to a file.

    A run that was interrupted resumes where its last state was saved. A file that already holds
    exactly this training is kept.

    Parameters
    ----------
    classifier : Classifier
        Untrained, from `hsi.make_classifier`.
    scene : Scene
    labels : Labels
        Of the scene's size.
    split : Split
        Made from `labels`; only the labels of its training pixels are looked at.
    out : Path or str
        The .safetensors file to write.
    schedule : str
        'demo', 'paper', 'notebook', 'best' or a YAML file (`hsi.classifiers.schedules.schedule`);
        counts for networks alone.
    seed : int
        Seed of every random draw, 0 or more.
    device : str
        'auto' (a GPU where there is one), 'cpu', 'cuda' or 'cuda:N'.
    compute : Compute, optional
        Device and precision as `engine.device.pick` returns them, in place of `device`.
    reduced : ComponentsFile, optional
        Prepared components of the scene; classifiers that work on spectra do not use them.
    history : Path or str, optional
        CSV of the loss to write, from networks alone.

    Returns
    -------
    str
        SHA-256 of `out`.

    Raises
    ------
    HsiError
        Inputs do not belong together; there are fewer than two classes to learn; a training pixel
        holds no data; `out` does not end with .safetensors; `seed` is below 0.
    UserError
        There is no such schedule or device.

    Examples
    --------
    >>> import hsi, tempfile
    >>> scene, labels = hsi.open_scene("IndianPines"), hsi.open_labels("IndianPines")
    >>> split = hsi.make_split(labels, "random:0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.safetensors"
    ...     sha256 = hsi.train(hsi.make_classifier("coordinates"), scene, labels, split, path)
    >>> len(sha256)
    64
    """
    out, compute = Path(out), compute or pick(device)
    expect_seed(seed, HsiError)
    expect_kind(scene, Scene, "scene", "open it with hsi.open_scene")
    expect_kind(labels, Labels, "labels", "open them with hsi.open_labels")
    expect_kind(split, Split, "split", "make one with hsi.make_split")
    if out.suffix != ".safetensors":
        raise HsiError(f"{out}: expected a name that ends with .safetensors")
    labels.check_fits(scene)
    labels = split.own_labels(labels)
    pixels = int(split.train.sum())
    if (labels.count(split.train) > 0).sum() < 2:
        raise HsiError(f"split {split.how}: expected training pixels of at least two classes")
    _check_data(scene, split)
    for given, what in ((reduced, "prepared components"), (history, "history of the loss")):
        if given is not None and not classifier.stepwise:
            log.info("%s is fitted at once: %s not used", classifier.name, what)
    chosen = schedule_of(schedule, pixels)
    description = {
        "classifier": classifier.name,
        "options": dict(classifier.options),
        "scene": scene.name,
        "classes": labels.classes.tolist(),
        "class_names": list(labels.class_names),
        "colours": labels.colours.tolist(),
        "bands": scene.cube.shape[2],
        "wavelengths": None if scene.wavelengths is None else scene.wavelengths.tolist(),
        "spectra": levels(scene, Bands(scene.good_bands), split.train),
        "split": split.describe(),
        "schedule": chosen.describe() if classifier.stepwise else None,
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
    parts = {**description, "torch": torch.__version__}
    with Checkpoint(out, parts, device=compute.device) as checkpoint:
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
                chosen,
                compute,
                checkpoint,
                reduced if classifier.stepwise else None,
                Path(history) if classifier.stepwise and history is not None else None,
            )
        )
        description |= {"seconds_train": round(seconds, 3), "fingerprint": checkpoint.fingerprint}
        return Model(classifier, description).save(out)


def _check_data(scene: Scene, split: Split) -> None:
    """Raise HsiError where a training pixel holds no measurement."""
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
        if every:
            refuse_empty_bands(scene)
        if every and not np.isfinite(scene.cube[row, column][scene.good_bands]).all():
            scene.refuse_not_finite()  # whole bands, not a few pixels
        raise HsiError(
            f"{scene.name}: expected data at every training pixel, found {len(empty)} of "
            f"{split.train.sum()} without (all zero, not finite, or the ignore value), first at "
            f"row {row}, column {column}; split again with `scene`, which leaves them out"
        )
