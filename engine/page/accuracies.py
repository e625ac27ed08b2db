"""Scenes of a results folder: accuracies with intervals, and the maps of each run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import read_npz
from engine.errors import UserError
from engine.page.folder import ResultsFolder, Row, number
from engine.page.layers import TEST, TRAIN, Run
from engine.page.scene_view import SceneView, load_view

SUMMARY = ("hsi", "overall_accuracy_summary.csv")
COLUMNS = ("scene", "split", "classifier", "schedule", "seeds", "oa_mean", "oa_std")
OVERALL = ("hsi", "overall_accuracy.csv")
PER_CLASS = ("hsi", "per_class_accuracy.csv")
CONTROL = "coordinates"
RANDOM = ("random", "count")


def read_summary(folder: ResultsFolder) -> list[Row]:
    """Return the rows of the means over seeds, in the order of the table."""
    return folder.table(*SUMMARY, columns=COLUMNS)


def headlines(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return one line a scene and split: the best classifier, the control, the published figure."""
    made = []
    for scene, split in dict.fromkeys((row["scene"], row["split"]) for row in rows):
        group = [row for row in rows if (row["scene"], row["split"]) == (scene, split)]
        group = [row for row in group if number(row["oa_mean"]) is not None]
        group.sort(key=lambda row: -(number(row["oa_mean"]) or 0))
        control = next((row for row in group if row["classifier"] == CONTROL), None)
        best = next((row for row in group if row["classifier"] != CONTROL), None)
        known = next((row for row in group if row.get("oa_published")), None)
        made.append(
            {
                "scene": scene,
                "split": split,
                "separated": is_separated(split),
                "best": None if best is None else _figure(best),
                "control": None if control is None else _figure(control),
                "published": None
                if known is None
                else {
                    "method": known["classifier"],
                    "oa": known["oa_published"],
                    "difference": known.get("oa_difference", "").replace("-", "−"),
                },
            }
        )
    return made


def is_separated(split: str) -> bool:
    """Return whether a split keeps test pixels apart from training pixels."""
    return split.partition(":")[0] not in RANDOM


def tables(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a table a scene: a row a classifier, a column a split, random splits first.

    Returns
    -------
    list of dict
        `scene`; `splits`: `name` and `separated`; `classifiers`: `name`, `schedule`, and `cells`
        in the order of the splits, None where there is no such run.
    """
    made = []
    for scene in dict.fromkeys(row["scene"] for row in rows):
        group = [row for row in rows if row["scene"] == scene]
        splits = sorted(dict.fromkeys(row["split"] for row in group), key=is_separated)
        lines = []
        for name, schedule in dict.fromkeys((row["classifier"], row["schedule"]) for row in group):
            cells = [
                next(
                    (
                        _figure(row)
                        for row in group
                        if (row["classifier"], row["schedule"], row["split"])
                        == (name, schedule, split)
                    ),
                    None,
                )
                for split in splits
            ]
            lines.append({"name": name, "schedule": schedule, "cells": cells})
        named = [{"name": split, "separated": is_separated(split)} for split in splits]
        made.append({"scene": scene, "splits": named, "classifiers": lines})
    return made


def _figure(row: Row) -> dict[str, Any]:
    """Return a mean with its interval: that of the blocks where known, else of the seeds."""
    oa, low, high = (number(row.get(key)) for key in ("oa_mean", "oa_low", "oa_high"))
    std = number(row["oa_std"])
    said = ""
    if oa is not None and low is not None and high is not None:
        said = f"{low:.1f} to {high:.1f}"
    elif oa is not None and std is not None:
        low, high, said = oa - std, oa + std, f"± {std:.2f}"
    return {
        "method": row["classifier"],
        "oa": row["oa_mean"],
        "value": oa,
        "low": None if low is None else max(low, 0.0),
        "high": None if high is None else min(high, 100.0),
        "interval": said,
        "seeds": row["seeds"],
        "aa": row.get("aa_mean", ""),
        "kappa": row.get("kappa_mean", ""),
        "published": row.get("oa_published", ""),
        "inside": row.get("test_in_training_window", ""),
    }


def views(folder: ResultsFolder, maps: Sequence[str]) -> list[tuple[SceneView, list[Run]]]:
    """Return what is shown of each scene, with the maps of its runs.

    Parameters
    ----------
    folder : ResultsFolder
    maps : sequence of str
        Names of scenes that are only mapped.

    Returns
    -------
    list of (SceneView, list of Run)
        Scenes whose view is missing are left out, and listed as missing.
    """
    if folder.find(*OVERALL, needed=False) is None:
        rows: list[Row] = []
    else:
        rows = folder.table(*OVERALL, columns=("scene", "split", "classifier", "seed", "oa"))
    recalls = _recalls(folder) if rows else {}
    made = []
    for scene in dict.fromkeys(row["scene"] for row in rows):
        path = folder.find("hsi", scene, "view.npz")
        if path is None:
            continue
        view = load_view(path)
        runs = [
            run
            for row in rows
            if row["scene"] == scene and (run := _run(folder, view, row, recalls)) is not None
        ]
        made.append((view, runs))
    for name in maps:
        path = folder.find("maps", name, "view.npz")
        if path is not None:
            view = load_view(path)
            made.append((view, runs_of(view)))
    return made


def runs_of(view: SceneView) -> list[Run]:
    """Return the maps that a view holds."""
    return [Run(found.name, found.numbers, found.confidence) for found in view.maps]


def _recalls(folder: ResultsFolder) -> dict[tuple[str, ...], dict[int, float]]:
    """Return the recall of each class by scene, split, classifier and seed."""
    columns = ("scene", "split", "classifier", "seed", "class_id", "recall")
    found: dict[tuple[str, ...], dict[int, float]] = {}
    for row in folder.table(*PER_CLASS, columns=columns):
        recall, place = number(row["recall"]), number(row["class_id"])
        if recall is not None and place is not None:
            found.setdefault(tuple(row[key] for key in columns[:4]), {})[int(place)] = recall
    return found


def _run(
    folder: ResultsFolder,
    view: SceneView,
    row: Row,
    recalls: dict[tuple[str, ...], dict[int, float]],
) -> Run | None:
    """Return the map of a run on the view's grid; None where its file is not there."""
    key = tuple(row[name] for name in ("scene", "split", "classifier", "seed"))
    scene, split, classifier, seed = key
    home = ("hsi", scene, split, classifier, f"seed{seed}")
    numbers = folder.array(*home, "map.npy")
    if numbers is None:
        return None
    if numbers.shape != tuple(view.shape):
        raise UserError(
            f"{folder.root.joinpath(*home)}/map.npy: expected {view.shape[0]} × {view.shape[1]} "
            f"pixels as its scene has, found {numbers.shape[0]} × {numbers.shape[1]}; run the "
            "workflow again"
        )
    sure = _confidence(folder, home)
    if sure is not None and sure.shape != numbers.shape:
        sure = None
    step = view.step
    sides, own = _split(folder, view, scene, split, seed)
    return Run(
        f"{classifier}, {split}, seed {seed}",
        np.nan_to_num(numbers[::step, ::step]).astype(np.int64),
        None if sure is None else np.asarray(sure[::step, ::step]),
        sides,
        own,
        {
            "split": split,
            "classifier": classifier,
            "seed": seed,
            "oa": row["oa"],
            "recall": recalls.get(key, {}),
        },
    )


def _confidence(folder: ResultsFolder, home: tuple[str, ...]) -> npt.NDArray[Any] | None:
    """Return the confidence of a map; None where its record does not name any.

    A file that the record does not name may be of an earlier map.
    """
    named = folder.json(*home, "map.json").get("layers")
    if not isinstance(named, list) or "confidence" not in named:
        return None
    return folder.array(*home, "map_confidence.npy")


def _split(
    folder: ResultsFolder, view: SceneView, scene: str, split: str, seed: str
) -> tuple[npt.NDArray[np.uint8] | None, npt.NDArray[Any] | None]:
    """Return training and test pixels on the view's grid, and the split's own classes if any."""
    path = folder.find("hsi", scene, split, f"split_seed{seed}.npz")
    if path is None:
        return None, None
    masks = read_npz(path, ("train", "test"), "hsi split")
    with np.load(path, allow_pickle=False) as arrays:
        own = arrays["classes"] if "classes" in arrays.files else None
    found = [*masks.values(), *([] if own is None else [own])]
    if any(array.shape != tuple(view.shape) for array in found):
        return None, None
    step = view.step
    train, test = (masks[name][::step, ::step] for name in ("train", "test"))
    sides = np.where(train, TRAIN, np.where(test, TEST, 0)).astype(np.uint8)
    return sides, None if own is None else own[::step, ::step]
