"""Tables over runs: each run's scores, means beside the published figures, pairs compared."""

import json
import logging
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from engine.errors import why
from engine.tables import read_csv, two_decimals, write_csv
from hsi.errors import HsiError
from hsi.evaluation.bootstrap import (
    DIFFERENCE_COLUMNS,
    count_groups,
    differences,
    interval,
    read_run,
)
from hsi.evaluation.compare import MCNEMAR_COLUMNS, compared
from hsi.evaluation.score import OF_THE_MASK, OF_THE_MODEL, PER_CLASS_COLUMNS
from hsi.splits.leakage import LEAKAGE
from hsi.splits.masks import MASKS

log = logging.getLogger(__name__)

OVERALL_COLUMNS = (
    "scene",
    "split",
    "classifier",
    "seed",
    "oa",
    "aa",
    "kappa",
    "seconds_train",
    "seconds_map",
)
# Runs of earlier versions lack them.
LATER = ("aa_min20", *OF_THE_MASK, "ece", "coverage")
DETAILS_COLUMNS = (*OVERALL_COLUMNS[:4], *LATER)
SUMMARY_COLUMNS = (
    "scene",
    "split",
    "classifier",
    "schedule",
    "seeds",
    "oa_mean",
    "oa_std",
    "aa_mean",
    "aa_std",
    "kappa_mean",
    "kappa_std",
    "ddof",
    "oa_published",
    "aa_published",
    "kappa_published",
    "oa_difference",
    "test_in_training_window",
    "nearest_train_median",
    "absent_classes",
    "parameters",
    "seconds_train_mean",
    "seconds_map_mean",
    "multiply_adds_a_pixel",
    "window",
    "test_in_own_window",
    "test_window_holds_training",
    "nearest_train_min",
    "oa_low",
    "oa_high",
    "groups",
    "aa_min20_mean",
    "aa_min20_std",
    "classes_min20",
    "nearest_train_max",
    *OF_THE_MASK,
    "note",
    "ece_mean",
    "coverage_mean",
)
FIGURES = ("oa", "aa", "kappa")
DDOF = 1  # the sample standard deviation; with one seed there is none

_PUBLISHED_WINDOWS = {"hybridsn": 25, "cnn2d": 25, "cnn3d": 25}
# What the paper's tables call our classifiers.
_PUBLISHED_NAMES = {"hybridsn": "HybridSN", "svm": "SVM", "cnn2d": "2D-CNN", "cnn3d": "3D-CNN"}


def summarise(folders: Sequence[Path], out: Path) -> None:
    """Write the tables of a set of scored runs.

    Parameters
    ----------
    folders : sequence of Path
        Each as `hsi score` wrote it; rows keep this order.
    out : Path
        Folder for `per_class_accuracy.csv`, `overall_accuracy.csv`,
        `overall_accuracy_details.csv` (AA over classes of at least 20 test pixels, whose classes a
        mask's pixels have, calibration error), the means `overall_accuracy_summary.csv` (with the
        95 % interval of the mean OA, `oa_low` to `oa_high`), `mcnemar.csv`: any two classifiers
        with the same test pixels, and `differences.csv`: the difference of their mean OA over all
        seeds, with its 95 % interval.
        Intervals are drawn by block or polygon (see `hsi.evaluation.bootstrap`).

        Seeds of a split that test the same pixels are named in a warning.

    Raises
    ------
    HsiError
        A folder without scores, or the same run twice.
    """
    runs = [_read(folder) for folder in folders]
    if not runs:
        raise HsiError("expected at least one folder of hsi score, found none")
    seen: dict[tuple[Any, ...], Path] = {}
    for folder, run in zip(folders, runs, strict=True):
        key = (*(run[name] for name in OVERALL_COLUMNS[:4]), *_settings(run))
        if key in seen:
            raise HsiError(f"{folder}: the same run as {seen[key]}; give each once")
        seen[key] = folder
    _warn_of_one_draw(runs)

    per_class = pd.concat([read_csv(folder / "per_class.csv") for folder in folders])
    write_csv(per_class, out / "per_class_accuracy.csv", PER_CLASS_COLUMNS)
    overall = pd.DataFrame([_overall(run) for run in runs])
    for name, columns in (("", OVERALL_COLUMNS), ("_details", DETAILS_COLUMNS)):
        write_csv(overall[list(columns)], out / f"overall_accuracy{name}.csv", columns)
    groups: dict[tuple[Any, ...], list[tuple[dict[str, Any], Path]]] = {}
    for run, folder in zip(runs, folders, strict=True):
        case = (run["scene"], run["split"], run["classifier"], run["schedule"], *_settings(run))
        groups.setdefault(case, []).append((run, folder))
    reference = published()
    means = pd.DataFrame(
        [
            _mean([run for run, _ in group], reference) | _interval([path for _, path in group])
            for group in groups.values()
        ]
    )
    write_csv(means, out / "overall_accuracy_summary.csv", SUMMARY_COLUMNS)
    pairs = pd.DataFrame(compared(runs, folders), columns=list(MCNEMAR_COLUMNS))
    write_csv(pairs, out / "mcnemar.csv", MCNEMAR_COLUMNS)
    apart = pd.DataFrame(differences(runs, folders), columns=list(DIFFERENCE_COLUMNS))
    write_csv(apart, out / "differences.csv", DIFFERENCE_COLUMNS)


def _warn_of_one_draw(runs: Sequence[Mapping[str, Any]]) -> None:
    """Say which seeds of a split test the same pixels, and so are no draws of it.

    With a mask all seeds do, as they should. Annealing may find the one best assignment of large
    blocks from any seed.
    """
    tested: dict[tuple[str, str], dict[str, set[int]]] = {}
    for run in runs:
        pixels, seed = run.get("test_sha256"), run.get("split_seed")
        masked = run["split"].partition(":")[0] in MASKS or run["report"].get("labels_of")
        if pixels is not None and seed is not None and not masked:
            tested.setdefault((run["scene"], run["split"]), {}).setdefault(pixels, set()).add(seed)
    for (scene, split), by_pixels in tested.items():
        for seeds in by_pixels.values():
            if len(seeds) > 1:
                *others, last = sorted(seeds)
                way_on = f"; make smaller blocks, or kfold:5,{split}"
                log.warning(
                    "%s %s: the seeds %s and %d test the same pixels: they are one draw of the "
                    "split, so their mean and spread tell of the trainings alone%s",
                    scene, split, ", ".join(map(str, others)), last,
                    way_on if split.startswith("blocks:") else "",
                )  # fmt: skip


def _interval(folders: Sequence[Path]) -> dict[str, Any]:
    """Return the 95 % interval of the mean OA of some runs, empty where it is not known."""
    read = [run for folder in folders if (run := read_run(folder)) is not None]
    if len(read) < len(folders):
        return {"oa_low": "", "oa_high": "", "groups": ""}
    counts = count_groups(read)
    low, high = interval(counts) or (float("nan"), float("nan"))
    found = {"oa_low": two_decimals(low), "oa_high": two_decimals(high)}
    return {**found, "groups": counts.right.shape[1]}


def _settings(run: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells runs of one name apart: a network's size, and whose classes they have."""
    return run.get("window"), run.get("parameters"), run.get("labels_of")


def published() -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the published figures by (scene, split, classifier as the paper calls it)."""
    table = read_csv(Path(str(files("hsi.evaluation"))) / "published.csv")
    rows: list[dict[str, str]] = [
        {str(key): str(value) for key, value in row.items()}
        for row in table.to_dict(orient="records")
    ]
    return {(row["scene"], row["split"], row["classifier"]): row for row in rows}


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "scores.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HsiError(f"{path}: expected the scores of hsi score ({why(error)})") from error
    missing = [key for key in (*OVERALL_COLUMNS, "schedule", "report") if key not in found]
    if missing:
        raise HsiError(f"{path}: expected the scores of hsi score; '{missing[0]}' is missing")
    run: dict[str, Any] = found
    return run


def _overall(run: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: run.get(name) for name in (*OVERALL_COLUMNS, *LATER)}
    for name in (*FIGURES, "seconds_train", "seconds_map", "aa_min20", "ece", "coverage"):
        row[name] = two_decimals(run.get(name))
    return row


def note(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return what to know of the test pixels of some runs, as measured, in one or two sentences.

    Parameters
    ----------
    runs : sequence of mapping
        Contents of `scores.json`, of one split.
    """
    found = []
    farthest = [run["report"].get("nearest_train_max") for run in runs]
    if None not in farthest:
        found.append(f"all test pixels lie within {max(farthest)} pixels of a training pixel")
    report = runs[0]["report"]
    if report.get("labels_of") is not None:
        own = report["labels_of"] == "mask"
        found.append(f"classes are {'the mask' if own else 'the ground truth'}'s")
        if (others := report.get("other_class_in_mask")) is not None:
            found.append(f"pixels of another class in the ground truth: {others}")
        unlabelled = report.get("unlabelled_in_mask", 0)
        found.append(f"unlabelled there: {unlabelled}, {'used, too' if own else 'left out'}")
    return "; ".join(found)


def _mean(
    runs: Sequence[Mapping[str, Any]], reference: Mapping[tuple[str, str, str], Mapping[str, str]]
) -> dict[str, Any]:
    first = runs[0]
    name = _PUBLISHED_NAMES.get(first["classifier"], first["classifier"])
    known = reference.get((first["scene"], first["split"], name), {})
    window = first.get("window")
    if window != _PUBLISHED_WINDOWS.get(first["classifier"], window):
        known = {}
    row: dict[str, Any] = {
        "scene": first["scene"],
        "split": first["split"],
        "classifier": first["classifier"],
        "schedule": first["schedule"] or "",
        "seeds": len(runs),
        "ddof": DDOF,
    }
    for figure in FIGURES:
        values = pd.Series([run[figure] for run in runs], dtype=float)
        row[f"{figure}_mean"] = two_decimals(values.mean())
        row[f"{figure}_std"] = two_decimals(values.std(ddof=DDOF))
        row[f"{figure}_published"] = known.get(figure, "")
    for name in ("ece", "coverage"):
        values = pd.Series([run.get(name) for run in runs], dtype=float)
        row[f"{name}_mean"] = two_decimals(values.mean())
    values = pd.Series([run.get("aa_min20") for run in runs], dtype=float)
    row["aa_min20_mean"] = two_decimals(values.mean())
    row["aa_min20_std"] = two_decimals(values.std(ddof=DDOF))
    classes = [int(run["classes_min20"]) for run in runs if "classes_min20" in run]
    row["classes_min20"] = min(classes) if len(classes) == len(runs) else ""
    row |= {name: first.get(name) for name in OF_THE_MASK} | {"note": note(runs)}
    row["oa_difference"] = (
        f"{float(row['oa_mean']) - float(known['oa']):+.2f}" if known.get("oa") else ""
    )
    for name in LEAKAGE:
        if name in SUMMARY_COLUMNS:
            values = pd.Series([run["report"].get(name) for run in runs], dtype=float)
            row[name] = two_decimals(values.mean())
    own = pd.Series([run.get("test_in_own_window") for run in runs], dtype=float)
    row["test_in_own_window"] = two_decimals(own.mean())
    absent = {name: None for run in runs for name in run["report"]["absent_from_test"]}
    row["absent_classes"] = "; ".join(absent)
    for name in OF_THE_MODEL:
        row[name] = first.get(name) or ""
    for name in ("seconds_train", "seconds_map"):
        seconds = pd.Series([run[name] for run in runs], dtype=float)
        row[f"{name}_mean"] = two_decimals(seconds.mean())
    return row
