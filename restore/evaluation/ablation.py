"""The ablation of DnCNN: residual learning and batch normalisation, each alone and together [1]_.

References
----------
.. [1] K. Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 26(7), 2017, section III-C, figure 2.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.artifacts import atomic
from engine.tables import write_csv
from engine.tensors import load_description
from restore.errors import RestoreError
from restore.evaluation.summary import read_rows
from restore.networks.shipped import identity_of

COLUMNS = (
    "model",
    "residual",
    "batch_norm",
    "optimizer",
    "set",
    "psnr_db",
    "ssim",
    "final_loss",
    "steps",
    "seed",
    "seconds",
)
_LAST = 0.05  # share of a training whose mean loss is called the final one


def compare(weights: Sequence[Path], scores: Sequence[Path]) -> pd.DataFrame:
    """Join what trainings were and how their networks score.

    Parameters
    ----------
    weights : sequence of Path
        Of `restore train`, each with its loss beside it in a .csv file of the same name.
    scores : sequence of Path
        CSV files of `restore benchmark` of these weights.

    Returns
    -------
    DataFrame
        With `COLUMNS`, a row for each of `weights` and set; figures as text with fixed decimals.

    Raises
    ------
    RestoreError
        A file is missing or holds something else, or weights have no scores.
    """
    scored = read_rows(scores)
    cases = scored[["degradation", "level"]].drop_duplicates()
    if len(cases) > 1:
        found = ", ".join(f"{kind}:{level}" for kind, level in cases.itertuples(index=False))
        raise RestoreError(f"expected scores of one degradation, found {found}")
    means = scored.groupby(["weights_sha256", "set"], sort=False)[["psnr_db", "ssim"]].mean()
    rows: list[dict[str, Any]] = []
    compared: dict[tuple[Any, ...], Path] = {}
    for path in weights:
        training = _training(path)
        variant = (training["network"], training["schedule"]["optimizer"], training["seed"])
        if variant in compared:
            raise RestoreError(
                f"{path}: {variant[0]} by {variant[1]} with seed {variant[2]} is there already, "
                f"{compared[variant]}; name one of them"
            )
        compared[variant] = path
        sha = identity_of(path)
        if sha not in means.index.get_level_values(0):
            raise RestoreError(f"{path}: expected scores of these weights, found none")
        for name, mean in means.loc[sha].iterrows():
            rows.append(
                {
                    "model": training["network"],
                    "residual": _yes(training["architecture"]["residual"]),
                    "batch_norm": _yes(training["architecture"]["batch_norm"]),
                    "optimizer": training["schedule"]["optimizer"],
                    "set": name,
                    "psnr_db": f"{mean['psnr_db']:.2f}",
                    "ssim": f"{mean['ssim']:.4f}",
                    "final_loss": f"{_final(read_history(path)):.4g}",
                    "steps": training["schedule"]["steps"],
                    "seed": training["seed"],
                    "seconds": training["seconds"],
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_history(weights: Path) -> pd.DataFrame:
    """Read the loss of a training, ``step,loss,...``, from the .csv file beside its weights."""
    path = weights.with_suffix(".csv")
    try:
        return pd.read_csv(path)[["step", "loss"]]
    except (OSError, ValueError, KeyError) as error:
        raise RestoreError(f"{path}: expected a training history (step,loss,...)") from error


def write_comparison(weights: Sequence[Path], scores: Sequence[Path], out: Path) -> None:
    """Write `ablation.csv` (`compare`) and `ablation.png` (`draw`) into the folder `out`."""
    table = compare(weights, scores)
    write_csv(table, out / "ablation.csv", COLUMNS)
    draw(table, [read_history(path) for path in weights], out / "ablation.png")


def draw(table: pd.DataFrame, histories: Sequence[pd.DataFrame], out: Path) -> None:
    """Draw smoothed losses over the steps, and bars of PSNR by set.

    Parameters
    ----------
    table : DataFrame
        Of `compare`.
    histories : sequence of DataFrame
        ``step, loss`` of each training, in the order of the table.
    out : Path
        A .png file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    losses, bars = figure.subplots(1, 2)
    groups = list(table.groupby(["model", "optimizer", "seed"], sort=False))
    sets = list(dict.fromkeys(table["set"]))
    width = 0.8 / len(groups)
    for index, ((_, rows), history) in enumerate(zip(groups, histories, strict=True)):
        name = _label(rows.iloc[0])
        smooth = history["loss"].rolling(max(len(history) // 20, 1), min_periods=1).mean()
        losses.plot(history["step"], smooth, linewidth=1.2, label=name)
        places = np.array([sets.index(chosen) for chosen in rows["set"]])
        left = places - 0.4 + index * width
        bars.bar(left, rows["psnr_db"].astype(float), width, align="edge", label=name)
    losses.set(xlabel="optimizer step", ylabel="loss, smoothed", yscale="log", title="Training")
    losses.grid(alpha=0.3)
    losses.legend(fontsize=8)
    values = table["psnr_db"].astype(float)
    # Differences are tenths of a dB: bars from zero would all look alike.
    bars.set_ylim(values.min() - 0.5, values.max() + 0.5)
    bars.set_xticks(range(len(sets)), sets)
    bars.set(ylabel="PSNR in dB (axis cut)", title="Test")
    bars.grid(axis="y", alpha=0.3)
    with atomic(out) as part:
        figure.savefig(part, dpi=110)


def _label(row: "pd.Series[Any]") -> str:
    learns = "residual" if row["residual"] == "yes" else "direct"
    normalised = "BN" if row["batch_norm"] == "yes" else "no BN"
    return f"{learns}, {normalised}, {row['optimizer']}"


def _training(path: Path) -> dict[str, Any]:
    training: dict[str, Any] = load_description(path).get("training", {})
    if not {"architecture", "schedule", "seconds"} <= set(training):
        raise RestoreError(f"{path}: expected weights of `restore train`, found others")
    return training


def _final(history: pd.DataFrame) -> float:
    return float(history["loss"].tail(max(round(len(history) * _LAST), 1)).mean())


def _yes(value: bool) -> str:
    return "yes" if value else "no"
