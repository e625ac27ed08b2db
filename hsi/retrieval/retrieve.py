"""Retrieve over the draws of a split: the table, its means with intervals, and the page."""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from engine.artifacts import sha256_arrays
from engine.revision import code_revision
from engine.tables import read_csv, write_csv
from hsi.errors import HsiError
from hsi.evaluation.gains import mean_cells
from hsi.retrieval.ablation import ABLATION, COLUMNS, DSCMR, Found, methods, row_of
from hsi.retrieval.draws import Draw, Setting, draw_of
from hsi.retrieval.losses import Losses
from hsi.retrieval.page import WAYS, Drawing, save_queries, shown_queries, write_page
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split

log = logging.getLogger(__name__)

CASE = ["scene", "split", "window", "features", "method"]
FIGURES = (
    "map_spectrum_to_patch", "map_patch_to_spectrum", "map", "apart", "beyond_j1", "beyond_cca",
)  # fmt: skip
MEANS = (*CASE, "draws", *(f"{f}{end}" for f in FIGURES for end in ("", "_from", "_to")))


def retrieve(
    scene: Scene,
    labels: Labels,
    splits: Sequence[Split],
    out: Path,
    setting: Setting | None = None,
    *,
    ablation: Mapping[str, Losses] | None = None,
) -> pd.DataFrame:
    """Train, retrieve on the test pixels of each split, and write tables, pictures and a page.

    Parameters
    ----------
    scene : Scene
    labels : Labels
    splits : sequence of Split
        Draws: of several seeds, so that there are intervals; of one or more kinds.
    out : Path
        Folder: `retrieval.csv` (a row per draw and method), `retrieval_means.csv`,
        `spectrum_to_patch.png` and `patch_to_spectrum.png` of the first draw, `retrieval.html`.
        A run that was interrupted resumes behind its last finished draw.
    setting : Setting, optional
    ablation : mapping of str to Losses, optional
        What is trained, by the name in the table; `J1+J2+J3` is the one in the pictures.

    Returns
    -------
    DataFrame
        The means, of `MEANS`.

    Raises
    ------
    HsiError
        See `hsi.retrieval.draws.draw_of`; no split, or one twice.
    """
    setting, ablation = setting or Setting(), ablation or ABLATION
    named = [(split.how, split.seed) for split in splits]
    if not named or len(set(named)) < len(named):
        twice = next((name for name in named if named.count(name) > 1), None)
        found = "none" if twice is None else f"{twice[0]} of seed {twice[1]} twice"
        raise HsiError(f"`splits`: expected one or more draws, each once, found {found}")
    for split in splits:  # before any work
        split.check_fits(labels)
    parts = out / "parts"
    rows: list[Any] = []
    pictures = [out / f"{way}.png" for way in WAYS]
    for number, split in enumerate(splits):
        part = parts / f"{_fingerprint(scene, labels, split, setting, ablation)}.csv"
        if part.is_file() and (number or all(picture.is_file() for picture in pictures)):
            rows += read_csv(part).to_dict("records")
            continue
        draw = draw_of(scene, labels, split, setting)
        made = []
        for name, reached in methods(scene, labels, split, draw, ablation):
            made.append(row_of(scene.name, split, draw, name, reached))
            log.info("%s seed %d, %s: mAP %s %%", split.how, split.seed, name, made[-1]["map"])
            if number == 0 and name == DSCMR:
                _save_pictures(pictures, scene, split.own_labels(labels), draw, reached)
        write_csv(pd.DataFrame(made), part, COLUMNS)
        rows += made
    table = pd.DataFrame(rows).astype(str)  # as those of an interrupted run are read
    write_csv(table, out / "retrieval.csv", COLUMNS)
    means = summarise(table)
    write_csv(means, out / "retrieval_means.csv", MEANS)
    drawn = [picture for picture in pictures if picture.is_file()]
    write_page(out / "retrieval.html", means, drawn, f"Retrieval on {scene.name}")
    shutil.rmtree(parts)
    return means


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return the means over draws, with 95 % intervals (Student's t; empty for a single draw).

    Parameters
    ----------
    table : DataFrame
        Of `COLUMNS`, text or numbers.

    Returns
    -------
    DataFrame
        Of `MEANS`. `beyond_j1` and `beyond_cca` are the differences of `map` from those of the same
        draw; their intervals are of these differences.
    """
    numbers = table.copy()
    for figure in FIGURES[:4]:
        numbers[figure] = pd.to_numeric(numbers[figure])
    draws = [*CASE[:-1], "draw"]
    for column, name in (("beyond_j1", "J1"), ("beyond_cca", "cca")):
        base = numbers[numbers["method"] == name].set_index(draws)["map"]
        of_draw = base.reindex(pd.MultiIndex.from_frame(numbers[draws])).to_numpy()
        numbers[column] = numbers["map"].to_numpy() - of_draw
    rows = []
    for case, group in numbers.groupby(CASE, sort=False):
        row: dict[str, Any] = {**dict(zip(CASE, case, strict=True)), "draws": len(group)}
        for figure in FIGURES:
            sign = "+" if figure.startswith("beyond") else ""
            row |= mean_cells(figure, group[figure].to_numpy(float), sign)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(MEANS))


def _save_pictures(
    pictures: Sequence[Path], scene: Scene, labels: Labels, draw: Draw, found: Found
) -> None:
    assert found.embed is not None
    embedded, drawing = found.embed(draw.test), Drawing.of(scene, draw.half)
    queries = shown_queries(draw.test, draw.setting.seed)
    for picture, way in zip(pictures, WAYS, strict=True):
        save_queries(picture, drawing, draw.test, embedded, labels, way, queries)


def _fingerprint(
    scene: Scene, labels: Labels, split: Split, setting: Setting, ablation: Mapping[str, Losses]
) -> str:
    """Return what tells a finished draw from one of other inputs."""
    stated = {
        "scene": scene.checksum(),
        "labels": labels.checksum(),
        "split": split.describe() | {"test_sha256": sha256_arrays(split.test)},
        "setting": asdict(setting),
        "ablation": {name: asdict(losses) for name, losses in ablation.items()},
        "code": code_revision("hsi.retrieval.retrieve"),
    }
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:16]
