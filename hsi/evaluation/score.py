"""Score a map against ground truth on the test pixels of a split, and write the scores."""

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.artifacts import sha256_arrays, sha256_file, write_json
from engine.tables import two_decimals, write_csv
from engine.training.schedule import in_words
from hsi.classifiers import model_file
from hsi.errors import HsiError, expect_kind
from hsi.evaluation.certainty import score_layers
from hsi.evaluation.metrics import MANY, Scores, scores_of
from hsi.evaluation.test_pixels import check_unseen, classes_on_test_pixels
from hsi.figures import save_classes, save_comparison, save_confusion
from hsi.formats import numpy_arrays
from hsi.maps.record import read_record
from hsi.scenes.labels import Labels
from hsi.splits.groups import groups_of
from hsi.splits.leakage import leakage_report
from hsi.splits.split import Split

log = logging.getLogger(__name__)

PER_CLASS_COLUMNS = (
    "scene",
    "split",
    "classifier",
    "seed",
    "class_id",
    "class_name",
    "train_pixels",
    "test_pixels",
    "recall",
    "precision",
    "f1",
)
# What a mask's row says of its classes and the ground truth's; empty for other splits.
OF_THE_MASK = ("labels_of", "unlabelled_in_mask", "other_class_in_mask")
# What was done to a map beside naming classes.
OF_THE_MAP = ("abstain", "majority", "sieve")
OF_THE_RECORD = ("schedule", "seconds_train", "seconds_map", "trained_split", *OF_THE_MAP)
# Figures that a model's settings state, where its classifier has them.
OF_THE_MODEL = ("parameters", "multiply_adds_a_pixel", "window")


def score(numbers: npt.NDArray[Any], labels: Labels, split: Split) -> Scores:
    """Score a map on the test pixels of a split.

    Parameters
    ----------
    numbers : ndarray (H, W)
        Class numbers, of any type that holds whole numbers.
    labels : Labels
        The ground truth.
    split : Split
        Says which labelled pixels are tested; made from `labels`.

    Returns
    -------
    Scores
        `oa` (overall accuracy), `aa` (the mean recall of the classes) and `kappa` × 100, in
        percent; `recall`, `precision` and `f1` of each class, ndarray (C,), in percent, NaN for a
        class without test pixels; `confusion`, ndarray (C, C), rows true, columns predicted.

    Raises
    ------
    HsiError
        Map, labels and split do not belong together, or the map holds something else than the
        labels' classes on a test pixel.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> labels = hsi.open_labels("IndianPines")
    >>> split = hsi.make_split(labels, "random:0.1")
    >>> everywhere_soybean = np.full(labels.ground_truth.shape, 11)
    >>> round(hsi.score(everywhere_soybean, labels, split).oa, 1)
    23.9
    """
    expect_kind(numbers, np.ndarray, "numbers", "convert it with numpy.asarray")
    expect_kind(labels, Labels, "labels", "open them with hsi.open_labels")
    expect_kind(split, Split, "split", "make one with hsi.make_split")
    labels = split.own_labels(labels)
    predicted = classes_on_test_pixels("map", numbers, labels, split)
    return scores_of(labels.ground_truth[split.test], predicted, labels.classes)


def score_map(
    numbers: npt.NDArray[np.integer[Any]],
    labels: Labels,
    split: Split,
    out: Path,
    *,
    made_by: Mapping[str, Any],
    layers: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Scores:
    """Score a map and write `scores.json`, `per_class.csv`, `confusion.csv` and its pictures.

    `right.npy` (n,) bool holds True for each test pixel that the map has right, row by row, and
    `groups.npy` (n,) int32 the block or polygon it lies in (see `hsi.splits.groups`).

    Parameters
    ----------
    numbers : ndarray (H, W), int
        Class numbers.
    labels, split
        The ground truth, and the pixels of it to score on.
    out : Path
        Folder to write to.
    made_by : mapping
        `scene`, `classifier`, `seed` (of the training), and where known `schedule`,
        `seconds_train`, `seconds_map`, `parameters`, `multiply_adds_a_pixel`, `window`, the pixels
        across that the classifier looks at, and `trained_split`, that of its training as
        `Split.describe` gives it. With `abstain`, pixels of class 0 are left open: they count as
        wrong, and `coverage` and `oa_answered` state how many are named, and how well.
    layers : mapping of str to ndarray, optional
        Rasters beside the map (see `hsi.evaluation.certainty`), which are scored, too.

    Returns
    -------
    Scores

    Raises
    ------
    HsiError
        Map, labels and split do not belong together; the classifier learned from another split.
    """
    labels = split.own_labels(labels)
    abstains = made_by.get("abstain") is not None
    predicted = classes_on_test_pixels("map", numbers, labels, split, abstains=abstains)
    check_unseen("map", made_by.get("trained_split"), labels, split)
    test, truth = split.test, labels.ground_truth[split.test]
    scores = scores_of(truth, predicted, labels.classes, abstains=abstains)
    tested = scores.support > 0
    if not tested.all():
        absent = [name for name, has in zip(labels.class_names, tested, strict=True) if not has]
        log.info("no test pixels, and so no score: %s", ", ".join(absent))

    case = {
        "scene": made_by["scene"],
        "split": split.how,
        "classifier": made_by["classifier"],
        "seed": made_by["seed"],
    }
    table = _confusion_table(scores, labels)
    write_csv(table, out / "confusion.csv", list(table.columns))
    write_csv(_per_class(case, scores, labels, split), out / "per_class.csv", PER_CLASS_COLUMNS)
    right = predicted == truth
    numpy_arrays.write(out / "right.npy", right)
    numpy_arrays.write(out / "groups.npy", groups_of(labels, split))
    title = f"{case['scene']} {case['split']}: {case['classifier']}, OA {scores.oa:.2f} %"
    save_confusion(out / "confusion.png", scores.confusion, labels.class_names, title)
    save_classes(
        out / "classes.png", scores.recall, scores.precision, scores.support, labels, title
    )
    save_comparison(
        out / "comparison.png", numbers, labels, split, case["classifier"], int((~right).sum())
    )
    certainty = score_layers(layers or {}, right, labels, split, out, title)
    write_json(
        out / "scores.json",
        {
            **case,
            "schedule": made_by.get("schedule"),
            "oa": round(scores.oa, 4),
            "aa": round(scores.aa, 4),
            "kappa": None if math.isnan(scores.kappa) else round(scores.kappa, 4),
            "aa_min20": None if math.isnan(scores.aa_min20) else round(scores.aa_min20, 4),
            "classes_min20": int((scores.support >= MANY).sum()),
            **{key: made_by.get(key) for key in OF_THE_MAP},
            "coverage": round(scores.coverage, 4),
            "oa_answered": None if math.isnan(scores.oa_answered) else round(scores.oa_answered, 4),
            **certainty,
            "test_pixels": int(scores.support.sum()),
            "train_pixels": int(split.train.sum()),
            "seconds_train": made_by.get("seconds_train"),
            "seconds_map": made_by.get("seconds_map"),
            **{key: made_by.get(key) for key in OF_THE_MODEL},
            "test_in_own_window": _in_own_window(split, made_by.get("window")),
            "split_seed": split.seed,
            "test_sha256": sha256_arrays(test)
            if split.classes is None
            else sha256_arrays(test, split.classes[test]),
            **{key: split.report.get(key) for key in OF_THE_MASK},
            "report": dict(split.report),
        },
    )
    return scores


def made_by(map_path: Path, labels: Labels, model: Path | None) -> dict[str, Any]:
    """Return what made a map, from the record beside it and from the model if given.

    Parameters
    ----------
    map_path : Path
        The record of `hsi classify`, if there is one, lies beside it under the same stem.
    labels : Labels
        Gives the name of the scene where there is no record.
    model : Path, optional
        The model that the record names.

    Raises
    ------
    HsiError
        The map was made by another model.
    """
    record = read_record(map_path)
    found = {
        "scene": record.get("scene", labels.name),
        "classifier": record.get("classifier", map_path.stem),
        "seed": record.get("seed", 0),
        **{key: record.get(key) for key in OF_THE_RECORD},
    }
    if model is None:
        return found
    stored, description = model_file.stored(model)
    # Records of earlier versions hold the sum of the file.
    sums = (model_file.stored_identity(stored, description), sha256_file(model))
    if record and record["model_sha256"] not in sums:
        raise HsiError(f"{map_path}: made by another model than {model}; run hsi classify again")
    return {
        **found,
        "classifier": description["classifier"],
        "seed": description["seed"],
        "schedule": in_words(description["schedule"]),
        "seconds_train": description["seconds_train"],
        "trained_split": description["split"],
        **{key: description["settings"].get(key) for key in OF_THE_MODEL},
    }


def _in_own_window(split: Split, window: int | None) -> float | None:
    """Return the percentage of test pixels inside a training window of this classifier."""
    if window is None:
        return None
    found: float | None = leakage_report(split.train, split.test, window)["test_in_training_window"]
    return found


def _confusion_table(scores: Scores, labels: Labels) -> pd.DataFrame:
    """Return the confusion matrix as a table: rows are true classes, columns predicted."""
    columns = {"true \\ predicted": list(labels.class_names)}
    for name, counts in zip(labels.class_names, scores.confusion.T, strict=True):
        columns[name] = counts.tolist()
    if scores.unanswered is not None:
        columns["left open"] = scores.unanswered.tolist()
    return pd.DataFrame(columns)


def _per_class(
    case: Mapping[str, Any], scores: Scores, labels: Labels, split: Split
) -> pd.DataFrame:
    rows = []
    trained = labels.count(split.train)
    for index, (number, name) in enumerate(zip(labels.classes, labels.class_names, strict=True)):
        row = {
            **case,
            "class_id": int(number),
            "class_name": name,
            "train_pixels": int(trained[index]),
            "test_pixels": int(scores.support[index]),
        }
        for figure in ("recall", "precision", "f1"):
            row[figure] = two_decimals(getattr(scores, figure)[index])
        rows.append(row)
    return pd.DataFrame(rows)
