"""Calibrate a trained model on pixels that it, or its likes, did not learn from."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import write_text
from engine.device import Compute
from engine.tiling import Tiling
from hsi.calibration.conformal import least_probabilities
from hsi.calibration.reliability import calibration_error
from hsi.calibration.temperature import fit_temperature, tempered
from hsi.classifiers.model import CLASSIFIERS, Model, load_model
from hsi.classifiers.protocol import Application, Classifier
from hsi.classifiers.spectral import stratified_folds
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.maps.blocks import classified, reader
from hsi.maps.plan import comfortable_block
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split

log = logging.getLogger(__name__)

FOLDS = range(2, 21)
Mask = npt.NDArray[np.bool_]


def calibrate(
    scene: Scene,
    labels: Labels,
    split: Split,
    model_path: Path,
    out: Path,
    *,
    folds: int = 5,
    block: int | None = None,
    hold_out: bool = False,
    compute: Compute,
) -> dict[str, Any]:
    """Learn a model's temperature and its sets of stated coverage, and write it with both.

    The training pixels are cut into folds; for each, a classifier with the model's settings, seed
    and schedule learns from the others, and the probabilities of the fold are kept. Test pixels are
    not looked at. Trainings lie in a folder beside `out` until it is written, and an interrupted
    run resumes.

    Parameters
    ----------
    scene, labels, split
        Those that the model was trained on.
    model_path : Path
        A model whose classifier has probabilities.
    out : Path
        The .safetensors file to write.
    folds : int
        2 to 20.
    block : int, optional
        Fold by whole blocks of so many pixels across; else by single pixels, class by class.
    hold_out : bool
        Train without the first fold alone, and write that model: split conformal as published, for
        the price of fewer training pixels. By default the model stays as it is, and the
        probabilities are those of its likes on all folds (cross-conformal).
    compute : Compute

    Returns
    -------
    dict
        What the model keeps as `calibration`: `temperature`, `least` (see
        `hsi.calibration.conformal`), `pixels`, `left_out` (held-out pixels of a class that the
        other folds lack), `folds`, `block`, `hold_out`, and the expected calibration error of the
        held-out pixels before and after, `ece_before` and `ece`, in percent.

    Raises
    ------
    HsiError
        The classifier has no probabilities; the model learned from another split; `folds` or
        `block` is out of range.
    """
    if folds not in FOLDS:
        raise HsiError(f"`folds` {folds}: expected 2 to 20")
    if block is not None and block < 1:
        raise HsiError(f"`block` {block}: expected a number of pixels, at least 1")
    labels.check_fits(scene)
    labels = split.own_labels(labels)
    model = load_model(model_path)
    if not model.classifier.has_probabilities:
        raise HsiError(
            f"{model_path}: expected a model that gives probabilities, found "
            f"{model.classifier.name}; give one of a network, forest or best"
        )
    described = model.description
    if described["split"].get("train_sha256") != split.describe()["train_sha256"]:
        raise HsiError(
            f"{model_path}: learned from other training pixels ({described['split']['how']}) than "
            f"those of {split.how}, seed {split.seed}; give the split that it learned from"
        )
    if described["classes"] != labels.classes.tolist():
        raise HsiError(f"{model_path}: learned other classes than those of {labels.name}")
    fold_of = _folds(labels, split, folds, block, described["seed"])
    work = out.with_name(f".{out.name}.folds")
    shares, truth, left_out = [], [], 0
    written = model
    for fold in range(1 if hold_out else folds):
        held = fold_of == fold
        path = _train(scene, labels, split, held, model, work / f"fold{fold}", compute)
        known = labels.count(split.train & ~held) > 0
        tested = held & labels.marked(known)
        left_out += int(held.sum()) - int(tested.sum())
        one = load_model(path)
        shares.append(_probabilities(one.classifier, scene, tested, compute))
        truth.append(labels.indices[tested].astype(np.int64))
        written = one if hold_out else model
    found, targets = np.concatenate(shares), np.concatenate(truth)
    temperature = fit_temperature(found, targets)
    right = found.argmax(axis=1) == targets
    errors = [
        round(calibration_error(tempered(found, value).max(axis=1), right), 4)
        for value in (1.0, temperature)
    ]
    kept = {
        "temperature": temperature,
        "least": least_probabilities(found[np.arange(len(targets)), targets]),
        "pixels": len(targets),
        "left_out": left_out,
        "folds": folds,
        "block": block,
        "hold_out": hold_out,
        "ece_before": errors[0],
        "ece": errors[1],
    }
    if left_out:
        log.warning("%d held-out pixels are of a class that other folds lack: left out", left_out)
    # Not the training that the fingerprint stands for: hsi train may not take it for finished.
    plain = {key: value for key, value in described.items() if key != "fingerprint"}
    Model(written.classifier, {**plain, "calibration": kept}).save(out)
    shutil.rmtree(work)
    return kept


def _folds(
    labels: Labels, split: Split, folds: int, block: int | None, seed: int
) -> npt.NDArray[np.int64]:
    """Return the fold of each training pixel, (H, W), −1 elsewhere."""
    rng = np.random.default_rng(seed)
    fold_of = np.full(split.train.shape, -1, np.int64)
    if block is None:
        targets = labels.indices[split.train].astype(np.int64)
        fold_of[split.train] = stratified_folds(targets, folds, rng)
        return fold_of
    rows, columns = (-(-size // block) for size in split.train.shape)
    used = np.zeros((rows, columns), np.bool_)
    places = np.nonzero(split.train)
    used[places[0] // block, places[1] // block] = True
    if used.sum() < folds:
        raise HsiError(
            f"`block` {block}: expected at least {folds} blocks with training pixels, one per "
            f"fold, found {used.sum()}; take smaller blocks or fewer `folds`"
        )
    of_block = np.full(used.shape, -1, np.int64)
    of_block[used] = rng.permutation(np.arange(used.sum()) % folds)
    fold_of[places] = of_block[places[0] // block, places[1] // block]
    return fold_of


def _train(
    scene: Scene,
    labels: Labels,
    split: Split,
    held: Mask,
    model: Model,
    stem: Path,
    compute: Compute,
) -> Path:
    """Train a classifier like a model without some of its training pixels; return its file."""
    described = model.description
    inside = Split(
        split.train & ~held, held, f"{split.how} without {stem.name}", split.seed, split.window,
        labels.checksum(), {},
    )  # fmt: skip
    stem.parent.mkdir(parents=True, exist_ok=True)
    schedule = "paper"
    if described["schedule"] is not None:
        # The very steps of the model: named schedules count them by the pixels.
        write_text(stem.with_suffix(".yaml"), _as_yaml(described["schedule"]))
        schedule = str(stem.with_suffix(".yaml"))
    path = stem.with_suffix(".safetensors")
    train(
        _untrained(described), scene, labels, inside, path,
        schedule=schedule, seed=described["seed"], compute=compute,
    )  # fmt: skip
    return path


def _untrained(described: Mapping[str, Any]) -> Classifier:
    """Return an untrained classifier with the settings of a model."""
    kind = CLASSIFIERS[described["classifier"]]
    own = getattr(kind, "own", {})
    chosen = dict(described.get("options") or {})
    for key in ("window", "components"):  # a name that stands for a size takes no other
        if key in chosen and own.get(key) == chosen[key]:
            del chosen[key]
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in chosen.items()})


def _as_yaml(schedule: Mapping[str, Any]) -> str:
    import yaml

    stated = {k: value for k, value in schedule.items() if k != "name" and value is not None}
    return yaml.safe_dump(stated)


def _probabilities(
    classifier: Classifier, scene: Scene, wanted: Mask, compute: Compute
) -> npt.NDArray[np.float32]:
    """Return the probabilities (n, C) of some pixels, row by row; blocks without any are passed."""
    if not classifier.halo:  # each pixel by itself: no others need be classified
        scene = replace(scene, mask=wanted)
    tiling = Tiling(scene.shape, comfortable_block(classifier, scene), classifier.halo)
    blocks = [block for block in tiling if wanted[block.rows, block.columns].any()]
    application = Application(compute, probabilities=True)
    found = np.empty((int(wanted.sum()), classifier.classes), np.float32)
    place = np.full(wanted.shape, -1, np.int64)
    place[wanted] = np.arange(len(found))
    read = reader(classifier, scene, application)
    for block, prediction in classified(classifier, read, blocks, application):
        assert prediction.probabilities is not None
        inside = wanted[block.rows, block.columns]
        found[place[block.rows, block.columns][inside]] = prediction.probabilities[inside]
    return found
