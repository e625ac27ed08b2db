"""Means of a study of arms over its draws, with intervals, and their picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.tables import read_csv, write_csv
from hsi.errors import HsiError
from hsi.evaluation.arms import COLUMNS
from hsi.figures import blank_figure, save_figure

MEANS = (
    "scene", "noise", "split", "classifier", "schedule", "arm", "draws", "oa", "oa_from", "oa_to",
    "aa", "aa_from", "aa_to", "kappa", "kappa_from", "kappa_to", "oa_gain", "oa_gain_from",
    "oa_gain_to", "better", "worse",
)  # fmt: skip
CASE = ["scene", "noise", "split", "classifier", "schedule", "arm"]
FIGURES = ("oa", "aa", "kappa", "oa_gain")
CONFIDENCE = 0.95
SIGNIFICANT = 0.05


def summarise_arms(table: pd.DataFrame) -> pd.DataFrame:
    """Return the means over draws of `compare_arms`' rows, with intervals.

    Parameters
    ----------
    table : DataFrame
        Of `COLUMNS`, text or numbers.

    Returns
    -------
    DataFrame
        Of `MEANS`. `…_from` and `…_to` bound the 95 % interval of the mean (Student's t over the
        draws; empty for a single draw, and with figures of which one is missing); the gain's
        is of the differences within draws. `better` and `worse` count the draws in which the arm
        has more, or fewer, test pixels right than the first arm and McNemar's p is below 0.05.
    """
    numbers = table.copy()
    numbers[[*FIGURES, "p_value"]] = numbers[[*FIGURES, "p_value"]].apply(pd.to_numeric)
    rows = []
    for case, group in numbers.groupby(CASE, sort=False):
        row: dict[str, Any] = {**dict(zip(CASE, case, strict=True)), "draws": len(group)}
        for figure in FIGURES:
            sign = "+" if figure == "oa_gain" else ""
            row |= mean_cells(figure, group[figure].to_numpy(float), sign)
        clear = group["p_value"] < SIGNIFICANT
        row["better"] = int((clear & (group["oa_gain"] > 0)).sum())
        row["worse"] = int((clear & (group["oa_gain"] < 0)).sum())
        rows.append(row)
    return pd.DataFrame(rows, columns=list(MEANS))


def interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of some values (n,); NaN for a single one.

    Examples
    --------
    >>> low, high = interval(np.array([1.0, 2.0, 3.0]))
    >>> f"{low:.2f} {high:.2f}"
    '-0.48 4.48'
    """
    from scipy.stats import t

    if len(values) < 2:
        return float("nan"), float("nan")
    half = t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean() - half), float(values.mean() + half)


def mean_cells(figure: str, values: npt.NDArray[np.float64], sign: str = "") -> dict[str, str]:
    """Return the cells of a mean and its 95 % interval in a table: `figure`, `…_from`, `…_to`.

    Two decimals; `sign` '+' writes that of gains, too. Empty where there is no number: bounds of a
    single value, and everything where one of the values (n,) is missing.
    """
    ends = zip(("", "_from", "_to"), (float(values.mean()), *interval(values)), strict=True)
    return {
        f"{figure}{end}": "" if np.isnan(value) else f"{value:{sign}.2f}" for end, value in ends
    }


def join_arms(parts: Sequence[Path], out: Path) -> None:
    """Write the rows of several tables into one, their means beside it, and a picture per scene.

    Parameters
    ----------
    parts : sequence of Path
        Tables of `hsi classify-arms`.
    out : Path
        The joined table (.csv); `…_means.csv` and `…_SCENE.png` lie beside it.

    Raises
    ------
    HsiError
        A table with other columns, or one run twice.
    """
    tables = []
    for part in parts:
        table = read_csv(part)
        if missing := [name for name in COLUMNS if name not in table]:
            raise HsiError(
                f"{part}: expected a table of hsi classify-arms; '{missing[0]}' is missing"
            )
        tables.append(table)
    rows = pd.concat(tables, ignore_index=True)
    twice = rows[rows.duplicated([*CASE, "draw"])]
    if len(twice):
        run = ", ".join(str(twice.iloc[0][key]) for key in [*CASE, "draw"])
        raise HsiError(f"the run {run} is in the tables twice; give each once")
    write_csv(rows, out, COLUMNS)
    means = summarise_arms(rows)
    write_csv(means, out.with_name(f"{out.stem}_means.csv"), MEANS)
    for scene, found in means.groupby("scene", sort=False):
        save_gains(out.with_name(f"{out.stem}_{scene}.png"), found, str(scene))


def save_gains(path: Path, means: pd.DataFrame, title: str) -> None:
    """Draw what each arm gains over the first, by noise: a row per split, a column per classifier.

    Parameters
    ----------
    path : Path
        Picture to write (.png).
    means : DataFrame
        Of `summarise_arms`, one scene.
    title : str
    """
    splits, classifiers, noises, arms = (
        list(dict.fromkeys(means[key])) for key in ("split", "classifier", "noise", "arm")
    )
    figure = blank_figure(3.6 * len(classifiers) + 1.4, 2.5 * len(splits) + 0.8)
    grid = figure.subplots(len(splits), len(classifiers), squeeze=False, sharex=True, sharey="row")
    for row, split in enumerate(splits):
        for column, classifier in enumerate(classifiers):
            axes = grid[row][column]
            axes.axhline(0, color="0.5", lw=0.8)
            for number, arm in enumerate(arms[1:]):
                _curve(axes, means, {"split": split, "classifier": classifier, "arm": arm}, noises,
                       (number - (len(arms) - 2) / 2) * 0.12)  # fmt: skip
            axes.set_title(f"{classifier}, {split}", fontsize=9)
            axes.set_xticks(range(len(noises)), noises, fontsize=7, rotation=20)
            axes.tick_params(axis="y", labelsize=7)
            axes.grid(axis="y", alpha=0.3)
        grid[row][0].set_ylabel(f"OA beyond {arms[0]}, points", fontsize=8)
    handles, names = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", fontsize=8, frameon=False)
    figure.suptitle(f"{title}: means over draws, 95 % intervals", fontsize=10)
    save_figure(figure, path)


def _curve(
    axes: Any, means: pd.DataFrame, case: dict[str, str], noises: list[str], shift: float
) -> None:
    """Draw the gains of one arm; noises that were not run are left out."""
    found = means[np.all([means[key] == value for key, value in case.items()], axis=0)]
    gain, low, high = (
        pd.to_numeric(found[key]).to_numpy(float)
        for key in ("oa_gain", "oa_gain_from", "oa_gain_to")
    )
    places = np.array([noises.index(noise) for noise in found["noise"]], float) + shift
    reach = np.nan_to_num([gain - low, high - gain])
    axes.errorbar(places, gain, reach, fmt="o-", ms=3.5, lw=1, capsize=2, label=case["arm"])
