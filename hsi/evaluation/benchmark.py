"""Several classifiers on the test pixels of a split: accuracy, size and cost in one table.

All learn from the same training pixels by the same schedule. Unlike `hsi.evaluation.study`, which
chooses settings and never looks at test pixels, this one only reports.
"""

import json
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine.artifacts import sha256_arrays, write_json
from engine.device import Compute
from engine.revision import code_revision
from engine.tables import read_csv, two_decimals, write_csv
from hsi.classifiers.model import load_model
from hsi.classifiers.protocol import Application
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.evaluation.gains import mean_cells
from hsi.evaluation.metrics import scores_of
from hsi.evaluation.study import Candidate
from hsi.figures import blank_figure, save_figure
from hsi.maps.blocks import classify_whole
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split

log = logging.getLogger(__name__)

CASE = ("scene", "split", "candidate", "classifier", "settings", "schedule")
SIZE = ("window", "parameters", "multiply_adds_a_pixel")
FIGURES = ("oa", "aa", "kappa", "train_oa")
COSTS = ("seconds_train", "ms_per_megapixel")
COLUMNS = (*CASE, "draw", *SIZE, "train_pixels", "test_pixels", *FIGURES, *COSTS)
MEANS = (
    *CASE, "draws", *SIZE,
    *(f"{figure}{end}" for figure in FIGURES for end in ("", "_from", "_to")), *COSTS,
)  # fmt: skip


def benchmark(
    scene: Scene,
    labels: Labels,
    split: Split,
    candidates: Sequence[Candidate],
    out: Path,
    *,
    compute: Compute,
    schedule: str,
) -> pd.DataFrame:
    """Train candidates on a split's training pixels, score them on its test pixels.

    Parameters
    ----------
    scene, labels, split
        Of one size; `split` made from `labels`. Its seed is the draw, and that of every training.
    candidates : sequence of Candidate
        See `hsi.evaluation.study.read_candidates`.
    out : Path
        CSV of a row for each candidate. Rows are kept in a folder of its name until it is
        written: a run that was interrupted goes on behind its last finished candidate, unless
        scene, labels, split, schedule, candidate or code are others now.
    compute : Compute
    schedule : str
        See `hsi.classifiers.schedules.schedule`; counts for networks alone.

    Returns
    -------
    DataFrame
        Of `COLUMNS`. Accuracies are in per cent, `train_oa` that of the training pixels: it shows
        whether a classifier could not learn them, or learned nothing else. `ms_per_megapixel` is
        the time of a whole map on this machine, and says little where other work ran beside it.

    Raises
    ------
    HsiError
        Labels or split are of another scene; more components than usable bands.
    """
    labels.check_fits(scene)
    labels = split.own_labels(labels)
    for candidate in candidates:
        if (candidate.components or 0) > len(scene.good_bands):
            raise HsiError(
                f"candidate {candidate.name}: components: expected at most "
                f"{len(scene.good_bands)}, the usable bands of {scene.name}, found "
                f"{candidate.components}; give other `candidates`"
            )
    kept, rows = out.with_suffix(""), []
    of_all = {
        "scene": scene.checksum(),
        "labels": labels.checksum(),
        "train": sha256_arrays(split.train),
        "test": sha256_arrays(split.test),
        "seed": split.seed,
        "schedule": schedule,
        "text": Path(schedule).read_text() if Path(schedule).is_file() else "",
        "code": code_revision("hsi.evaluation.benchmark"),
    }
    for candidate in candidates:
        part, path = kept / f"{candidate.name}.json", kept / f"{candidate.name}.safetensors"
        identity = {**of_all, "candidate": [candidate.classifier, candidate.in_words]}
        if part.is_file() and (found := json.loads(part.read_text()))["of"] == identity:
            rows.append(found["row"])
            continue
        row = _run(scene, labels, split, candidate, path, compute, schedule)
        write_json(part, {"of": identity, "row": row})
        path.unlink(missing_ok=True)
        log.info("%s: OA %s %%, AA %s %%", candidate.name, row["oa"], row["aa"])
        rows.append(row)
    table = pd.DataFrame(rows)
    write_csv(table, out, COLUMNS)
    shutil.rmtree(kept)
    return table


def summarise_benchmark(table: pd.DataFrame) -> pd.DataFrame:
    """Return the means over draws of `benchmark`'s rows, best first, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Of `COLUMNS`, text or numbers.

    Returns
    -------
    DataFrame
        Of `MEANS`. `…_from` and `…_to` bound the interval of the mean (Student's t over the draws;
        empty for a single draw).
    """
    numbers = table.fillna("").copy()
    rows = []
    for case, group in numbers.groupby(list(CASE), sort=False):
        row: dict[str, Any] = {**dict(zip(CASE, case, strict=True)), "draws": len(group)}
        row |= {key: group[key].iloc[0] for key in SIZE}
        for figure in FIGURES:
            row |= mean_cells(figure, pd.to_numeric(group[figure]).to_numpy(float))
        for cost in COSTS:
            row[cost] = two_decimals(pd.to_numeric(group[cost]).median())
        rows.append(row)
    means = pd.DataFrame(rows, columns=list(MEANS))
    order = ["scene", "split"]
    means["_"] = -pd.to_numeric(means["oa"])
    return means.sort_values([*order, "_"], kind="stable").drop(columns="_").reset_index(drop=True)


def join_benchmarks(tables: Sequence[Path], out: Path) -> pd.DataFrame:
    """Join tables of `benchmark`, write all rows, their means and a picture; return the means.

    Parameters
    ----------
    tables : sequence of Path
        CSVs of `benchmark`, of one or more draws and splits.
    out : Path
        CSV of all rows; beside it lie `…_means.csv` and `….png`, accuracy against cost.

    Raises
    ------
    HsiError
        A file is not such a table, or two hold the same run.
    """
    parts = []
    for path in tables:
        found = read_csv(path)
        if missing := [column for column in COLUMNS if column not in found]:
            raise HsiError(
                f"{path}: expected a table of hsi benchmark; column {missing[0]} is missing"
            )
        parts.append(found)
    table = pd.concat(parts, ignore_index=True)
    twice = table.duplicated([*CASE, "draw"])
    if twice.any():
        first = table[twice].iloc[0]
        raise HsiError(
            f"`tables`: expected each run once, found {first['candidate']} on {first['split']}, "
            f"draw {first['draw']}, twice; name each table once"
        )
    means = summarise_benchmark(table)
    write_csv(table, out, COLUMNS)
    write_csv(means, out.with_name(f"{out.stem}_means.csv"), MEANS)
    save_costs(out.with_suffix(".png"), means)
    return means


def save_costs(path: Path, means: pd.DataFrame) -> None:
    """Draw overall accuracy against multiply-adds a pixel, a panel for each scene and split.

    Candidates without multiply-adds (controls) are dashed lines. A candidate has the same colour in
    all panels; intervals end at 0 and 100 %.
    """
    from matplotlib import colormaps
    from matplotlib.ticker import LogLocator, NullFormatter

    costs = pd.to_numeric(means["multiply_adds_a_pixel"], errors="coerce")
    names = list(dict.fromkeys(means["candidate"][costs.notna()]))
    colours = {name: colormaps["tab20"](number % 20) for number, name in enumerate(names)}
    cases = list(means.assign(million=costs / 1e6).groupby(["scene", "split"], sort=False))
    figure = blank_figure(5.2 * len(cases) + 1.6, 4.4)
    axes = figure.subplots(1, len(cases), squeeze=False)[0]
    for axis, ((scene, split), group) in zip(axes, cases, strict=True):
        for _, row in group.iterrows():
            name, oa, million = row["candidate"], float(row["oa"]), row["million"]
            if pd.isna(million):
                axis.axhline(oa, lw=0.8, ls="--", color="0.5")
                axis.annotate(name, (1, oa), xycoords=("axes fraction", "data"),
                              fontsize=6, ha="right", va="bottom", color="0.4")  # fmt: skip
                continue
            low, high = (float(row[key] or oa) for key in ("oa_from", "oa_to"))
            reach = [[oa - max(low, 0)], [min(high, 100) - oa]]
            axis.errorbar(million, oa, reach, fmt="o", ms=4, lw=0.9, color=colours[name])
        axis.set(
            xscale="log", title=f"{scene} {split}", xlabel="million multiply-adds a pixel",
            ylabel="overall accuracy, %",
        )  # fmt: skip
        axis.set_xmargin(0.22)
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
    if names:
        marks = [axes[0].plot([], [], "o", ms=4, color=colours[name])[0] for name in names]
        figure.legend(marks, names, loc="outside right center", fontsize=7, frameon=False)
    save_figure(figure, path)


def _run(
    scene: Scene,
    labels: Labels,
    split: Split,
    candidate: Candidate,
    path: Path,
    compute: Compute,
    schedule: str,
) -> dict[str, Any]:
    learner = candidate.make()
    train(
        learner, scene, labels, split, path, compute=compute, schedule=schedule, seed=split.seed
    )  # fmt: skip
    model = load_model(path)
    began = time.monotonic()
    found = classify_whole(model.classifier, scene, Application(compute))
    seconds = time.monotonic() - began
    numbers, truth = found.numbers(labels.classes), labels.ground_truth
    scores, seen = (
        scores_of(truth[pixels], numbers[pixels], labels.classes)
        for pixels in (split.test, split.train)
    )
    height, width = scene.shape
    made = model.description
    return {
        "scene": scene.name,
        "split": split.how,
        "candidate": candidate.name,
        "classifier": candidate.classifier,
        "settings": candidate.in_words,
        "schedule": Path(schedule).stem if learner.stepwise else "",
        "draw": split.seed,
        **{key: _or_empty(made["settings"].get(key)) for key in SIZE},
        "train_pixels": int(split.train.sum()),
        "test_pixels": int(split.test.sum()),
        **{key: two_decimals(getattr(scores, key)) for key in ("oa", "aa", "kappa")},
        "train_oa": two_decimals(seen.oa),
        "seconds_train": two_decimals(made["seconds_train"]),
        "ms_per_megapixel": round(1e9 * seconds / (height * width)),
    }


def _or_empty(value: Any) -> Any:
    return "" if value is None else value
