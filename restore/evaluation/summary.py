"""Tables of scores: all rows joined, and their means beside the published figures."""

import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from engine.tables import write_csv
from restore.errors import RestoreError
from restore.evaluation.protocol import COLUMNS
from restore.image_sets.catalogue import PUBLISHED

_CASE = ["set", "degradation", "level"]
# What the papers call our variants.
_PUBLISHED_NAME = {
    "dncnn-s": "DnCNN-S",
    "dncnn-b": "DnCNN-B",
    "dncnn-3": "DnCNN-3",
    "dncnn-s-color": "CDnCNN (per sigma)",
    "dncnn-b-color": "CDnCNN-B",
}

SUMMARY_COLUMNS = (
    "model",
    "schedule",
    "set",
    "degradation",
    "level",
    "images",
    "psnr_db",
    "ssim",
    "psnr_input_db",
    "ssim_input",
    "psnr_gain_db",
    "psnr_published_db",
    "psnr_difference_db",
    "ssim_published",
    "ssim_difference",
    "seed",
    "weights_sha256",
    "precision",
)


def published() -> pd.DataFrame:
    """Return the published figures: set, degradation, level, model, psnr_db, ssim, source."""
    table = Path(str(files("restore.evaluation"))) / "published.csv"
    return pd.read_csv(table, dtype={"level": str})


def read_rows(paths: Sequence[Path]) -> pd.DataFrame:
    """Join score files in their order.

    Raises
    ------
    RestoreError
        A file is missing or has other columns.
    """
    frames = []
    for path in paths:
        try:
            frame = pd.read_csv(path, dtype={"level": str, "weights_sha256": str}, na_filter=False)
        except (OSError, ValueError) as error:
            raise RestoreError(
                f"{path}: expected the CSV of `restore benchmark`: {error}"
            ) from error
        if tuple(frame.columns) != COLUMNS:
            raise RestoreError(f"{path}: expected the columns {','.join(COLUMNS)}")
        frames.append(frame)
    # A file that is named twice counts once.
    return pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)


def summarise(rows: pd.DataFrame, schedules: Mapping[str, str]) -> pd.DataFrame:
    """Average rows over the images of each model, set and degradation.

    Parameters
    ----------
    rows : DataFrame
        With `COLUMNS`.
    schedules : mapping of str to str
        The schedule that made the weights, by their SHA-256.

    Returns
    -------
    DataFrame
        With `SUMMARY_COLUMNS`, scores as text with fixed decimals; published columns are empty
        where the papers have no figure, or the scores are not by their protocol (then `precision`
        names the departure, see `restore.evaluation.benchmark.evaluate`).
    """
    keys = ["model", *_CASE, "seed", "weights_sha256", "precision"]
    groups = rows.groupby(keys, sort=False, dropna=False)
    scores = ["psnr_db", "ssim", "psnr_input_db", "ssim_input"]
    means: pd.DataFrame = groups[scores].mean().reset_index()
    means["images"] = groups.size().to_numpy()
    means["psnr_gain_db"] = means["psnr_db"] - means["psnr_input_db"]
    means["schedule"] = [schedules.get(sha, "") for sha in means["weights_sha256"]]
    known = published().set_index([*_CASE, "model"])
    for column, name in (("psnr_published_db", "psnr_db"), ("ssim_published", "ssim")):
        means[column] = [_lookup(known, row, name) for _, row in means.iterrows()]
    means["psnr_difference_db"] = means["psnr_db"] - means["psnr_published_db"]
    means["ssim_difference"] = means["ssim"] - means["ssim_published"]
    for column in SUMMARY_COLUMNS:
        if column[:4] in ("psnr", "ssim"):
            means[column] = [_fixed(value, column) for value in means[column]]
    return means[list(SUMMARY_COLUMNS)]


def _fixed(value: float, column: str) -> str:
    """Write with the decimals that papers give: 2 for dB, 4 for SSIM; nothing for no figure."""
    if math.isnan(value):
        return ""
    return f"{value:.2f}" if column.endswith("_db") else f"{value:.4f}"


def _lookup(known: pd.DataFrame, row: "pd.Series[Any]", column: str) -> float:
    model = str(row["model"])
    specific = re.fullmatch(r"(dncnn-s)-([\d.]+)(-color)?", model)
    if specific:
        model = specific[1] + (specific[3] or "")
    # The papers score each specific network at its own noise level, and by one protocol.
    foreign = specific is not None and f"{float(specific[2]):g}" != row["level"]
    known_set = PUBLISHED.get(str(row["set"]))
    # A part of a published set, or other images under its name.
    foreign |= known_set is not None and known_set.images != row["images"]
    key = (row["set"], row["degradation"], row["level"], _PUBLISHED_NAME.get(model, model.upper()))
    if foreign or ";" in str(row["precision"]) or key not in known.index:
        return float("nan")
    return float(known[column].to_dict()[key])


def write_tables(paths: Sequence[Path], schedules: Mapping[str, str], out: Path) -> pd.DataFrame:
    """Write `psnr_ssim.csv` and `psnr_ssim_summary.csv` into `out`; return the summary."""
    rows = read_rows(paths)
    write_csv(rows, out / "psnr_ssim.csv", COLUMNS)
    summary = summarise(rows, schedules)
    write_csv(summary, out / "psnr_ssim_summary.csv", SUMMARY_COLUMNS)
    return summary
